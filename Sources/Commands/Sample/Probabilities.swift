// What a model says of given words: `sample score`, how probable they are and which character it
// expected least; `sample explain`, what may follow a beginning, beside what an n-gram model says.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

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
  @OptionGroup(title: "Model") var chain: ChainFlags
  @OptionGroup var output: WordFormat

  func run() throws {
    let model = try source.open()
    let scorer = try WordScorer(model.predictor, chain.options)
    let given = words + WordArguments.others
    let words =
      given == ["-"] ? Array(try WordListSource("-", for: "sample score").read()) : given
    model.announce()
    var table = Table(
      ["word", "log-probability", "per character", "least expected"], leftAligned: [0, 3])
    var unknown = UnknownWords()
    var objects: [JSONValue] = []
    for word in words {
      let score = ScoredWord(word, scorer, model.vocabulary)
      if let error = score.error { unknown.add(word, error) }
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
    try unknown.report(of: words.count, model.vocabulary)
  }
}

/// Words with a character that the model does not know.
private struct UnknownWords {
  private var count = 0
  private var first: (word: String, error: VocabularyError)?

  mutating func add(_ word: String, _ error: VocabularyError) {
    count += 1
    if first == nil { first = (word, error) }
  }

  /// - Throws: `CommandFailure` (65) if there are any, once all others are scored.
  func report(of all: Int, _ vocabulary: Vocabulary) throws(CommandFailure) {
    guard let first else { return }
    let others =
      all == 1
      ? "" : " (\(Format.count(count)) of \(Format.counted(all, "word")) cannot be scored)"
    throw CommandFailure(
      .badData, "\(first.word): \(first.error)\(others)",
      advice: first.error.alternative(in: vocabulary))
  }
}

extension VocabularyError {
  /// What the list has instead of an unknown character, as a sentence.
  func alternative(in vocabulary: Vocabulary) -> String? {
    guard case .unknownSymbol(let symbol) = self else { return nil }
    return vocabulary.alternative(to: symbol).map { "Instead of it, \($0)." }
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
  @OptionGroup(title: "Model") var chain: ChainFlags
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
    let model = try WordScorer(checkpoint.model, chain.options).distribution(after: ids)
    let ngram = try predictor.counting?.ngram ?? counted(checkpoint, opened.path)
    let counted = ngram?.distribution(after: ids)
    let mixed = try predictor.counting.map { _ in
      try WordScorer(predictor, chain.options).distribution(after: ids)
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

  /// A bar of up to `width` columns, in eighths of one; none for what is not a number.
  private func bar(_ share: Double, _ width: Int) -> String {
    guard share.isFinite else { return "" }
    let eighths = Int((share * Double(width) * 8).rounded())
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}

extension Vocabulary {
  /// A character that stands alone, as people see it: the end by its sign, what does not show by
  /// its number.
  fileprivate func visible(_ id: Int32) -> String {
    id == Self.terminator ? display([id]) : symbols[Int(id) - 1].visible
  }
}
