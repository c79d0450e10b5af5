// Symbols and their numbers: of a list, from storage, and there and back.

import CharMLP
import Testing

@Suite("A vocabulary")
struct VocabularyTests {
  @Test("numbers the distinct scalars of a list in ascending order, from 1")
  func numbersScalars() throws {
    let vocabulary = Vocabulary(of: try WordList(["ab", "Zé", "漢 a", "😀"]))
    #expect(vocabulary.symbols == [" ", "Z", "a", "b", "é", "漢", "😀"])
    #expect(vocabulary.count == 8)
    for (index, symbol) in vocabulary.symbols.enumerated() {
      #expect(vocabulary.id(of: symbol) == Int32(index + 1))
      #expect(vocabulary.symbol(of: Int32(index + 1)) == symbol)
    }
  }

  @Test("of the lecture's letters gives a = 1 … z = 26 and 27 classes")
  func numbersLetters() throws {
    let vocabulary = Vocabulary(of: try WordList(["thequickbrownfoxjumpsoverthelazydog"]))
    #expect(vocabulary.count == 27)
    #expect(vocabulary.id(of: "a") == 1)
    #expect(vocabulary.id(of: "z") == 26)
  }

  @Test("keeps 0 for the terminator, which is no character")
  func terminatorIsNoCharacter() throws {
    let vocabulary = Vocabulary(of: try WordList(["a.b"]))
    #expect(Vocabulary.terminator == 0)
    #expect(vocabulary.symbol(of: 0) == nil)
    #expect(vocabulary.id(of: ".") == 1)
  }

  @Test(
    "does not know what the list does not hold",
    arguments: ["c", "A", "\n", "\0", "é", "ā", "漢", "\u{10FFFF}"] as [Unicode.Scalar])
  func doesNotKnow(symbol: Unicode.Scalar) throws {
    let vocabulary = Vocabulary(of: try WordList(["ab"]))
    #expect(vocabulary.id(of: symbol) == nil)
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try vocabulary.encode("a\(Character(symbol))b")
    }
  }

  @Test("encodes a word without a terminator and decodes it", arguments: ["emma", "m", "", "émé😀"])
  func encodesAndDecodes(word: String) throws {
    let vocabulary = Vocabulary(of: try WordList(["emmaé", "😀"]))
    let ids = try vocabulary.encode(word)
    #expect(ids.count == word.unicodeScalars.count)
    #expect(!ids.contains(Vocabulary.terminator))
    #expect(vocabulary.decode(ids) == word)
    #expect(vocabulary.decode(ids + [0] + ids) == word, "decoding ends at the terminator")
  }

  @Test("decodes to the very scalars: nothing is composed")
  func decodesScalars() throws {
    let vocabulary = Vocabulary(of: try WordList(["e\u{301}"]))
    let word = vocabulary.decode(try vocabulary.encode("e\u{301}"))
    #expect(Array(word.unicodeScalars) == ["e", "\u{301}"])
  }

  @Test("is rebuilt from its symbols")
  func isRebuilt() throws {
    let vocabulary = Vocabulary(of: try WordList(["emma", "漢字", "😀"]))
    let rebuilt = try Vocabulary(symbols: vocabulary.symbols)
    #expect(rebuilt == vocabulary)
    #expect(try rebuilt.encode("漢mm😀") == vocabulary.encode("漢mm😀"))
    #expect(try Vocabulary(symbols: ["a"]) != vocabulary)
  }

  @Test(
    "refuses stored symbols that no list could have given",
    arguments: [
      ([], .noSymbols),
      (["b", "a"], .notAscending(index: 1, symbol: "a")),
      (["a", "b", "b"], .notAscending(index: 2, symbol: "b")),
      (["\n", "a"], .refusedSymbol(index: 0, symbol: "\n")),
      (["\0"], .refusedSymbol(index: 0, symbol: "\0")),
      (["a", "\u{FEFF}"], .refusedSymbol(index: 1, symbol: "\u{FEFF}")),
    ] as [([Unicode.Scalar], VocabularyError)])
  func refusesStoredSymbols(symbols: [Unicode.Scalar], error: VocabularyError) {
    #expect(throws: error) { try Vocabulary(symbols: symbols) }
    #expect(!"\(error)".contains { $0.isNewline })
  }

  @Test(
    "shows the terminator as a full stop, or as a sign that is not a symbol",
    arguments: [
      (["ab"], "."), (["a.b"], "␃"), ([".␃"], "␄"), ([".␃␄␅"], "␆"),
    ] as [([String], Unicode.Scalar)])
  func showsTheTerminator(words: [String], sign: Unicode.Scalar) throws {
    #expect(Vocabulary(of: try WordList(words)).terminatorSign == sign)
  }

  @Test("displays numbers with their terminators")
  func displays() throws {
    let vocabulary = Vocabulary(of: try WordList(["emma"]))
    #expect(vocabulary.display([0, 0, 2]) == "..e")
    let dotted = Vocabulary(of: try WordList(["."]))
    #expect(dotted.display([0, 1]) == "␃.")
  }

  @Test("names an unknown character by itself and by its code point")
  func namesUnknownCharacters() {
    let visible = VocabularyError.unknownSymbol("é")
    #expect("\(visible)".hasPrefix("the character \"é\" (U+00E9) is not in the vocabulary"))
    let control = VocabularyError.unknownSymbol("\u{7}")
    #expect("\(control)".hasPrefix("the character (U+0007) is not in the vocabulary"))
  }

  @Test("stops at a number that it does not have")
  func stopsAtForeignNumber() async {
    await #expect(processExitsWith: .failure) {
      print(try Vocabulary(symbols: ["a"]).symbol(of: 2) as Any)
    }
    await #expect(processExitsWith: .failure) {
      print(try Vocabulary(symbols: ["a"]).symbol(of: -1) as Any)
    }
  }
}
