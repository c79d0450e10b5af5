// `sample score`: how probable given words are, and which character the model expected least.

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
    let given = words + WordArguments.taken
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

  /// A character as people read it, the end by its sign.
  private func character(_ index: Int) -> String {
    vocabulary.display([index < ids.count ? ids[index] : Vocabulary.terminator])
  }

  /// The character that the model expected least, and what stood before it.
  private func leastExpected(_ score: WordScore) -> String {
    let (index, probability) = score.leastExpected
    let before = vocabulary.display([Vocabulary.terminator] + ids[..<index])
    let percent = Format.significant(100 * probability)
    return "\(character(index)) after \(before) (\(percent) %)"
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
        "character": .string(character(index)),
        "log_probability": .number(score.logProbabilities[index]),
      ]
    }
    return [
      "word": .string(word), "log_probability": .number(score.sum),
      "log_probability_per_character": .number(score.mean), "characters": .array(characters),
    ]
  }
}
