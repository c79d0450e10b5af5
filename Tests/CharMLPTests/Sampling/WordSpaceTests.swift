// The exact conditional distribution against enumeration: for tiny models every word is written
// down.

import Foundation
import Testing

@testable import CharMLP

/// What is asked for, and in which chain.
struct AskedFor: Sendable, CustomTestStringConvertible {
  var constraints = WordConstraints()
  var options = ChainOptions()
  var forbidden: [String] = []

  init(
    _ constraints: WordConstraints, _ options: ChainOptions = ChainOptions(),
    forbidden: [String] = []
  ) {
    (self.constraints, self.options, self.forbidden) = (constraints, options, forbidden)
  }

  var testDescription: String {
    "\(constraints), temperature \(options.temperature), top-k \(options.topK ?? 0), "
      + "top-p \(options.topP), without \(forbidden)"
  }

  func space(_ model: Model, stateLimit: Int = WordSpace.stateLimit) throws -> WordSpace? {
    var words = ForbiddenWords()
    for word in forbidden { words.add(word, model.vocabulary) }
    return WordSpace(
      NextCharacterNetwork(Predictor(model)), options,
      try EncodedConstraints(constraints, model.vocabulary),
      words, stateLimit: stateLimit)
  }
}

let askedFor: [AskedFor] = [
  AskedFor(WordConstraints()),
  AskedFor(WordConstraints(min: 0)),
  AskedFor(WordConstraints(min: 3)),
  AskedFor(WordConstraints(max: 4)),
  AskedFor(WordConstraints(min: 2, max: 2)),
  AskedFor(WordConstraints(min: 0, max: 0)),
  AskedFor(WordConstraints(min: 4, max: 6, suffix: "ab")),
  AskedFor(WordConstraints(prefix: "ab")),
  AskedFor(WordConstraints(min: 5, prefix: "abab")),
  AskedFor(WordConstraints(max: 5, prefix: "ba", suffix: "ab")),
  AskedFor(WordConstraints(prefix: "aba", suffix: "aba")),
  AskedFor(WordConstraints(suffix: "aab")),
  AskedFor(WordConstraints(suffix: "aaa", contains: ["bb"])),
  AskedFor(WordConstraints(contains: ["abab"])),
  AskedFor(WordConstraints(contains: ["ab", "ba"])),
  AskedFor(WordConstraints(min: 3, max: 9, contains: ["aa"])),
  AskedFor(WordConstraints(avoid: "b")),
  AskedFor(WordConstraints(min: 2, prefix: "a", avoid: "b")),
  AskedFor(WordConstraints(suffix: "b"), ChainOptions(temperature: 0.5)),
  AskedFor(WordConstraints(contains: ["aa"]), ChainOptions(temperature: 1.5)),
  AskedFor(WordConstraints(), ChainOptions(topK: 2)),
  AskedFor(WordConstraints(min: 2), ChainOptions(topP: 0.9999)),
  AskedFor(WordConstraints(suffix: "a"), ChainOptions(temperature: 1.2, topK: 2, topP: 0.9999)),
  AskedFor(WordConstraints(), forbidden: ["a", "b", "ab", "abab", "bbbbb"]),
  AskedFor(WordConstraints(max: 3), forbidden: ["a", "aa", "aab", "x", "bbbbbbb", ""]),
  AskedFor(WordConstraints(min: 2, prefix: "a"), forbidden: ["a", "ab", "ba", "aba", "abb"]),
  AskedFor(WordConstraints(suffix: "a"), ChainOptions(topK: 2), forbidden: ["a", "aab", "bb"]),
]

@Suite("The exact conditional distribution")
struct WordSpaceTests {
  /// Of all words as asked, those with more characters have less than 1e-13 of the probability,
  /// because words of the tiny model that are asked here end soon.
  private static let length = 13
  private static let ending: Float = 7

  /// The probability of every word that a walk can make.
  private func distribution(
    _ space: WordSpace, _ vocabulary: Vocabulary, upTo length: Int
  ) -> [String: Double] {
    var result: [String: Double] = [:]
    var weights = [Double](repeating: 0, count: space.vocabularyCount)
    var pending = [(space.start, space.language.prefix, 1.0)]
    while let (position, text, probability) = pending.popLast() {
      let sum = space.weigh(position, into: &weights)
      guard sum > 0, text.count <= length else { continue }
      if weights[0] > 0 { result[vocabulary.decode(text)] = probability * weights[0] / sum }
      for id in 1..<weights.count where weights[id] > 0 {
        pending.append(
          (space.advance(position, id), text + [Int32(id)], probability * weights[id] / sum))
      }
    }
    return result
  }

  @Test("The exact conditional distribution is that of enumerated words", arguments: askedFor)
  func enumeration(_ asked: AskedFor) throws {
    let model = try tinyModel(ending: Self.ending)
    let space = try #require(try asked.space(model))
    let expected = bruteForce(
      model, asked.options, asked.constraints, forbidden: Set(asked.forbidden),
      upTo: Self.length)
    let found = distribution(space, model.vocabulary, upTo: Self.length)
    #expect(!expected.isEmpty)
    #expect(totalVariation(expected, found) <= 1e-12)
    // A word that may not be drawn has no probability at all, and every other one has some.
    #expect(Set(found.keys) == Set(expected.keys))
  }

  @Test("The exact conditional distribution without drawn words is that of the remaining ones")
  func forbidding() throws {
    let model = try tinyModel(ending: Self.ending)
    let asked = AskedFor(WordConstraints(max: 4, prefix: "a"))
    var space = try #require(try asked.space(model))
    var drawn: Set<String> = []
    for _ in 0..<15 {
      let expected = bruteForce(
        model, asked.options, asked.constraints, forbidden: drawn, upTo: 4)
      let found = distribution(space, model.vocabulary, upTo: 4)
      #expect(totalVariation(expected, found) <= 1e-12)
      let word = try #require(expected.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key)
      space.forbid(try model.vocabulary.encode(word))
      drawn.insert(word)
    }
    // a and what one, two and three more letters make of it: 1 + 2 + 4 + 8 words.
    #expect(space.shareLeft == 0)
  }

  @Test("The exact conditional distribution is exact however little is left of it")
  func tinyRemainder() throws {
    let model = try tinyModel(ending: Self.ending)
    let words = allWords(model, upTo: 9).filter { (1...9).contains($0.word.count) }
    let rarest = try #require(words.min { $0.probability < $1.probability })
    let asked = AskedFor(
      WordConstraints(max: 9), forbidden: words.map(\.word).filter { $0 != rarest.word })
    let space = try #require(try asked.space(model))
    // Its share is far below what a difference of sums near one could tell from zero.
    #expect(rarest.probability < 1e-13)
    let total = words.map(\.probability).reduce(0, +)
    #expect(abs(space.shareLeft * total / rarest.probability - 1) < 1e-12)
    #expect(distribution(space, model.vocabulary, upTo: 9) == [rarest.word: 1])
  }

  @Test("The exact conditional distribution is empty where top-k leaves no word")
  func nothingLeft() throws {
    let model = try tinyModel(ending: -50)
    let space = try #require(
      try AskedFor(WordConstraints(), ChainOptions(topK: 1)).space(model))
    #expect(space.shareLeft == 0)
  }

  @Test("The exact conditional distribution is not built beyond the limit of states")
  func limit() throws {
    let model = try tinyModel()
    #expect(try AskedFor(WordConstraints(suffix: "ab")).space(model, stateLimit: 20) == nil)
    #expect(try AskedFor(WordConstraints(suffix: "ab")).space(model, stateLimit: 21) != nil)
  }
}
