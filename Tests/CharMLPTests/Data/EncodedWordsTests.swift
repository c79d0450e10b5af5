// Whole lists as numbers.

import CharMLP
import Testing

@Suite("Encoded words")
struct EncodedWordsTests {
  @Test("are the characters' numbers, each word followed by a terminator")
  func areNumbers() throws {
    let words = try WordList(["emma", "ava"])
    let vocabulary = Vocabulary(of: words)
    let encoded = try EncodedWords(words, vocabulary: vocabulary)
    #expect(encoded.ids == [2, 3, 3, 1, 0, 1, 4, 1, 0])
    #expect(encoded.vocabularyCount == 5)
  }

  @Test("of a selection stand in its order")
  func ofASelection() throws {
    let words = try WordList(["emma", "漢字", "é"])
    let vocabulary = Vocabulary(of: words)
    let encoded = try EncodedWords(words, selecting: [2, 1][...], vocabulary: vocabulary)
    #expect(encoded.ids == (try vocabulary.encode("é") + [0] + vocabulary.encode("漢字") + [0]))
  }

  @Test("of all words agree with words encoded one by one, whatever their symbols")
  func agreeWithSingleWords() throws {
    let symbols = (1...5_000).compactMap { Unicode.Scalar(0x100 + UInt32($0) * 7) }
    let words = try WordList(
      symbols.filter { !$0.properties.isWhitespace }.map { "\(Character($0))x\(Character($0))" })
    let vocabulary = Vocabulary(of: words)
    let ids = try words.flatMap { try vocabulary.encode($0) + [Vocabulary.terminator] }
    #expect(try EncodedWords(words, vocabulary: vocabulary).ids == ids)
    let all = try EncodedWords(
      words, selecting: Array(words.indices)[...], vocabulary: vocabulary)
    #expect(all.ids == ids)
  }

  @Test("need a vocabulary that knows every character", arguments: ["é", "漢", "b", "😀"])
  func needTheVocabulary(unknown: String) throws {
    let vocabulary = Vocabulary(of: try WordList(["a"]))
    let words = try WordList(["a", "a\(unknown)"])
    let symbol = try #require(unknown.unicodeScalars.first)
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try EncodedWords(words, vocabulary: vocabulary)
    }
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try EncodedWords(words, selecting: [1][...], vocabulary: vocabulary)
    }
    #expect(try EncodedWords(words, selecting: [0][...], vocabulary: vocabulary).ids == [1, 0])
  }
}
