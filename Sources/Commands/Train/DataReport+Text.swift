// The data report as text and as JSON: a few lines before a run, or everything for `--describe`.
//
// What it says is computed in DataReport; this only formats it.

import CharMLP
import CommandSupport
import OrderedJSON

extension DataReport {
  /// The lines above a run: words, symbols, lengths, windows, and words that parts of the split
  /// share.
  func summary(of name: String) -> [String] {
    sentences(of: name).flatMap { Format.wrapped($0) }
  }

  private func sentences(of name: String) -> [String] {
    let name = name.singleLine()
    let distinct =
      duplicates == 0 ? "all distinct" : "\(Format.count(distinctWords)) distinct"
    let removed =
      duplicatesRemoved == 0 ? "" : " (\(Format.counted(duplicatesRemoved, "duplicate")) removed)"
    var lines: [String] = []
    var subject = "\(name): \(Format.counted(words, "word"))\(removed)"
    if let sampleOf {
      lines = [
        "\(name): \(Format.counted(sampleOf, "word")), \(Format.count(trainingWindows)) windows train"
      ]
      subject = "a sample: \(Format.counted(words, "word"))"
    }
    lines += [
      """
      \(subject), \(distinct); \(Format.counted(symbols.count, "symbol")); \
      \(lengths.range), median \(lengths.median)
      """,
      """
      \(Format.count(train.windows)) windows train (\(Format.count(train.distinctContexts)) distinct), \
      \(Format.count(validation.windows)) validate, \(Format.count(test.windows)) test
      """,
    ]
    if validation.wordsInTraining + test.wordsInTraining > 0 {
      lines.append(
        """
        also in training: \(validation.overlap) validation words, \(test.overlap) test words
        """)
    }
    return lines
  }

  /// The whole report on a list.
  func text(of source: WordLists) -> String {
    let intro = sentences(of: source.name).prefix(sampleOf == nil ? 1 : 2).map(Self.paragraph)
    let warnings = warnings.map { warning in
      Self.paragraph("warning: \(warning.text)")
        + (warning.line(for: source).map { "  try:  \($0)\n" } ?? "")
    }
    return [intro.joined(), wordTable, alphabet, lengths.text, warnings.joined()]
      .filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Text in lines that fit the terminal.
  private static func paragraph(_ text: String) -> String {
    Format.paragraph(text, columns: StandardOutput.shared.columns)
  }

  private var wordTable: String {
    var text = """
      words       \(Format.count(words))
      distinct    \(Format.count(distinctWords))
      duplicates  \(Format.share(duplicates, of: words))

      """
    var table = Table(["part", "words", "also in training", "windows", "distinct contexts"])
    for (name, part) in [("train", train), ("validation", validation), ("test", test)] {
      table.add([
        name, Format.count(part.words), name == "train" ? "" : part.overlap,
        Format.count(part.windows), Format.count(part.distinctContexts),
      ])
    }
    text += "\n" + table.text
    return text
  }
}

// MARK: Alphabet

extension DataReport {
  /// At most this many symbols are listed.
  private static let listedSymbols = 40

  private var alphabet: String {
    var text = "alphabet: \(Format.counted(symbols.count, "symbol"))\n"
    var table = Table(["symbol", "count", "share"])
    let characters = symbols.reduce(0) { $0 + $1.count }
    for symbol in symbols.prefix(Self.listedSymbols) {
      table.add([
        symbol.scalar.visible, Format.count(symbol.count),
        Format.percent(symbol.count, of: characters),
      ])
    }
    text += table.text
    if symbols.count > Self.listedSymbols {
      text += "… and \(Format.count(symbols.count - Self.listedSymbols)) more\n"
    }
    return text + list(rareSymbols, "rare (fewer than 10 times)")
      + list(symbols.filter { $0.trainingCount == 0 }, "never in training words")
  }

  /// The rare symbols, the rarest last.
  var rareSymbols: [Symbol] { symbols.filter(\.isRare) }

  private func list(_ symbols: [Symbol], _ title: String) -> String {
    guard !symbols.isEmpty else { return "\(title): none\n" }
    let shown = symbols.suffix(Self.listedSymbols).map(\.scalar.visible).joined(separator: " ")
    let others = symbols.count > Self.listedSymbols ? ", the rarest: " : ": "
    return "\(title): \(Format.count(symbols.count))\(others)\(shown)\n"
  }
}

extension DataWarning {
  /// The shell command that trains on the list without what the warning is about.
  func line(for source: WordLists) -> String? { remedy.flatMap { source.line(after: $0) } }
}

extension DataReport.Part {
  /// How many words are also in training: 416 (13.0 %).
  var overlap: String { Format.share(wordsInTraining, of: words) }
}

// MARK: Lengths

extension LengthDistribution {
  /// From the shortest to the longest: 2 to 15 characters.
  var range: String {
    let range = shortest == longest ? "\(shortest)" : "\(shortest) to \(Format.count(longest))"
    return range + (longest == 1 ? " character" : " characters")
  }

  private static let lines = 25
  private static let longestBar = 40

  /// A line for each length that occurs, or for each range of lengths if there are many.
  var text: String {
    let width = (longest - shortest) / Self.lines + 1
    let bins = stride(from: shortest, through: longest, by: width).map { start in
      let lengths = start...min(start + width - 1, longest)
      return (lengths: lengths, words: counts[lengths].reduce(0, +))
    }
    let most = bins.map(\.words).max() ?? 1
    var table = Table(["length", "words", ""], leftAligned: [2])
    for (lengths, words) in bins where words > 0 {
      let (first, last) = (lengths.lowerBound, lengths.upperBound)
      // Rounded up, so that every length that occurs shows.
      let bar = String(repeating: "▪", count: (words * Self.longestBar + most - 1) / most)
      table.add([first == last ? "\(last)" : "\(first)–\(last)", Format.count(words), bar])
    }
    return """
      lengths: \(range), median \(median), mean \(Format.fixed(mean, decimals: 1))
      \(table.text)
      """
  }
}

// MARK: JSON

extension DataReport {
  /// The whole report, with stable keys.
  func json(of source: WordLists) -> JSONValue {
    [
      "data": .string(source.name),
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
        warnings.map { warning in
          var object: [(key: String, value: JSONValue)] = [
            ("kind", .string(warning.kind)), ("message", .string(warning.text)),
          ]
          if let line = warning.line(for: source) { object.append(("command", .string(line))) }
          return .object(object)
        }),
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
