// What a page shows of the network: its embedding as a map, its health, its gradients; and the
// network itself, for the live generator.

import CharMLP
import CommandSupport
import FoundationEssentials
import LinearAlgebra
import OrderedJSON
import Posix

extension ReportPage {
  /// More symbols than this would cover each other; the most frequent are shown.
  private static let shownSymbols = 150

  var embedding: Markup {
    guard let axes = measurements.axes else {
      return .note("The embedding has values that are not finite: there is no map.")
    }
    let kinds = shownIDs.map(kind)
    let hasVowels = kinds.contains(.vowel)
    let rest = "\(hasVowels ? "others" : "symbols"), and the end of a word (\(symbol(0)))"
    let legend: [Figures.Entry] =
      hasVowels
      ? [("12", "vowels, including y"), ("11", "consonants"), ("15", rest)] : [("15", rest)]
    return figures.figure(
      map(axes), legend: legend, isDiscs: true,
      caption: """
        Each symbol's row of C, projected on the two directions in which the rows vary most: the first \
        explains \(Format.percent(axes.explained(by: 0), decimals: 0)) of the variance, the second \
        \(Format.percent(axes.explained(by: 1), decimals: 0)). Symbols that are followed by the same characters end up close together.\(
          omission)
        """)
  }

  private var shownIDs: [Int] {
    let vocabulary = run.checkpoint.model.vocabulary
    guard vocabulary.count > Self.shownSymbols, let data = measurements.data else {
      return Array((0..<vocabulary.count).prefix(Self.shownSymbols))
    }
    return [0]
      + data.symbols.prefix(Self.shownSymbols - 1).compactMap { symbol in
        vocabulary.id(of: symbol.scalar).map(Int.init)
      }
  }

  private var omission: String {
    let count = run.checkpoint.model.vocabulary.count
    return count > Self.shownSymbols
      ? " Of \(Format.count(count)) symbols the \(Self.shownSymbols) most frequent are shown." : ""
  }

  private func map(_ axes: PrincipalAxes) -> Chart {
    let ids = shownIDs
    func file(_ name: String, _ wanted: LetterKind) -> Chart.DataFile {
      let rows = ids.enumerated().filter { kind($0.element) == wanted }.map { label, id in
        [
          Chart.Cell.number(coordinate(axes, id, 0)), .number(coordinate(axes, id, 1)),
          .label(label),
        ]
      }
      return .init(name: name, rows: rows)
    }
    return Chart(
      kind: .embedding,
      description: "The symbols on the first two principal axes of the embedding.",
      files: [file("vowels", .vowel), file("consonants", .consonant), file("others", .other)],
      labels: ids.map(symbol))
  }

  private func coordinate(_ axes: PrincipalAxes, _ id: Int, _ axis: Int) -> Double {
    axis < axes.coordinates.columns ? Double(axes.coordinates[id, axis]) : 0
  }

  private func kind(_ id: Int) -> LetterKind {
    run.checkpoint.model.vocabulary.symbol(of: Int32(id)).map { LetterKind($0) } ?? .other
  }

