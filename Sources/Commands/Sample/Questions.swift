// What one may ask a model about words: `sample score`, how probable given ones are, and which
// character was expected least; `sample explain`, what may follow a beginning, beside what an
// n-gram model says; `sample evaluate`, how the model's words, and those of plain counting, compare
// with words that neither was made from.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

// MARK: - sample score

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print how probable words are, and where the model was surprised.",
    usage: """
      sample score emma olivia
      sample score - < words.txt           the words of a list
      sample score --format tsv - < words.txt
      """,
    discussion: """
      Probabilities are those of the model over all possible words, before any constraint of \
      'sample'; --network-only leaves the counts out. A word with a character that is not in the list \
      has no probability; it is marked, the others are scored, and the exit status is 65. \
      A word that begins with a hyphen stands after '--', as in 'score -- -bo'. \
      \(WordFormat.tabRule)
      """
  ).asCalled

  @Argument(
    help: ArgumentHelp("Words, or - for a list of them on standard input.", valueName: "word"))
  var words: [String]
  @OptionGroup(title: "Model") var source: ModelOptions
  @OptionGroup var output: WordFormat

  func run() throws {
    let model = try source.open()
    let scorer = try WordScorer(model.predictor, source.chain)
    let given = words + WordArguments.others
    let words =
      given == ["-"] ? Array(try WordListSource("-", for: "sample score").read()) : given
    model.announce()
    var table = Table(
      ["word", "log-probability", "per character", "least expected"], leftAligned: [0, 3])
    var unknown: [(word: String, error: VocabularyError)] = []
    var objects: [JSONValue] = []
    for word in words {
      let score = ScoredWord(word, scorer, model.vocabulary)
      if let error = score.error { unknown.append((word, error)) }
      switch output.format {
      case .text where output.json: objects.append(score.json)
      case .text: table.add(score.cells)
      case .tsv: try StandardOutput.shared.writeLine(score.tsv)
      case .jsonl: try StandardOutput.shared.writeLine(score.json.encoded())
      }
    }
    if output.json {
      let object: JSONValue = ["model": .string(model.path), "words": .array(objects)]
      try StandardOutput.shared.writeLine(object.encoded())
    } else if output.format == .text {
      try StandardOutput.shared.write(table.text)
    }
    guard let first = unknown.first else { return }
    let others =
      words.count == 1
      ? ""
      : " (\(Format.count(unknown.count)) of \(Format.counted(words.count, "word")) cannot be scored)"
    throw CommandFailure(
      .badData, "\(first.word): \(first.error)\(others)",
      advice: first.error.alternative(in: model.vocabulary))
  }
}

extension VocabularyError {
  /// What the list has instead of an unknown character, as a sentence.
  func alternative(in vocabulary: Vocabulary) -> String? {
    guard case .unknownSymbol(let symbol) = self else { return nil }
    return vocabulary.alternative(to: symbol).map { "Instead, \($0)." }
  }
}

/// A word with the logarithm of the probability of each of its characters and of its end.
private struct ScoredWord {
  let word: String
  private let vocabulary: Vocabulary
  private let ids: [Int32]
  private let score: WordScore?
  /// Why there is no score.
  let error: VocabularyError?

  init(_ word: String, _ scorer: WordScorer, _ vocabulary: Vocabulary) {
    self.word = word
    self.vocabulary = vocabulary
    do throws(VocabularyError) {
      ids = try vocabulary.encode(word)
      score = WordScore(ids, scorer)
      error = nil
    } catch {
      ids = []
      score = nil
      self.error = error
    }
  }

  private func id(_ index: Int) -> Int32 {
    index < ids.count ? ids[index] : Vocabulary.terminator
  }

  /// The character that the model expected least, and what stood before it.
  private func leastExpected(_ score: WordScore) -> String {
    let (index, probability) = score.leastExpected
    let before = vocabulary.display([Vocabulary.terminator] + ids[..<index])
    let percent = Format.significant(100 * probability)
    return "\(vocabulary.visible(id(index))) after \(before) (\(percent) %)"
  }

