// What a word list refuses, with the place and the advice of each error. The tables name exact
// errors, so that no message can drift to another line or byte unnoticed.

import CharMLP
import Testing

@Suite("What a word list refuses")
struct WordListRefusalTests {
  @Test(
    "A word list refuses texts without words",
    arguments: [
      ([], .empty),
      ([0xEF, 0xBB, 0xBF], .empty),
      (Array("\n".utf8), .onlyBlankLines),
      (Array(" \t\r\n\u{3000}\n ".utf8), .onlyBlankLines),
      ([0xEF, 0xBB, 0xBF, 0x0A], .onlyBlankLines),
    ] as [([UInt8], WordListError)])
  func textsWithoutWords(bytes: [UInt8], error: WordListError) {
    #expect(throws: error) { try WordList(utf8: bytes) }
  }

  @Test(
    "A word list refuses a carriage return that no line feed follows",
    arguments: [
      ("a\rb\n", 1, 1), ("ab\ncd\re", 2, 5), ("ab\r\ncd\r\r\n", 2, 6), ("\r\r", 1, 0),
      ("\u{FEFF}a\rb", 1, 4),
    ])
  func loneCarriageReturns(text: String, line: Int, byte: Int) {
    #expect(throws: WordListError.loneCarriageReturn(line: line, byte: byte)) {
      try WordList(text: text)
    }
  }

  @Test(
    "A word list refuses UTF-16 and UTF-32, by their marks or by their NULs",
    arguments: [
      ([0xFF, 0xFE], .utf16),
      ([0xFF, 0xFE, 0x61, 0x00, 0x0A, 0x00], .utf16),
      ([0xFE, 0xFF, 0x00, 0x61, 0x00, 0x0A], .utf16),
      ([0x61, 0x00, 0x62, 0x00, 0x0A, 0x00], .utf16LittleEndian),
      ([0x00, 0x61, 0x00, 0x62, 0x00, 0x0A], .utf16BigEndian),
      ([0x61, 0x00, 0x00, 0x00, 0x0A, 0x00, 0x00, 0x00], .utf32LittleEndian),
      ([0x00, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00, 0x0A], .utf32BigEndian),
      ([0x04, 0x38, 0x04, 0x32, 0x00, 0x0A, 0x04, 0x30], .utf16BigEndian),
      ([0x38, 0x04, 0x32, 0x04, 0x0A, 0x00, 0x30, 0x04], .utf16LittleEndian),
      ([0xFF, 0xFE, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00], .utf32),
      ([0x00, 0x00, 0xFE, 0xFF, 0x00, 0x00, 0x00, 0x61], .utf32),
    ] as [([UInt8], ForeignEncoding)])
  func foreignEncodings(bytes: [UInt8], encoding: ForeignEncoding) {
    #expect(throws: WordListError.foreignEncoding(encoding)) { try WordList(utf8: bytes) }
  }

  @Test(
    "A word list refuses bytes that are not UTF-8, naming line, byte and value",
    arguments: [
      ([0x61, 0x0A, 0x62, 0xE9, 0x0A], 2, 3, 0xE9),  // Latin-1
      ([0x61, 0x80], 1, 1, 0x80),  // a continuation alone
      ([0x61, 0xC0, 0xAF], 1, 1, 0xC0),  // longer than necessary
      ([0x61, 0xE0, 0x80, 0xAF], 1, 1, 0xE0),
      ([0x61, 0xED, 0xA0, 0x80], 1, 1, 0xED),  // a surrogate
      ([0x61, 0xF4, 0x90, 0x80, 0x80], 1, 1, 0xF4),  // above U+10FFFF
      ([0x61, 0x0D, 0x0A, 0xE6, 0xBC], 2, 3, 0xE6),  // cut off
      ([0xFF, 0x61], 1, 0, 0xFF),
    ] as [([UInt8], Int, Int, UInt8)])
  func invalidUTF8(bytes: [UInt8], line: Int, byte: Int, value: UInt8) {
    expectError(.invalidUTF8(line: line, byte: byte, value: value), bytes)
  }

  @Test("A word list refuses as invalid UTF-8 exactly what the standard library does")
  func agreesWithTheStandardLibrary() {
    let second: [UInt8] = [0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    let further: [UInt8] = [0x61, 0x80, 0xBF, 0xC2]
    for lead in UInt8(0x80)...0xFF {
      // 0xC2 with 0x80…0x9F is a control character, refused before anything wrong behind it.
      for a in second where lead != 0xC2 || !(0x80...0x9F).contains(a) {
        // Bytes behind the longest sequence that the lead begins can't matter.
        for b in lead < 0xE0 ? [0x61, 0x80] : further {
          for c in lead < 0xF0 ? [0x61] : further {
            // Two letters in front keep the marks of UTF-16 out. Of a text with as many good lines
            // as bad ones no encoding is guessed, which would take most of the time.
            let bytes: [UInt8] = [0x61, 0x62, lead, a, b, c, 0x61, 0x0A, 0xC3, 0xA9]
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect(isReportedInvalid(bytes) != isValid, "\(bytes)")
          }
        }
      }
    }
  }

  private func isReportedInvalid(_ bytes: [UInt8]) -> Bool {
    do throws(WordListError) {
      _ = try WordList(utf8: bytes)
      return false
    } catch .invalidUTF8 {
      return true
    } catch {
      return false
    }
  }

  @Test(
    "A word list refuses control characters, foreign line breaks and byte order marks inside the text",
    arguments: Array(0x00...0x08) + [0x0B, 0x0C] + Array(0x0E...0x1F) + Array(0x7F...0x9F)
      + [0x2028, 0x2029, 0xFEFF])
  func refusedCharacters(value: Int) throws {
    let scalar = try #require(Unicode.Scalar(UInt32(value)))
    expectError(
      .refusedCharacter(line: 2, byte: 5, scalar: scalar), Array("漢\nb\(scalar)c\n".utf8))
  }

  /// Expects an error whatever it says of the reasons.
  private func expectError(
    _ expected: WordListError, _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do throws(WordListError) {
      _ = try WordList(utf8: bytes)
      Issue.record("accepted", sourceLocation: sourceLocation)
    } catch {
      #expect(error.withoutReasons == expected, sourceLocation: sourceLocation)
    }
  }

  @Test("A word list refuses a line of over 10,000 characters", arguments: ["a", "é", "漢", " "])
  func longLines(character: String) {
    let line = String(repeating: character, count: 10_001)
    #expect(throws: WordListError.lineTooLong(line: 2, limit: 10_000)) {
      try WordList(text: "emma\n" + line + "\n")
    }
  }

  @Test("A word list refuses the first of several errors")
  func firstError() {
    #expect(throws: WordListError.loneCarriageReturn(line: 1, byte: 1)) {
      try WordList(utf8: [0x61, 0x0D, 0x62, 0x0A, 0xFF, 0x0A, 0x00])
    }
  }

  static let messages: [(WordListError, String)] = [
    (.empty, "names.txt: the word list is empty; write one word on each line"),
    (.onlyBlankLines, "names.txt: there are only blank lines; write one word on each line"),
    (
      .loneCarriageReturn(line: 3, byte: 9),
      "names.txt:3: carriage return without line feed at byte 9; convert it with tr '\\r' '\\n'"
    ),
    (
      .foreignEncoding(.utf16),
      "names.txt: looks like UTF-16; convert it with iconv -f UTF-16 -t UTF-8"
    ),
    (
      .invalidUTF8(
        line: 17, byte: 123, value: 0xE9, guess: .encoding("windows-1252", iconv: "CP1252")),
      "names.txt:17: invalid UTF-8 at byte 123 (0xE9), perhaps windows-1252 (a guess); "
        + "convert it with iconv -f CP1252 -t UTF-8"
    ),
    (
      .invalidUTF8(line: 17, byte: 123, value: 0xE9),
      "names.txt:17: invalid UTF-8 at byte 123 (0xE9); convert it to UTF-8"
    ),
    (
      .foreignEncoding(.utf32BigEndian),
      "names.txt: looks like UTF-32BE, by its bytes (a guess); convert it with iconv -f UTF-32BE -t UTF-8"
    ),
    (
      .foreignFormat("a model file", nil),
      "names.txt: is a model file, not text; save the words as text, one on each line"
    ),
    (
      .refusedCharacter(line: 1, byte: 0, scalar: "\0"),
      "names.txt:1: U+0000 (a control character) at byte 0; remove it"
    ),
    (
      .encodedTwice(
        line: 4, read: "Latin-1", original: "Łukasz", remedy: "iconv -f UTF-8 -t LATIN1 {}"),
      "names.txt:4: UTF-8 that was read as Latin-1 and written as UTF-8 again; "
        + "this line was Łukasz; convert it with iconv -f UTF-8 -t LATIN1"
    ),
    (
      .lineTooLong(line: 2, limit: 10_000),
      "names.txt:2: longer than 10000 characters; write one word on each line"
    ),
    (
      .tooLarge(size: 2048, limit: 1024),
      "names.txt: 2048 bytes, over the limit of 1024 bytes; use part of the list"
    ),
    (
      .tooLarge(size: nil, limit: 1024),
      "names.txt: over the limit of 1024 bytes; use part of the list"
    ),
    (.missing, "names.txt: no such file; check the path"),
    (.directory, "names.txt: is a directory; name a file with one word on each line"),
    (
      .unreadable(reason: "Permission denied"),
      "names.txt: cannot be opened (Permission denied); check its permissions and its path"
    ),
    (
      .readFailed(byte: 0, reason: "Input/output error"),
      "names.txt: reading failed after 0 bytes (Input/output error); "
        + "check the disk, or copy the file first"
    ),
  ]

  @Test("An error of a word list is one line that says where and what to do", arguments: messages)
  func oneLine(error: WordListError, message: String) {
    #expect(error.message(in: "names.txt") == message)
    #expect(!"\(error)".contains { $0.isNewline })
  }

  @Test("An error of a word list begins with the line if there is no file name")
  func description() {
    #expect("\(WordListError.lineTooLong(line: 2, limit: 3))".hasPrefix("line 2: longer than 3"))
    #expect("\(WordListError.missing)" == "no such file; check the path")
  }

  @Test("A strange file name cannot break the line of an error")
  func strangeFileNames() {
    #expect(WordListError.missing.message(in: "a\nb\t\u{1B}").hasPrefix("a?b??: no such file"))
  }

  @Test("Errors of a word list tell no input, bad data and system failures apart")
  func kinds() {
    for (error, _) in Self.messages {
      switch error {
      case .missing, .directory, .unreadable: #expect(error.kind == .noInput)
      case .readFailed: #expect(error.kind == .inputOutput)
      default: #expect(error.kind == .badData)
      }
    }
  }
}

extension WordListError {
  /// The same error without what may be behind it.
  var withoutReasons: WordListError {
    switch self {
    case .invalidUTF8(let line, let byte, let value, _):
      .invalidUTF8(line: line, byte: byte, value: value)
    case .refusedCharacter(let line, let byte, let scalar, _):
      .refusedCharacter(line: line, byte: byte, scalar: scalar)
    default: self
    }
  }
}