  /// A symbol as it shows alone, in few columns: marks on a dotted circle, blanks and joiners by
  /// short names; the end of a word by the lecture's full stop, or by name where that is a symbol,
  /// since fonts lack the sign for it.
  func symbol(_ id: Int) -> String {
    let vocabulary = run.checkpoint.model.vocabulary
    guard let symbol = vocabulary.symbol(of: Int32(id)) else {
      return vocabulary.terminatorSign == "." ? "." : "end"
    }
    switch symbol.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return "\u{25CC}\(symbol)"
    default: return Self.shortNames[symbol] ?? symbol.visible
    }
  }

  private static let shortNames: [Unicode.Scalar: String] = [
    "\t": "tab", " ": "sp", "\u{A0}": "nb", "\u{AD}": "shy", "\u{200B}": "zw", "\u{200C}": "nj",
    "\u{200D}": "zj", "\u{200E}": "lr", "\u{200F}": "rl", "\u{202F}": "nn", "\u{3000}": "id",
  ]

  // MARK: - Health: activations, gradients, updates. A sentence each on what is normal

  var health: Markup {
    guard let found = measurements.diagnostics else { return withoutPass }
    let figures = [activations(found), saturation, gradients(found), updates]
    return .paragraph(
      """
      \(Format.percent(found.saturatedShare)) of the tanh activations of one \
      minibatch are saturated (beyond ±0.97), and \(Format.count(found.deadUnits)) of \
      \(Format.counted(found.units, "unit")) are dead: saturated for every window, so that no \
      gradient passes.
      """) + .element("div", ["class": "pair"], figures) + table(found)
  }

  /// What is shown in place of what needs a pass over a minibatch.
  private var withoutPass: Markup {
    run.dataset == nil
      ? Self.withoutWords : .note("The network is too wide for a pass over a minibatch here.")
  }

  private func activations(_ found: Diagnostics) -> Markup {
    let histogram = found.activations
    func file(_ name: String, _ isSaturated: Bool) -> Chart.DataFile {
      let bins = histogram.counts.indices.filter {
        (abs(histogram.center(of: $0)) > Double(Diagnostics.saturation)) == isSaturated
      }
      return .init(name, bins.map { [histogram.center(of: $0), 100 * histogram.share(of: $0)] })
    }
    return figures.figure(
      Chart(
        kind: .activations, description: "Histogram of the tanh activations.",
        files: [file("activations", false), file("saturated", true)]),
      legend: [("11", "tanh activations"), ("12", "beyond ±0.97: saturated")],
      caption: """
        Normal is a broad middle with low ends; towers at ±1 pass hardly any gradient, and a lone peak \
        at 0 is a layer that might as well be linear.
        """)
  }

  private var saturation: Markup {
    let lines = run.shownMetrics.filter { $0.saturated != nil || $0.deadUnits != nil }
    guard !lines.isEmpty, let units = measurements.diagnostics?.units else { return .empty }
    let chart = Chart.overSteps(
      .saturation, "Saturated activations and dead units over steps.", file: "saturation", lines
    ) { line in
      [line.saturated.map { 100 * $0 }, line.deadUnits.map { 100 * $0 / Double(units) }]
    }
    return figures.figure(
      chart, legend: [("12", "saturated activations"), ("13", "dead units")],
      caption: "Normal is a share that rises slowly with the weights, and no dead unit."
    )
  }

  private func gradients(_ found: Diagnostics) -> Markup {
    let shown = found.gradients.filter { $0.name != "b1" }
    let bins = shown.first?.magnitudes.counts.indices ?? 0..<0
    let rows = bins.map { bin in
      [shown[0].magnitudes.center(of: bin)] + shown.map { 100 * $0.magnitudes.share(of: bin) }
    }
    return figures.figure(
      Chart(
        kind: .gradients, description: "Histograms of the gradients' magnitudes, by tensor.",
        files: [.init("gradients", rows)]),
      legend: shown.enumerated().map { ("\(17 + $0.offset)", $0.element.name) },
      caption: """
        Normal: overlapping humps of similar width, so that one learning rate suits all tensors. b1 is \
        left out: batch norm takes it away again, and its gradient is rounding.
        """)
  }

  private var updates: Markup {
    let lines = run.shownMetrics.filter { !$0.updateRatio.isEmpty }
    guard !lines.isEmpty else { return .empty }
    let names = ["C", "W1", "W2"]
    let chart = Chart.overSteps(
      .updates, "Update-to-data ratio over steps, by tensor.", file: "updates", lines
    ) { line in names.map { line.updateRatio[$0] ?? nil } }
    return figures.figure(
      chart, legend: names.enumerated().map { ("\(17 + $0.offset)", $0.element) },
      caption: """
        Normal is about −3: a step changes a thousandth of a tensor. Far above, training is restless; \
        far below, it is slow, as it should be once the rate has fallen.
        """)
  }

  private func table(_ found: Diagnostics) -> Markup {
    .table(
      ["gradient of", "elements", "std", "std to data", "zeros"],
      found.gradients.map { row in
        [
          Markup(row.name), Markup(Format.count(row.count)),
          Markup(Format.scientific(row.deviation)),
          Markup(row.ratio.map(Format.scientific) ?? "–"), Markup(Format.count(row.zeros)),
        ]
      })
  }

  // MARK: - The gradient check of this very network, in a table

  var gradients: Markup {
    guard let report = measurements.gradients, let minibatch = measurements.minibatch else {
      return .note(
        "Not made: the network is too large, or its words are not stored."
      )
    }
    let counts = report.counts.map { "\($0.count) \($0.verdict.rawValue)" }
    let rows = report.comparisons.map(row)
    let table = Markup.table(
      ["gradient of, or value", "against", "checked", "max abs", "max rel", "verdict"], rows,
      words: [0, 1, 5],
      class: "small")
    return .paragraph(
      """
      Every gradient that was derived by hand, at this network's parameters and \
      \(min(minibatch.count, 32)) windows, in float64: against central differences of the loss, against \
      its form in one go, and against the engine that trains. \(report.comparisons.count) comparisons: \
      \(counts.joined(separator: ", ")).
      """)
      + .element(
        "details", ["open": ""],
        [.element("summary", "The table, \(report.comparisons.count) rows"), table])
  }

  private func row(_ row: Comparison) -> [Markup] {
    let checked =
      switch row.coverage {
      case .allElements: "all"
      case .sample(let elements, let directions): "\(elements) + \(directions) directions"
      }
    return [
      .element("span", ["class": "mono"], row.name), Markup(row.against.rawValue), Markup(checked),
      Markup(Format.scientific(row.maxAbs)), Markup(Format.scientific(row.maxRel)),
      .element("span", ["class": row.verdict.rawValue], row.verdict.rawValue),
    ]
  }

  // MARK: - dlogits of one minibatch as an image, as the lecture shows it

  private static let shownWindows = 32
  /// Symbols are named above their columns as long as there is room.
  private static let namedColumns = 40
  private static let shownColumns = 512

  var dlogits: Markup {
    guard let found = measurements.diagnostics, let minibatch = measurements.minibatch else {
      return withoutPass
    }
    let sums = found.dlogits.sum(.columns).elements.map { Double($0.magnitude) }
    return .paragraph(
      """
      The gradient of the loss at the logits is softmax minus one-hot, over the number of windows. \
      Each row is a window and sums to zero: one cell, the true character, is pulled up as strongly \
      as all others together are pushed down, each by as much as the network believed in it.
      """)
      + figures.figure(
        image(found.dlogits, minibatch),
        legend: [("pull", "negative: pulled up"), ("push", "positive: pushed down")],
        caption: """
          \(Format.counted(min(found.dlogits.rows, Self.shownWindows), "window")) of a minibatch. \
          Strength grows with the square root of the magnitude. A pale row was predicted well. \
          The largest sum of a row is \(Format.scientific(sums.max() ?? 0)), rounding.
          """)
  }

  private func image(_ dlogits: Matrix<Float>, _ minibatch: Minibatch) -> Chart {
    let rows = min(dlogits.rows, Self.shownWindows)
    let columns = min(dlogits.columns, Self.shownColumns)
    let contexts = (0..<rows).map { context(minibatch, $0) }
    let symbols = columns <= Self.namedColumns ? (0..<columns).map(symbol) : []
    return Chart(
      kind: .dlogits,
      description: "dlogits of a minibatch: a row for each window, a column for each symbol.",
      variables: [(name: "rows", value: Double(rows)), (name: "columns", value: Double(columns))],
      files: [
        .init("cells", cells(dlogits, rows, columns)),
        .init(name: "contexts", rows: contexts.indices.map { [.number(Double($0)), .label($0)] }),
        .init(
          name: "symbols",
          rows: symbols.indices.map { [.number(Double($0)), .label(contexts.count + $0)] }),
      ], labels: contexts + symbols)
  }

  /// x, y, red, green, blue and opacity of each cell: nothing where it is zero, so that both themes
  /// show through.
  private func cells(_ dlogits: Matrix<Float>, _ rows: Int, _ columns: Int) -> [[Double?]] {
    let largest = dlogits.elements.lazy.map(\.magnitude).max() ?? 0
    return (0..<rows).flatMap { row in
      (0..<columns).map { column in
        let value = dlogits[row, column]
        let (red, green, blue) = value < 0 ? (47, 109, 179) : (208, 112, 31)
        let share = largest > 0 ? value.magnitude / largest : 0
        // A network of huge weights has gradients that are not finite.
        let opacity = share.isFinite ? share.squareRoot() * 255 : 0
        return [column, row, red, green, blue, Int(opacity.rounded())].map { Double($0) }
      }
    }
  }

  /// A window as text: the context, and what follows it.
  private func context(_ minibatch: Minibatch, _ row: Int) -> String {
    let ids = minibatch.contexts[row * minibatch.blockSize..<(row + 1) * minibatch.blockSize]
    let shown = ids.suffix(4).map { symbol(Int($0)) }.joined()
    return shown + " → " + symbol(Int(minibatch.targets[row]))
  }
}