  var cells: [String] {
    guard let score else { return [word, "", "", "unknown: \(unknown)"] }
    return [
      word, Format.fixed(score.sum, decimals: 3), Format.fixed(score.mean, decimals: 3),
      leastExpected(score),
    ]
  }

  /// The character that the model does not know.
  private var unknown: String {
    guard case .unknownSymbol(let symbol) = error else { return "" }
    return symbol.visible
  }

  /// The word and two numbers, which are missing if there is no score.
  var tsv: String {
    let word = WordFormat.tabSeparated(word)
    return score.map { "\(word)\t\($0.sum)\t\($0.mean)" } ?? "\(word)\t\t"
  }

  var json: JSONValue {
    guard let score else {
      return [
        "word": .string(word), "log_probability": .null, "log_probability_per_character": .null,
        "unknown": .string(unknown),
      ]
    }
    let characters = score.logProbabilities.indices.map { index -> JSONValue in
      [
        "character": .string(vocabulary.display([id(index)])),
        "log_probability": .number(score.logProbabilities[index]),
      ]
    }
    return [
      "word": .string(word), "log_probability": .number(score.sum),
      "log_probability_per_character": .number(score.mean), "characters": .array(characters),
    ]
  }
}

// MARK: - sample explain

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the distribution of the next character, beside the n-gram's.",
    usage: """
      sample explain em
      sample explain ''                    the first character
      sample explain em --top 27 --temperature 0.7
      """
  ).asCalled

  @Argument(help: ArgumentHelp("The beginning of a word.", valueName: "text")) var prefix: String
  @OptionGroup(title: "Model") var source: ModelOptions
  @Option(
    help: ArgumentHelp("Characters shown, the likeliest first.", valueName: "n"), in: 1...10_000)
  var top = 12
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let opened = try source.open()
    let (checkpoint, predictor, vocabulary) = (
      opened.checkpoint, opened.predictor, opened.vocabulary
    )
    let ids = try ids(in: vocabulary)
    let model = try WordScorer(checkpoint.model, source.chain).distribution(after: ids)
    let ngram = try predictor.counting?.ngram ?? counted(checkpoint, opened.path)
    let counted = ngram?.distribution(after: ids)
    let mixed = try predictor.counting.map { _ in
      try WordScorer(predictor, source.chain).distribution(after: ids)
    }
    opened.announce()
    let leading = mixed ?? model
    let order = leading.indices.sorted { (leading[$1], $0) < (leading[$0], $1) }
    if json {
      let characters = order.map { id -> JSONValue in
        [
          "character": .string(vocabulary.display([Int32(id)])), "network": .number(model[id]),
          "ngram": counted.map { .number($0[id]) } ?? .null,
          "mixture": mixed.map { .number($0[id]) } ?? .null,
        ]
      }
      let object: JSONValue = [
        "model": .string(opened.path), "prefix": .string(prefix),
        "ngram_order": ngram.map { .integer($0.order) } ?? .null, "characters": .array(characters),
      ]
      return try StandardOutput.shared.writeLine(object.encoded())
    }
    var columns = [(name: "network", probabilities: model)]
    if let ngram, let counted { columns.append(("\(ngram.order)-gram", counted)) }
    if let mixed { columns.insert(("mixture", mixed), at: 0) }
    try StandardOutput.shared.write(table(of: order.prefix(top), columns, vocabulary))
  }

  private func ids(in vocabulary: Vocabulary) throws(ValidationError) -> [Int32] {
    do throws(VocabularyError) {
      return try vocabulary.encode(prefix)
    } catch {
      let hint = error.alternative(in: vocabulary).map { ". " + $0 } ?? ""
      throw ValidationError("\(prefix): \(error)\(hint)")
    }
  }

  /// The probabilities of some ids, a column of numbers and bars for each distribution.
  private func table(
    of ids: ArraySlice<Int>, _ columns: [(name: String, probabilities: [Double])],
    _ vocabulary: Vocabulary
  ) -> String {
    // All of them fit a screen of 80 columns.
    let width = columns.count > 2 ? 12 : 24
    var table = Table(
      ["next"] + columns.flatMap { [$0.name, ""] },
      leftAligned: Set([0] + columns.indices.map { 2 * $0 + 2 }))
    let longest = columns.compactMap { $0.probabilities.max() }.max() ?? 1
    for id in ids {
      table.add(
        [vocabulary.visible(Int32(id))]
          + columns.map { $0.probabilities[id] }.flatMap {
            [Format.percent($0, decimals: 2), bar($0 / longest, width)]
          })
    }
    return table.text
  }

  /// The n-gram model of the training words that sees the same context, as far as counting reaches;
  /// nil if there are no words and the network alone is asked for.
  private func counted(
    _ checkpoint: Checkpoint, _ path: String
  ) throws(CommandFailure) -> NGramModel? {
    if source.networkOnly, !checkpoint.words.isComplete { return nil }
    let dataset = try checkpoint.trainingData(path)
    let order = min(checkpoint.model.shape.blockSize + 1, Baseline.orders.upperBound)
    return NGramModel(of: dataset.train, order: order, discounting: .estimated)
  }

  /// A bar of up to `width` columns, in eighths of one; empty for NaN.
  private func bar(_ share: Double, _ width: Int) -> String {
    guard share.isFinite else { return "" }
    let eighths = Int((share * Double(width) * 8).rounded())
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}

