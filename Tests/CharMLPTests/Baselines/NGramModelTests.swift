// The n-gram model against its definition, and against what a distribution has to be.

import CharMLP
import Foundation
import Testing

/// A word list that a fault would show on.
struct NamedList: CustomTestStringConvertible {
  let testDescription: String
  let words: [String]

  static let all = [
    NamedList(testDescription: "two words", words: ["ab", "b"]),
    NamedList(
      testDescription: "one symbol", words: ["a", "aa", "aaaa", "aa", "a", "aaa", "aaaaaaa"]),
    NamedList(
      testDescription: "thirty words",
      words: RandomWords.make(count: 30, alphabet: 6, longest: 7)),
    NamedList(
      testDescription: "words of which many are the same",
      words: RandomWords.make(count: 300, alphabet: 3, longest: 4)),
    NamedList(
      testDescription: "Unicode", words: ["Ærø", "Łódź", "東京", "é", "e\u{301}", "👩‍👩‍👧", "Ærøskøbing"]),
  ]
}

@Suite("An n-gram model")
struct NGramModelTests {
  private func windows(_ words: [String]) throws -> (ContextWindows, Vocabulary, [[Int32]]) {
    let list = try WordList(words)
    let vocabulary = Vocabulary(of: list)
    let windows = ContextWindows(
      try EncodedWords(list, vocabulary: vocabulary), blockSize: 3)
    return (windows, vocabulary, try words.map { try vocabulary.encode($0) })
  }

  /// Contexts that were seen, that begin a word, that were never seen, and of all lengths.
  private func contexts(_ words: [[Int32]], vocabularyCount: Int) -> [[Int32]] {
    let last = Int32(vocabularyCount - 1)
    let seen = words.prefix(20).flatMap { word in (0...word.count).map { Array(word[..<$0]) } }
    return seen + [
      [last, last, last, last, last, last], [1, 0, last, 0, 1], [0], [last, 1, last],
    ]
  }

  // The same sums in another order: a few ulps of one.
  @Test(
    "agrees with the definition, symbol by symbol and word by word",
    arguments: NamedList.all, Discounting.allCases)
  func agreesWithTheDefinition(list: NamedList, discounting: Discounting) throws {
    let (windows, vocabulary, words) = try windows(list.words)
    for order in 1...6 {
      let model = NGramModel(of: windows, order: order, discounting: discounting)
      let slow = CountedSlowly(
        words, vocabularyCount: vocabulary.count, order: order, discounting: discounting)
      for context in contexts(words, vocabularyCount: vocabulary.count).suffix(12) {
        let padded = [Int32](repeating: 0, count: order) + context
        let distribution = model.distribution(after: context)
        for id in 0..<Int32(vocabulary.count) {
          let expected = slow.probability(padded.suffix(order - 1) + [id])
          #expect(abs(distribution[Int(id)] - expected) <= 1e-14)
          #expect(abs(model.probability(of: id, after: context) - expected) <= 1e-14)
        }
      }
      for word in words.prefix(3) {
        #expect(abs(model.logProbability(of: word) - slow.logProbability(word)) <= 1e-12)
      }
    }
  }

  @Test(
    "gives every symbol a positive probability, and all together one, in every context",
    arguments: NamedList.all, Discounting.allCases)
  func sumsToOne(list: NamedList, discounting: Discounting) throws {
    let (windows, vocabulary, words) = try windows(list.words)
    for order in 1...6 {
      let model = NGramModel(of: windows, order: order, discounting: discounting)
      for context in contexts(words, vocabularyCount: vocabulary.count) {
        let distribution = model.distribution(after: context)
        #expect(distribution.count == vocabulary.count)
        #expect(distribution.allSatisfy { $0 > 0 })
        #expect(abs(distribution.reduce(0, +) - 1) <= 1e-12)
      }
    }
  }

  @Test("sums to one over 5,000 symbols too", arguments: Discounting.allCases)
  func manySymbols(discounting: Discounting) throws {
    let symbols = (0..<5_000).compactMap { Unicode.Scalar(0x4E00 + UInt32($0)) }
    let list = symbols.indices.map { "\(Character(symbols[$0]))\(Character(symbols[$0 / 2]))" }
    let (windows, vocabulary, words) = try windows(list)
    #expect(vocabulary.count == 5_001)
    let model = NGramModel(of: windows, order: 6, discounting: discounting)
    for context in [[], words[17], [words[17][0]], [5_000, 5_000]] {
      let distribution = model.distribution(after: context)
      #expect(distribution.allSatisfy { $0 > 0 })
      #expect(abs(distribution.reduce(0, +) - 1) <= 1e-12)
    }
  }

  @Test("of order 1 has one distribution: how often each character occurs, smoothed")
  func orderOne() throws {
    let (windows, vocabulary, _) = try windows(["ab", "b"])
    let model = NGramModel(of: windows, order: 1, discounting: .fixed)
    // Two ends, one a, two b: each count less 0.75, and 2.25/5 shared by three symbols.
    #expect(model.distribution(after: []) == [1.25 / 5 + 0.15, 0.25 / 5 + 0.15, 1.25 / 5 + 0.15])
    #expect(
      model.distribution(after: try vocabulary.encode("a")) == model.distribution(after: []))
  }

  @Test("has a loss that is the mean of its words' log-probabilities", arguments: 1...6)
  func loss(order: Int) throws {
    let (windows, _, words) = try windows(NamedList.all[2].words)
    let model = NGramModel(of: windows, order: order, discounting: .estimated)
    let loss = model.loss(over: ContextWindows(windows, blockSize: 5).distinct())
    let sum = words.reduce(0) { $0 + model.logProbability(of: $1) }
    #expect(abs(loss + sum / Double(windows.count)) <= 1e-12)
  }

  @Test("stops at an order that was not counted and at an id that does not exist")
  func stops() async throws {
    await #expect(processExitsWith: .failure) {
      let words = try WordList(["ab"])
      let vocabulary = Vocabulary(of: words)
      let windows = ContextWindows(
        try EncodedWords(words, vocabulary: vocabulary), blockSize: 2)
      _ = NGramModel(NGramCounts(windows.distinct()), order: 4, discounting: .fixed)
    }
    await #expect(processExitsWith: .failure) {
      let words = try WordList(["ab"])
      let vocabulary = Vocabulary(of: words)
      let windows = ContextWindows(
        try EncodedWords(words, vocabulary: vocabulary), blockSize: 2)
      _ = NGramModel(of: windows, order: 3, discounting: .fixed).probability(of: 3, after: [])
    }
  }
}
