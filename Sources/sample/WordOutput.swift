// Words on their way to stdout, in constant memory, as they are found.
//
// Lines are collected and handed on when there are many, or when a tenth of a second has passed: a slow
// search shows every word soon. If it takes longer than two seconds, a terminal shows how far it is.

import CharMLP
import CommandSupport

/// Writes words in one of the forms.
struct WordOutput {
  private let form: WordFormat
  private let path: String
  private let vocabulary: Vocabulary
  private let progress = ProgressDisplay(isQuiet: false)
  private let start = ContinuousClock.now
  private var lines: [UInt8] = []

  init(_ form: WordFormat, _ path: String, _ vocabulary: Vocabulary) {
    self.form = form
    self.path = path
    self.vocabulary = vocabulary
  }

  /// Writes up to `count` words, what there is of them also if the search for one fails.
  ///
  /// - Throws: `CommandFailure`: 69 if there are fewer words, 74 if stdout fails.
  mutating func write(
    _ count: Int, _ next: (inout DrawnWord) throws(SamplingError) -> Void
  ) throws(CommandFailure) {
    var failure: CommandFailure?
    var word = DrawnWord()
    var lastFlush = start
    if form.json { append("{\"model\":\(JSONValue.string(path).encoded()),\"words\":[") }
    for number in 0..<count {
      do throws(SamplingError) {
        try next(&word)
      } catch {
        failure = CommandFailure(
          .unavailable, "\(Format.count(number)) of \(Format.count(count)) words: \(error)",
          advice: "Ask for fewer words, or for words that the model makes more often.")
        break
      }
      append(word, isFirst: number == 0)
      let now = ContinuousClock.now
      guard lines.count > 1 << 14 || now - lastFlush > .milliseconds(100) else { continue }
      try flush()
      if now - lastFlush > .milliseconds(100) { try StandardOutput.shared.flush() }
      lastFlush = now
      if now - start > .seconds(2) {
        progress.update("\(Format.count(number + 1)) of \(Format.count(count)) words")
      }
    }
    if form.json { append("]}\n") }
    try flush()
    progress.finish()
    if let failure { throw failure }
  }

  private mutating func flush() throws(CommandFailure) {
    try StandardOutput.shared.write(String(decoding: lines, as: UTF8.self))
    lines.removeAll(keepingCapacity: true)
  }

  private mutating func append(_ text: String) { lines.append(contentsOf: text.utf8) }

  private mutating func append(_ word: DrawnWord, isFirst: Bool) {
    if form.json {
      append((isFirst ? "" : ",") + JSONValue.string(vocabulary.decode(word.ids)).encoded())
      return
    }
    switch form.format {
    case .text:
      vocabulary.append(word.ids, to: &lines)
    case .tsv:
      vocabulary.append(word.ids, to: &lines)
      append("\t" + word.logProbability.description)
    case .json:
      let object: JSONValue = [
        "word": .string(vocabulary.decode(word.ids)),
        "log_probability": .number(word.logProbability),
      ]
      append(object.encoded())
    }
    lines.append(UInt8(ascii: "\n"))
  }
}