extension Vocabulary {
  /// A character that stands alone, as people see it: the end by its sign, an invisible one by its
  /// code point.
  fileprivate func visible(_ id: Int32) -> String {
    id == Self.terminator ? display([id]) : symbols[Int(id) - 1].visible
  }
}

// MARK: - sample evaluate

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Compare the model's words, and an n-gram's, with held-out words.",
    usage: """
      sample evaluate
      sample evaluate --count 100000 --temperature 0.8
      """
  ).asCalled

  @Option(
    name: [.customShort("n"), .long], help: ArgumentHelp("Number of words.", valueName: "n"),
    in: 1...10_000_000)
  var count = 10_000
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The same seed gives the same words.", valueName: "n"), in: 0...UInt64.max)
  var seed: UInt64 = Recipe().samplingSeed
  @OptionGroup(title: "Model") var source: ModelOptions
  @Option(
    help: ArgumentHelp("New words shown with the nearest training word.", valueName: "n"),
    in: 0...1000)
  var nearest = 10
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let opened = try source.open()
    let (checkpoint, predictor) = (opened.checkpoint, opened.predictor)
    let dataset = try checkpoint.trainingData(opened.path)
    let list = dataset.words
    // Two samples, each word an array, and counts of their pairs.
    try Host.require(
      2 * 160 * count, for: "two samples of \(Format.count(count)) words",
      advice: "Ask for fewer words (--count).")
    opened.announce()
    let progress = ProgressDisplay(isQuiet: false)
    let rival = Baseline(dataset).best
    let counting = Predictor(ngramOnly: rival, dataset, vocabularyOf: checkpoint.model)
    let report = SampleReport(
      try draw(from: predictor, list, "sampled", progress),
      counted: try draw(from: counting, list, "of counting", progress), dataset,
      neighbourCount: nearest)
    progress.finish()
    let comparison = ComparisonWithCounting(
      report: report, rival: rival, loss: predictor.loss(over: dataset.measured.validation))
    try StandardOutput.shared.write(
      comparison.text, orJSON: comparison.json(opened.path), if: json)
  }

  private func draw(
    from predictor: Predictor, _ list: WordList, _ kind: String, _ progress: ProgressDisplay
  ) throws -> [[Int32]] {
    var request = Sampler.Request(seed: seed)
    request.chain = source.chain
    request.constraints.beginAndEnd(like: list)
    var sampler = try Sampler(predictor, request)
    var words: [[Int32]] = []
    var word = DrawnWord()
    while words.count < count {
      progress.report("\(Format.count(words.count)) of \(Format.count(count)) words \(kind)")
      if try sampler.proceed(into: &word) { words.append(word.ids) }
    }
    return words
  }
}