// MARK: - Vowels and consonants, in the alphabets that have them

/// What a symbol is on a map of letters.
enum LetterKind {
  case vowel, consonant, other

  /// The names of the vowels of the Latin, Greek and Cyrillic alphabets; y counts as one.
  private static let vowels = Set("aeiouyæœıəαεηιουωаеёиоуыэюяіїє".unicodeScalars.map(name(of:)))

  /// Letters of these three alphabets are vowels or consonants; all else is something else.
  init(_ symbol: Unicode.Scalar) {
    switch symbol.value {
    case 0x41...0x24F, 0x1E00...0x1EFF, 0x370...0x3FF, 0x1F00...0x1FFF, 0x400...0x52F:
      let lower = symbol.properties.lowercaseMapping.unicodeScalars.first ?? symbol
      let isVowel = Self.vowels.contains(Self.name(of: lower))
      self = !symbol.properties.isAlphabetic ? .other : isVowel ? .vowel : .consonant
    default: self = .other
    }
  }

  /// A letter's name in Unicode without its marks: é is a LATIN SMALL LETTER E WITH ACUTE.
  private static func name(of symbol: Unicode.Scalar) -> String {
    let name = symbol.properties.name ?? ""
    return name.firstRange(of: " WITH ").map { String(name[..<$0.lowerBound]) } ?? name
  }
}

