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
      sample score - < words.txt
      sample score --format tsv - < words.txt
      """)

  @OptionGroup var source: ModelOptions
  @OptionGroup var chain: ChainFlags
  @Option(
    help: ArgumentHelp(
      "text: a table; tsv: word, log-probability, the same per character; json: an object a line."))
  var format = WordFormat.Form.text
  @Argument(help: "Words, or - for a list of them on standard input.") var words: [String]

  func run() throws {
    let source = try ModelSource(source.model)
    let model = try source.read()
    let scorer = WordScorer(model, chain.options)
    let words = words == ["-"] ? Array(try WordListSource("-", for: "sample score").read()) : words
    var table = Table(
      ["word", "log-probability", "per character", "least expected"], leftAligned: [0, 3])
    for word in words {
      let score = try score(word, scorer, model.vocabulary)
      switch format {
      case .text: table.add(score.cells)
      case .tsv: try StandardOutput.shared.writeLine(score.line)
      case .json: try StandardOutput.shared.writeLine(score.json.encoded())
      }
    }
    if format == .text { try StandardOutput.shared.write(table.text) }
  }

  private func score(
    _ word: String, _ scorer: WordScorer, _ vocabulary: Vocabulary
  ) throws -> ScoredWord {
    do throws(VocabularyError) {
      let ids = try vocabulary.encode(word)
      return ScoredWord(word: word, ids: ids, score: WordScore(ids, scorer), vocabulary: vocabulary)
    } catch {
      throw CommandFailure(.badData, "\(word): \(error)")
    }
  }
}

/// A word with the logarithm of the probability of each of its characters and of its end.
private struct ScoredWord {
  let word: String
  let ids: [Int32]
  let score: WordScore
  let vocabulary: Vocabulary

  /// A character as people read it, the end by its sign.
  private func character(_ index: Int) -> String {
    vocabulary.display([index < ids.count ? ids[index] : Vocabulary.terminator])
  }

  /// The character that the model expected least, and what stood before it.
  private var leastExpected: String {
    let (index, probability) = score.leastExpected
    let before = vocabulary.display([Vocabulary.terminator] + ids[..<index])
    let percent = Format.significant(100 * probability)
    return "\(character(index)) after \(before) (\(percent) %)"
  }

  var cells: [String] {
    [
      word, Format.fixed(score.sum, decimals: 3), Format.fixed(score.mean, decimals: 3),
      leastExpected,
    ]
  }

  var line: String { "\(word)\t\(score.sum)\t\(score.mean)" }

  var json: JSONValue {
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