/// The report, with the losses of both models.
private struct ComparisonWithCounting {
  let report: SampleReport
  /// The best n-gram model.
  let rival: Baseline.Entry
  /// The model's loss on validation words.
  let loss: Double

  private var columns: [(name: String, words: SampleReport.Words)] {
    [
      ("sampled", report.sampled), ("counting", report.counted), ("training", report.training),
      ("held out", report.heldOut),
    ]
  }

  var text: String {
    var table = Table([""] + columns.map(\.name))
    func row(_ title: String, _ value: (SampleReport.Words) -> String) {
      table.add([title] + columns.map { value($0.words) })
    }
    row("words") { Format.count($0.statistics.count) }
    row("not among the training words") { Format.percent($0.novel) }
    row("distinct") { Format.percent($0.distinct) }
    row("mean length") { Format.fixed($0.statistics.lengths.mean, decimals: 2) }
    row("lengths, bits from held out") { Format.fixed($0.lengthDivergence, decimals: 5) }
    row("bigrams, bits from held out") { Format.fixed($0.bigramDivergence, decimals: 5) }
    table.add(
      ["loss on validation words"]
        + [loss, rival.losses.validation].map { Format.fixed($0, decimals: 4) } + ["", ""])
    let width = StandardOutput.shared.columns
    let text = table.text + Format.paragraph(verdict, columns: width)
    guard !report.neighbours.isEmpty else { return text }
    var pairs = Table(["new word", "nearest training word", "changes"], leftAligned: [0, 1])
    for pair in report.neighbours { pairs.add([pair.word, pair.nearest, "\(pair.distance)"]) }
    return text + "\n" + pairs.text
  }

  /// Which of the two is better at what.
  private var verdict: String {
    let lead = rival.losses.validation - loss
    let words = report.sampled
    func place(_ found: Double, _ other: Double) -> String {
      // A tenth more or less is chance.
      if abs(found - other) <= 0.1 * max(found, other) { return "as close to" }
      return found < other ? "closer to" : "farther from"
    }
    let lengths = place(words.lengthDivergence, report.counted.lengthDivergence)
    let bigrams = place(words.bigramDivergence, report.counted.bigramDivergence)
    return """
      The model's validation loss is \(Format.fixed(abs(lead), decimals: 4)) \
      \(lead >= 0 ? "lower" : "higher") than that of the best n-gram model, a \(rival.order)-gram. \
      Compared with the \(rival.order)-gram's words, the model's are \(lengths) held-out words in \
      length, and \(bigrams) them in pairs of characters.
      """
  }

  func json(_ path: String) -> JSONValue {
    let parts = columns.map { name, words -> (key: String, value: JSONValue) in
      let value: JSONValue = [
        "words": .integer(words.statistics.count), "novel": .number(words.novel),
        "distinct": .number(words.distinct),
        "mean_length": .number(words.statistics.lengths.mean),
        "length_divergence": .number(words.lengthDivergence),
        "bigram_divergence": .number(words.bigramDivergence),
      ]
      return (key: name == "held out" ? "held_out" : name, value: value)
    }
    let pairs = report.neighbours.map { pair -> JSONValue in
      [
        "word": .string(pair.word), "nearest": .string(pair.nearest),
        "distance": .integer(pair.distance),
      ]
    }
    let losses: JSONValue = ["model": .number(loss), "counting": .number(rival.losses.validation)]
    return .object(
      [(key: "model", value: .string(path))] + parts + [
        (key: "ngram_order", value: .integer(rival.order)),
        (key: "validation_loss", value: losses), (key: "nearest", value: .array(pairs)),
      ])
  }
}
