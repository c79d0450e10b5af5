// Symbols and their numbers: of a list, from storage, and there and back.

import CharMLP
import Testing

@Suite("A vocabulary")
struct VocabularyTests {
  @Test("A vocabulary numbers the distinct scalars of a list in ascending order, from 1")
  func numbersScalars() throws {
    let vocabulary = Vocabulary(of: try WordList(["ab", "Zé", "漢 a", "😀"]))
    #expect(vocabulary.symbols == [" ", "Z", "a", "b", "é", "漢", "😀"])
    #expect(vocabulary.count == 8)
    for (index, symbol) in vocabulary.symbols.enumerated() {
      #expect(vocabulary.id(of: symbol) == Int32(index + 1))
      #expect(vocabulary.symbol(of: Int32(index + 1)) == symbol)
    }
  }

  @Test("A vocabulary of the lecture's letters gives a = 1 … z = 26 and 27 classes")
  func numbersLetters() throws {
    let vocabulary = Vocabulary(of: try WordList(["thequickbrownfoxjumpsoverthelazydog"]))
    #expect(vocabulary.count == 27)
    #expect(vocabulary.id(of: "a") == 1)
    #expect(vocabulary.id(of: "z") == 26)
  }

  @Test("A vocabulary reserves 0 for the terminator, which is no character")
  func terminatorIsNoCharacter() throws {
    let vocabulary = Vocabulary(of: try WordList(["a.b"]))
    #expect(Vocabulary.terminator == 0)
    #expect(vocabulary.symbol(of: 0) == nil)
    #expect(vocabulary.id(of: ".") == 1)
  }

  @Test(
    "A vocabulary does not know characters outside the list",
    arguments: ["c", "A", "\n", "\0", "é", "ā", "漢", "\u{10FFFF}"] as [Unicode.Scalar])
  func doesNotKnow(symbol: Unicode.Scalar) throws {
    let vocabulary = Vocabulary(of: try WordList(["ab"]))
    #expect(vocabulary.id(of: symbol) == nil)
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try vocabulary.encode("a\(Character(symbol))b")
    }
  }

  @Test(
    "A vocabulary encodes a word without a terminator and decodes it",
    arguments: ["emma", "m", "", "émé😀"])
  func encodesAndDecodes(word: String) throws {
    let vocabulary = Vocabulary(of: try WordList(["emmaé", "😀"]))
    let ids = try vocabulary.encode(word)
    #expect(ids.count == word.unicodeScalars.count)
    #expect(!ids.contains(Vocabulary.terminator))
    #expect(vocabulary.decode(ids) == word)
    #expect(vocabulary.decode(ids + [0] + ids) == word, "decoding ends at the terminator")
  }

  @Test("A vocabulary decodes to the same scalars, without composing them")
  func decodesScalars() throws {
    let vocabulary = Vocabulary(of: try WordList(["e\u{301}"]))
    let word = vocabulary.decode(try vocabulary.encode("e\u{301}"))
    #expect(Array(word.unicodeScalars) == ["e", "\u{301}"])
  }

  @Test("A vocabulary is rebuilt from its symbols")
  func isRebuilt() throws {
    let vocabulary = Vocabulary(of: try WordList(["emma", "漢字", "😀"]))
    let rebuilt = try Vocabulary(symbols: vocabulary.symbols)
    #expect(rebuilt == vocabulary)
    #expect(try rebuilt.encode("漢mm😀") == vocabulary.encode("漢mm😀"))
    #expect(try Vocabulary(symbols: ["a"]) != vocabulary)
  }

  @Test(
    "A vocabulary refuses stored symbols that no list can have",
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
    "A vocabulary shows the terminator as a full stop, or as a sign that is no symbol",
    arguments: [
      (["ab"], "."), (["a.b"], "␃"), ([".␃"], "␄"), ([".␃␄␅"], "␆"),
    ] as [([String], Unicode.Scalar)])
  func showsTheTerminator(words: [String], sign: Unicode.Scalar) throws {
    #expect(Vocabulary(of: try WordList(words)).terminatorSign == sign)
  }

  @Test("A vocabulary displays ids with their terminators")
  func displays() throws {
    let vocabulary = Vocabulary(of: try WordList(["emma"]))
    #expect(vocabulary.display([0, 0, 2]) == "..e")
    let dotted = Vocabulary(of: try WordList(["."]))
    #expect(dotted.display([0, 1]) == "␃.")
  }

  @Test("A vocabulary names an unknown character by itself and by its code point")
  func namesUnknownCharacters() {
    let visible = VocabularyError.unknownSymbol("é")
    #expect("\(visible)".hasPrefix("the character \"é\" (U+00E9) is not in the vocabulary"))
    let control = VocabularyError.unknownSymbol("\u{7}")
    #expect("\(control)".hasPrefix("the character (U+0007) is not in the vocabulary"))
  }

  @Test("A vocabulary stops the program at an id that it does not have")
  func stopsAtForeignNumber() async {
    await #expect(processExitsWith: .failure) {
      print(try Vocabulary(symbols: ["a"]).symbol(of: 2) as Any)
    }
    await #expect(processExitsWith: .failure) {
      print(try Vocabulary(symbols: ["a"]).symbol(of: -1) as Any)
    }
  }
}
