// The table of tensors and the words of hints as JSON, for the page that judges in a browser.
//
// docs/gradcheck.html computes lines, bounds and verdicts itself. What it has to know for that of a tensor
// (its shape, the terms of its line, what it reads) stands in PassTensors.swift and nowhere else.

package import OrderedJSON

extension PassTensor {
  /// All tensors in the derivation's order, the factor of every bound, and the sentences of hints.
  package static var table: JSONValue {
    [
      "factor": .number(EvaluatedLine.factor),
      "elementsForSign": .integer(PassJudge.elementsForSign),
      "elementsForBits": .integer(PassJudge.elementsForBits),
      "elementLimit": .integer(GradientProblem.elementLimit),
      "tensors": .array(allCases.map(\.entry)),
      "stale": .array(staleOrigins.map { .array($0.map { .string($0.name) }) }),
      "hints": .object(HintSentence.table.map { (key: $0.name, value: .string($0.text)) }),
    ]
  }

  private var entry: JSONValue {
    let row = TensorRow<Double>(self)
    return [
      "name": .string(name),
      "owner": owner.map { .string($0.name) } ?? .null,
      "dimensions": .array(row.dimensions.map { .string("\($0)") }),
      "terms": row.terms.json,
      "line": .string(line),
      "inputs": .array(inputs.map { .string($0.name) }),
      "ids": ids.map { .string($0.rawValue) } ?? .null,
      "cancels": cancels.map { .string($0.name) } ?? .null,
      "divisor": LineEvaluator.divisors[self].map { .string($0.name) } ?? .null,
      "section": .string(section),
    ]
  }
}

extension TensorRow.Terms {
  /// What is added up: null, `[dimension, how many besides]` or `"occurrences"`.
  fileprivate var json: JSONValue {
    switch self {
    case .few: .null
    case .sum(let dimension, let others): [.string("\(dimension)"), .integer(others)]
    case .occurrences: "occurrences"
    }
  }
}
