// What a word list accepts, how it keeps it, and which of its words are the same. What it refuses
// is in WordListRefusalTests, and where the bytes come from in WordListReadingTests.

import Testing

@testable import CharMLP

@Suite("A word list")
struct WordListTests {
  @Test(
    "A word list takes one word from each line",
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
    "A word list trims every blank that does not break lines, from both ends",
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

  @Test("A word list does not normalize: a combining mark is a character of its own")
  func doesNotNormalize() throws {
    let words = try WordList(text: "é\ne\u{301}\n")
    #expect(words.map { $0.unicodeScalars.count } == [1, 2])
    #expect(words.utf8 == Array("é\ne\u{301}\n".utf8))
    #expect(words.characterCount == 3)
  }

  @Test("A word list accepts 5,000 different symbols")
  func acceptsManySymbols() throws {
    let symbols = (0x4E00..<0x4E00 + 5_000).compactMap(Unicode.Scalar.init)
    let words = try WordList(symbols.map { String(Character($0)) })
    #expect(words.count == 5_000)
    #expect(Vocabulary(of: words).symbols == symbols)
  }

  @Test(
    "A word list accepts a line of exactly 10,000 characters, however many bytes",
    arguments: ["a", "😀"])
  func acceptsLongLines(character: String) throws {
    let words = try WordList(text: String(repeating: character, count: 10_000))
    #expect(words.characterCount == 10_000)
  }

  @Test("A word list keeps its text, which reads back as the same list")
  func keepsNormalizedText() throws {
    let words = try WordList(text: "\u{FEFF} emma\r\n\r\nNew York \r\n漢字")
    #expect(words.utf8 == Array("emma\nNew York\n漢字\n".utf8))
    #expect(try WordList(utf8: words.utf8) == words)
  }

  @Test(
    "A word list reads the same bytes the same way every time, and does not change the caller's")
  func leavesTheCallersBytesAlone() throws {
    let bytes = Array(" emma\r\nava\r\n".utf8)
    let lists = try (0..<3).map { _ in try WordList(utf8: bytes) }
    #expect(bytes == Array(" emma\r\nava\r\n".utf8))
    for list in lists { #expect(Array(list) == ["emma", "ava"]) }
  }

  @Test("A word list equals only lists of the same words in the same order")
  func equality() throws {
    let words = try WordList(["emma", "ava"])
    #expect(try words == WordList(text: "emma\r\nava"))
    #expect(try words != WordList(["ava", "emma"]))
    #expect(try words != WordList(["emmaava"]))
  }

  @Test("A word list selects words by index, in the order asked for")
  func selectsWords() throws {
    let words = try WordList(["emma", "漢字", "ava"])
    let selected = words.selecting([2, 1, 1][...])
    #expect(selected == (try WordList(["ava", "漢字", "漢字"])))
    #expect(Array(selected) == ["ava", "漢字", "漢字"])
    #expect(words.characterCount(of: [0, 1][...]) == 6)
  }

  @Test("A word list holds a million words")
  func holdsAMillionWords() throws {
    var text: [UInt8] = []
    for number in 0..<1_000_000 { text.append(contentsOf: String(number).utf8 + [0x0D, 0x0A]) }
    let words = try WordList(utf8: text)
    #expect(words.count == 1_000_000)
    #expect(words[0] == "0" && words[123_456] == "123456" && words[999_999] == "999999")
    #expect(words.utf8.count == text.count - 1_000_000)
  }

  @Test("A word list stops the program at an index that it does not have")
  func stopsAtForeignIndex() async {
    await #expect(processExitsWith: .failure) { print(try WordList(["emma"])[1]) }
    await #expect(processExitsWith: .failure) { print(try WordList(["emma"]).selecting([]).count) }
  }
}

// MARK: - Duplicates

@Suite("Duplicates in a word list")
struct WordListDuplicatesTests {
  @Test("Removing duplicates keeps the first of each word, in order")
  func firstStays() throws {
    let words = try WordList(["ida", "bo", "ida", "ada", "bo", "ida", "bob"])
    #expect(words.firstOccurrences() == [0, 1, 0, 3, 1, 0, 6])
    #expect(words.deduplicated() == (try WordList(["ida", "bo", "ada", "bob"])))
  }

  @Test("Words are duplicates if their bytes are equal: two ways to write é are two words")
  func bytes() throws {
    let words = try WordList(["é", "e\u{301}", "E", "e"])
    #expect(words.deduplicated() == words)
  }

  @Test("Duplicates are those that a set of byte arrays finds", arguments: [2, 300, 5_000])
  func agreesWithASet(count: Int) throws {
    let words = try WordList(RandomWords.make(count: count, alphabet: 4, longest: 9))
    var seen = Set<[UInt8]>()
    let expected = words.filter { seen.insert(Array($0.utf8)).inserted }
    #expect(words.deduplicated() == (try WordList(expected)))
    #expect(words.deduplicated().deduplicated() == words.deduplicated())
  }

  @Test("Long words are told apart by any byte")
  func longWords() throws {
    let word = String(repeating: "a", count: 40)
    let variants = (0..<40).map { String(word.dropFirst(40 - $0)) + "b" + word.dropLast($0 + 1) }
    let words = try WordList(variants + [word] + variants)
    #expect(words.deduplicated() == (try WordList(variants + [word])))
  }
}