// MARK: - The live generator's network and words
//
// As JSON, with probabilities for the script's self-check. Tensors are little-endian Float32 in
// base64, batch norm's statistics among them: the script folds nothing, so its lines read like the
// derivation. For the n-gram model that a run mixes in, there are the words, which the script
// counts, and the discounts. A list that is too long for a page is left out, and the network stands
// alone.

/// The JSON of the live generator.
struct GeneratorData {
  private let predictor: Predictor
  private let dataset: Dataset?
  private let hasWords: Bool

  /// Limits on the self-check, which should be small beside the network.
  private static let checkedNumbers = 4000
  private static let checkedContexts = 64
  /// The most bytes of words in a page.
  private static let wordBytes = 1_000_000

  init(_ predictor: Predictor, _ dataset: Dataset?) {
    hasWords = (dataset?.words.utf8.count ?? .max) <= Self.wordBytes
    self.predictor = hasWords ? predictor : Predictor(predictor.model)
    self.dataset = dataset
  }

  /// Whether the generator draws from the network together with counts.
  var isMixed: Bool { predictor.counting != nil }

  var json: JSONValue {
    let model = predictor.model
    let shape = model.shape
    let tensors =
      Parameters<Float>.ordered.map {
        (key: $0.name, value: base64(model.parameters[keyPath: $0.path]))
      }
      + [
        (key: "bnmean", value: base64(model.statistics.bnmean)),
        (key: "bnvar", value: base64(model.statistics.bnvar)),
      ]
    let contexts = contexts
    let symbols = model.vocabulary.symbols
    var constraints = WordConstraints()
    if let dataset, !dataset.isSample { constraints.beginAndEnd(like: dataset.words) }
    func ids(_ set: Set<Int32>) -> JSONValue { .array(set.sorted().map { .integer(Int($0)) }) }
    return [
      "symbols": .array(symbols.map { .string(String($0)) }),
      "shown": .array(symbols.map { .string($0.visible) }),
      "neverFirst": ids(constraints.neverFirst(model.vocabulary)),
      "neverLast": ids(constraints.neverLast(model.vocabulary)),
      "blockSize": .integer(shape.blockSize),
      "contextLength": .integer(predictor.contextLength),
      "embedding": .integer(shape.embedding),
      "hidden": .integer(shape.hidden),
      "tensors": .object(tensors),
      "counting": counting,
      "words": words,
      "checks": [
        "contexts": .string(Self.base64(contexts.map { UInt32(bitPattern: $0) })),
        "probabilities": .string(Self.base64(probabilities(contexts).map(\.bitPattern))),
      ],
    ]
  }

  private var counting: JSONValue {
    guard let counting = predictor.counting else { return .null }
    return [
      "weight": .number(counting.weight),
      "order": .integer(counting.ngram.order),
      "discounts": .array(
        counting.ngram.discounts.map { .array($0.map { .number($0) }) }),
    ]
  }

  /// The words that train, which are counted, and the others of the list, a line for each.
  private var words: JSONValue {
    guard hasWords, let dataset else { return .null }
    let (list, split) = (dataset.words, dataset.split)
    func lines(_ selection: ArraySlice<Int>) -> JSONValue {
      .string(selection.map { list[$0] }.joined(separator: "\n"))
    }
    return [
      "train": lines(split.train), "others": lines((split.validation + split.test)[...]),
    ]
  }

  /// The start of a word, and windows spread over the validation words.  (contexts · contextLength)
  private var contexts: [Int32] {
    let length = predictor.contextLength
    let count = max(
      2, min(Self.checkedContexts, Self.checkedNumbers / predictor.model.shape.vocabulary))
    let start = Array(repeating: Vocabulary.terminator, count: length)
    guard let dataset else { return start }
    let windows = ContextWindows(dataset.validation, blockSize: length)
    let spread = (1..<count).flatMap { index in
      Array(windows.context(of: index * (windows.count - 1) / count))
    }
    return start + spread
  }

  /// The distributions after contexts, each on its own.  (contexts, vocabulary)
  private func probabilities(_ contexts: [Int32]) -> [Float] {
    let scorer = WordScorer(predictor)
    let length = predictor.contextLength
    return stride(from: 0, to: contexts.count, by: length).flatMap { start in
      scorer.distribution(after: Array(contexts[start..<start + length])).map { Float($0) }
    }
  }

  private func base64(_ matrix: Matrix<Float>) -> JSONValue {
    .string(Self.base64(matrix.elements.map(\.bitPattern)))
  }

  private static func base64(_ words: [UInt32]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * words.count)
    for word in words {
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return Data(bytes).base64EncodedString()
  }
}
