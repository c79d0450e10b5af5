// Words on their way to stdout, in constant memory, as they are found.
//
// Pieces of text come from whoever draws them. If that takes longer than two seconds, a terminal shows how
// far it is.

import CharMLP
import CommandSupport

/// Writes words in one of the forms.
struct WordOutput {
  /// How a word is written.
  let spelling: WordSpelling
  private let opening: String
  private let closing: String
  private let progress = ProgressDisplay(isQuiet: false)
  private let start = ContinuousClock.now
  private var lastFlush: ContinuousClock.Instant?
  private var words = 0

  init(_ form: WordFormat, _ path: String, _ vocabulary: Vocabulary) {
    spelling = form.spelling(vocabulary)
    opening = form.json ? "{\"model\":\(JSONValue.string(path).encoded()),\"words\":[" : ""
    closing = form.json ? "]}\n" : ""
  }

  /// Writes what stands before all words.
  mutating func begin() throws(CommandFailure) { try StandardOutput.shared.write(opening) }

  /// Writes words; the first ones at once, others when a tenth of a second has passed.
  mutating func take(_ piece: WordPiece) throws(CommandFailure) {
    words += piece.words
    try StandardOutput.shared.write(piece.text)
    let now = ContinuousClock.now
    if words > 0, lastFlush.map({ now - $0 > .milliseconds(100) }) ?? true {
      try StandardOutput.shared.flush()
      lastFlush = now
    }
    if now - start > .seconds(2) { progress.update("\(Format.count(words)) words") }
  }

  /// Writes what stands after all words, what there is of them also if the search for one failed.
  ///
  /// - Throws: `CommandFailure`: 69 if there are fewer words than `count`.
  mutating func end(_ count: Int, _ failure: SamplingError?) throws(CommandFailure) {
    try StandardOutput.shared.write(closing)
    progress.finish()
    if let failure {
      throw CommandFailure(
        .unavailable, "\(Format.count(words)) of \(Format.count(count)) words: \(failure)",
        advice: "Ask for fewer words, or for words that the model makes more often.")
    }
  }
}

extension WordFormat {
  /// How a word is written in this form.
  fileprivate func spelling(_ vocabulary: Vocabulary) -> WordSpelling {
    if json {
      return { word, number, text in
        if number > 0 { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: JSONValue.string(vocabulary.decode(word.ids)).encoded().utf8)
      }
    }
    switch format {
    case .text:
      return { word, _, text in
        vocabulary.append(word.ids, to: &text)
        text.append(UInt8(ascii: "\n"))
      }
    case .tsv:
      return { word, _, text in
        vocabulary.append(word.ids, to: &text)
        text.append(contentsOf: "\t\(word.logProbability)\n".utf8)
      }
    case .json:
      return { word, _, text in
        let object: JSONValue = [
          "word": .string(vocabulary.decode(word.ids)),
          "log_probability": .number(word.logProbability),
        ]
        text.append(contentsOf: "\(object.encoded())\n".utf8)
      }
    }
  }
}
