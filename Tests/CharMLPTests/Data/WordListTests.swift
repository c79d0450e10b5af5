// What a word list takes from a text that it accepts, and how it keeps it.
//
// The rules on line ends, blanks and characters are stated here one by one; what is refused is stated in
// WordListRefusalTests, where the bytes come from in WordListReadingTests.

import CharMLP
import Testing

@Suite("A word list")
struct WordListTests {
  @Test(
    "takes one word from each line",
    arguments: [
      ("LF", "emma\nolivia\nava\n", ["emma", "olivia", "ava"]),
      ("CRLF", "emma\r\nolivia\r\n", ["emma", "olivia"]),
      ("LF and CRLF mixed", "emma\r\nolivia\nava\r\n", ["emma", "olivia", "ava"]),
      ("no last newline", "emma\nolivia", ["emma", "olivia"]),
      ("CRLF and no last newline", "emma\r\nolivia", ["emma", "olivia"]),
      ("a byte order mark", "\u{FEFF}emma\nolivia\n", ["emma", "olivia"]),
      ("blanks at both ends", "  emma \n\tolivia\t \n ava\r\n", ["emma", "olivia", "ava"]),
      ("inner blanks", "New York\nRio de\u{A0}Janeiro\n", ["New York", "Rio de\u{A0}Janeiro"]),
      ("an inner tab", "a\tb\n", ["a\tb"]),
      ("blank lines", "\n\nemma\n \t\n\r\n\u{3000}\nava\n\n", ["emma", "ava"]),
      ("upper case", "Emma\nEMMA\nemma\n", ["Emma", "EMMA", "emma"]),
      ("duplicates", "ava\nava\nava\n", ["ava", "ava", "ava"]),
      ("one character", "a", ["a"]),
      ("a blank at the very end", "emma ", ["emma"]),
      ("blanks and text of many bytes", "\u{3000}漢字\u{2003}\u{A0}\n", ["漢字"]),
      ("scalars outside the BMP", "😀😀\nあ\n", ["😀😀", "あ"]),
      ("joiners", "\u{200D}a\u{200C}b\u{200B}\n", ["\u{200D}a\u{200C}b\u{200B}"]),
    ])
  func takesOneWordPerLine(name: String, text: String, words: [String]) throws {
    #expect(Array(try WordList(text: text)) == words, "\(name)")
  }

  @Test(
    "trims every blank that does not break lines, from both ends",
    arguments: [
      0x09, 0x20, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
      0x2008, 0x2009, 0x200A, 0x202F, 0x205F, 0x3000,
    ])
  func trimsBlanks(value: UInt32) throws {
    let blank = try #require(Unicode.Scalar(value))
    #expect(blank.properties.isWhitespace)
    let words = try WordList(text: "\(blank)\(blank)a\(blank)b\(blank)\n\(blank)\n")
    #expect(words.count == 1)
    #expect(words[0].unicodeScalars.elementsEqual("a\(blank)b".unicodeScalars))
  }

  @Test("does not normalize: a combining mark stays a character of its own")
  func doesNotNormalize() throws {
    let words = try WordList(text: "é\ne\u{301}\n")
    #expect(words.map { $0.unicodeScalars.count } == [1, 2])
    #expect(words.utf8 == Array("é\ne\u{301}\n".utf8))
    #expect(words.characterCount == 3)
  }

  @Test("accepts 5,000 different symbols")
  func acceptsManySymbols() throws {
    let symbols = (0x4E00..<0x4E00 + 5_000).compactMap(Unicode.Scalar.init)
    let words = try WordList(symbols.map { String(Character($0)) })
    #expect(words.count == 5_000)
    #expect(Vocabulary(of: words).symbols == symbols)
  }

  @Test("accepts a line of exactly 10,000 characters, however many bytes", arguments: ["a", "😀"])
  func acceptsLongLines(character: String) throws {
    let words = try WordList(text: String(repeating: character, count: 10_000))
    #expect(words.characterCount == 10_000)
  }

  @Test("keeps the normalized text, which reads back as the same list")
  func keepsNormalizedText() throws {
    let words = try WordList(text: "\u{FEFF} emma\r\n\r\nNew York \r\n漢字")
    #expect(words.utf8 == Array("emma\nNew York\n漢字\n".utf8))
    #expect(try WordList(utf8: words.utf8) == words)
  }

  @Test("reads the same bytes the same way every time and leaves the caller's alone")
  func leavesTheCallersBytesAlone() throws {
    let bytes = Array(" emma\r\nava\r\n".utf8)
    let lists = try (0..<3).map { _ in try WordList(utf8: bytes) }
    #expect(bytes == Array(" emma\r\nava\r\n".utf8))
    for list in lists { #expect(Array(list) == ["emma", "ava"]) }
  }

  @Test("equals another with the same words in the same order only")
  func equality() throws {
    let words = try WordList(["emma", "ava"])
    #expect(try words == WordList(text: "emma\r\nava"))
    #expect(try words != WordList(["ava", "emma"]))
    #expect(try words != WordList(["emmaava"]))
  }

  @Test("selects words by index, in the order asked for")
  func selectsWords() throws {
    let words = try WordList(["emma", "漢字", "ava"])
    let selected = words.selecting([2, 1, 1][...])
    #expect(selected == (try WordList(["ava", "漢字", "漢字"])))
    #expect(Array(selected) == ["ava", "漢字", "漢字"])
    #expect(words.characterCount(of: [0, 1][...]) == 6)
  }

  @Test("holds a million words")
  func holdsAMillionWords() throws {
    var text: [UInt8] = []
    for number in 0..<1_000_000 { text.append(contentsOf: String(number).utf8 + [0x0D, 0x0A]) }
    let words = try WordList(utf8: text)
    #expect(words.count == 1_000_000)
    #expect(words[0] == "0" && words[123_456] == "123456" && words[999_999] == "999999")
    #expect(words.utf8.count == text.count - 1_000_000)
  }

  @Test("stops at an index that it does not have")
  func stopsAtForeignIndex() async {
    await #expect(processExitsWith: .failure) { print(try WordList(["emma"])[1]) }
    await #expect(processExitsWith: .failure) { print(try WordList(["emma"]).selecting([]).count) }
  }
}
