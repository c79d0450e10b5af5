// What a run recorded, read by somebody who takes what is there.

import Testing

@testable import RunReport

@Suite("Records of a run")
struct RecordsTests {
  @Test("A line of metrics is read, keys that are not known are skipped, missing ones are nil")
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

  @Test("Lines that are none are skipped, and of a step that comes again the later counts")
  func lines() {
    let lines = MetricsLine.all([
      "", "[]", "{}", #"{"step":1,"seconds":1}"#, #"{"step":2,"seconds":2}"#, #"{"step":3"#,
      #"{"step":3,"seconds":3}"#, #"{"step":2,"seconds":4}"#,
    ])
    #expect(lines.map(\.step) == [1, 2])
    #expect(lines.map(\.seconds) == [1, 4])
  }

  @Test(
    "Vowels and consonants are told apart where the alphabet has them",
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
