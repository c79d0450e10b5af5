// The n-gram model against its definition, counted slowly, and against what a distribution has to
// be; and its discounts.

import Foundation
import Testing

@testable import CharMLP

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

extension NGramModel {
  /// The logarithm of the probability of a word and its end.
  fileprivate func logProbability(of word: [Int32]) -> Double {
    (word + [0]).indices.reduce(0) { sum, end in
      sum + log(distribution(after: word[..<end])[Int((word + [0])[end])])
    }
  }
}

@Suite("N-gram models")
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
    "An n-gram model agrees with the definition for every symbol and word",
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
        }
      }
      for word in words.prefix(3) {
        #expect(abs(model.logProbability(of: word) - slow.logProbability(word)) <= 1e-12)
      }
    }
  }

  @Test(
    "An n-gram model's probabilities are positive and sum to one in every context",
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

  @Test(
    "An n-gram model's probabilities sum to one over 5,000 symbols", arguments: Discounting.allCases
  )
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

  @Test("An n-gram model of order 1 has one distribution, the smoothed frequencies")
  func orderOne() throws {
    let (windows, vocabulary, _) = try windows(["ab", "b"])
    let model = NGramModel(of: windows, order: 1, discounting: .fixed)
    // Two ends, one a, two b: each count less 0.75, and 2.25/5 shared by three symbols.
    #expect(model.distribution(after: []) == [1.25 / 5 + 0.15, 0.25 / 5 + 0.15, 1.25 / 5 + 0.15])
    #expect(
      model.distribution(after: try vocabulary.encode("a")) == model.distribution(after: []))
  }

  @Test("An n-gram model's loss is the mean of its words' log-probabilities", arguments: 1...6)
  func loss(order: Int) throws {
    let (windows, _, words) = try windows(NamedList.all[2].words)
    let model = NGramModel(of: windows, order: order, discounting: .estimated)
    let counts = NGramCounts(ContextWindows(windows, blockSize: max(1, order - 1)).distinct())
    let losses = KneserNey.losses(
      of: [KneserNey(counts, .estimated)], over: ContextWindows(windows, blockSize: 5).distinct())
    let loss = losses[0][order - 1]
    let sum = words.reduce(0) { $0 + model.logProbability(of: $1) }
    #expect(abs(loss + sum / Double(windows.count)) <= 1e-12)
  }

  @Test("An n-gram model of order 0 stops the program")
  func stops() async throws {
    await #expect(processExitsWith: .failure) {
      let words = try WordList(["ab"])
      let vocabulary = Vocabulary(of: words)
      let windows = ContextWindows(
        try EncodedWords(words, vocabulary: vocabulary), blockSize: 2)
      _ = NGramModel(of: windows, order: 0, discounting: .fixed)
    }
  }
}

// MARK: - Discounts

extension KneserNey {
  /// The discounts of the model of an order, by context length: 0 to order − 1.
  func discounts(order: Int) -> [Discounts] {
    continuations.discounts.prefix(order - 1) + [windows.discounts[order - 1]]
  }
}

@Suite("Discounts")
struct DiscountsTests {
  @Test("Discounts are estimated by Chen and Goodman's equation 26")
  func estimate() throws {
    let discounts = try #require(Discounts(n1: 100, n2: 50, n3: 20, n4: 10))
    // Y = 100 / 200
    #expect(
      discounts == Discounts(one: 0.5, two: 2 - 1.5 * 20 / 50, threeOrMore: 3 - 2 * 10.0 / 20))
  }

  @Test(
    "Discounts cannot be estimated without counts of one, two, three and four",
    arguments: [(0, 5, 5, 5), (5, 0, 5, 5), (5, 5, 0, 5), (5, 5, 5, 0), (0, 0, 0, 0)])
  func missing(n1: Int, n2: Int, n3: Int, n4: Int) {
    #expect(Discounts(n1: n1, n2: n2, n3: n3, n4: n4) == nil)
  }

  @Test(
    "Discounts cannot be estimated where an estimate would not be above zero",
    arguments: [(9, 1, 9, 1), (9, 9, 1, 9)])
  func outOfRange(n1: Int, n2: Int, n3: Int, n4: Int) {
    #expect(Discounts(n1: n1, n2: n2, n3: n3, n4: n4) == nil)
  }

  @Test("Discounts are 0.75 at every level where a list is too small to estimate them")
  func fallBack() throws {
    let words = try WordList(["ab", "b"])
    let windows = ContextWindows(
      try EncodedWords(words, vocabulary: Vocabulary(of: words)), blockSize: 5)
    let smoothing = KneserNey(NGramCounts(windows.distinct()), .estimated)
    #expect(smoothing.discounts(order: 6) == Array(repeating: .fixed, count: 6))
  }
}

// MARK: - The definition

// Interpolated Kneser-Ney straight from its definition: words in arrays, counts in dictionaries,
// every sum taken anew for every question. It shares nothing with the library but the words.

struct CountedSlowly {
  let order: Int
  let vocabularyCount: Int
  let discounting: Discounting
  /// For each length, how often each n-gram of ids counts.
  private var counts: [Int: [[Int32]: Int]] = [:]

  /// Counts encoded words, given without their terminators.
  init(_ words: [[Int32]], vocabularyCount: Int, order: Int, discounting: Discounting) {
    (self.order, self.vocabularyCount) = (order, vocabularyCount)
    self.discounting = discounting
    var top: [[Int32]: Int] = [:]
    for word in words {
      let text = [Int32](repeating: 0, count: order - 1) + word + [0]
      for start in 0...word.count { top[Array(text[start..<start + order]), default: 0] += 1 }
    }
    counts[order] = top
    for length in (1..<order).reversed() {
      var lower: [[Int32]: Int] = [:]
      for ngram in counts[length + 1]!.keys { lower[Array(ngram.dropFirst()), default: 0] += 1 }
      counts[length] = lower
    }
  }

  /// What is taken from a count of an n-gram of some length.
  func discount(of count: Int, length: Int) -> Double {
    let numbers = (1...4).map { k in Double(counts[length]!.values.count { $0 == k }) }
    guard discounting == .estimated, numbers.allSatisfy({ $0 > 0 }) else { return 0.75 }
    let ratio = numbers[0] / (numbers[0] + 2 * numbers[1])
    let estimates = (1...3).map { k in
      Double(k) - Double(k + 1) * ratio * numbers[k] / numbers[k - 1]
    }
    return estimates.allSatisfy { $0 > 0 } ? estimates[min(count, 3) - 1] : 0.75
  }

  /// The probability of the last id of an n-gram after the others.
  func probability(_ ngram: [Int32]) -> Double {
    guard !ngram.isEmpty else { return 1 / Double(vocabularyCount) }
    let shorter = probability(Array(ngram.dropFirst()))
    let following = counts[ngram.count]!.filter { $0.key.dropLast() == ngram.dropLast() }
    guard !following.isEmpty else { return shorter }
    let total = Double(following.values.reduce(0, +))
    let taken = following.values.reduce(0) { $0 + discount(of: $1, length: ngram.count) }
    let kept = following[ngram].map { Double($0) - discount(of: $0, length: ngram.count) } ?? 0
    return kept / total + taken / total * shorter
  }

  /// The logarithm of the probability of a word and its end.
  func logProbability(_ word: [Int32]) -> Double {
    let text = [Int32](repeating: 0, count: order - 1) + word + [0]
    return (0...word.count).reduce(0) { $0 + log(probability(Array(text[$1..<$1 + order]))) }
  }
}
