// The data report for programs.

import CharMLP
import CommandSupport

extension DataReport {
  /// All of the report, with stable keys.
  func json(of name: String) -> JSONValue {
    [
      "data": .string(name),
      "words": .integer(words),
      "sample_of": sampleOf.map { .integer($0) } ?? .null,
      "training_windows": .integer(trainingWindows),
      "distinct": .integer(distinctWords),
      "duplicates": .integer(duplicates),
      "duplicates_removed": .integer(duplicatesRemoved),
      "split": ["train": train.json, "val": validation.json, "test": test.json],
      "alphabet": .array(symbols.map(\.json)),
      "rare_symbols": .array(rareSymbols.map { .string(String($0.scalar)) }),
      "lengths": lengths.json,
      "warnings": .array(
        warnings.map { ["kind": .string($0.kind), "message": .string($0.text)] }),
    ]
  }
}

extension DataReport.Part {
  fileprivate var json: JSONValue {
    [
      "words": .integer(words), "in_training": .integer(wordsInTraining),
      "windows": .integer(windows), "distinct_contexts": .integer(distinctContexts),
    ]
  }
}

extension DataReport.Symbol {
  fileprivate var json: JSONValue {
    [
      "symbol": .string(String(scalar)), "count": .integer(count),
      "in_training": .integer(trainingCount),
    ]
  }
}

extension LengthDistribution {
  fileprivate var json: JSONValue {
    [
      "shortest": .integer(shortest), "longest": .integer(longest), "median": .integer(median),
      "mean": .number(mean),
      "words": .array(
        counts.indices.filter { counts[$0] > 0 }.map {
          ["length": .integer($0), "words": .integer(counts[$0])]
        }),
    ]
  }
}
