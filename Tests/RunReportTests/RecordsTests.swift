// Metrics of any version and trainer are read as far as they are understood.

import Testing

@testable import RunReport

@Suite("Records of a run")
struct RecordsTests {
  @Test("A line of metrics is read: unknown keys are skipped, missing ones are nil")
  func line() throws {
    let text = """
      {"step":5,"smoothed_loss":2.5,"ranks":[1],"validation_loss":null,"saturated":"many",\
      "update_ratio":{"C":-3.5,"b1":null}}
      """
    let line = try #require(MetricsLine.all([text]).first)
    #expect(line.step == 5 && line.smoothedLoss == 2.5)
    #expect(line.validationLoss == nil && line.minibatchLoss == nil && line.saturated == nil)
    #expect(line.updateRatio["C"] == -3.5 && line.updateRatio["b1"] == .some(nil))
  }

  @Test("Unreadable lines of metrics are skipped, and the later line of a repeated step counts")
  func lines() {
    let lines = MetricsLine.all([
      "", "[]", "{}", #"{"step":1,"seconds":1}"#, #"{"step":2,"seconds":2}"#, #"{"step":3"#,
      #"{"step":3,"seconds":3}"#, #"{"step":2,"seconds":4}"#,
    ])
    #expect(lines.map(\.step) == [1, 2])
    #expect(lines.map(\.seconds) == [1, 4])
  }

  @Test(
    "Latin, Greek and Cyrillic letters are vowels or consonants, other symbols neither",
    arguments: [
      ("a", LetterKind.vowel), ("É", .vowel), ("y", .vowel), ("ø", .vowel), ("ё", .vowel),
      ("ώ", .vowel), ("b", .consonant), ("Ç", .consonant), ("ж", .consonant), ("ψ", .consonant),
      ("字", .other), ("א", .other), ("-", .other), ("7", .other), ("😀", .other),
      ("\u{301}", .other),
    ] as [(Unicode.Scalar, LetterKind)])
  func letters(symbol: Unicode.Scalar, kind: LetterKind) {
    #expect(LetterKind(symbol) == kind)
  }
}
