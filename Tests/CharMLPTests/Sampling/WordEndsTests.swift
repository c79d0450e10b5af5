// Words neither begin nor end with what reading trims, nor begin with a mark: drawn exactly so, by
// every method, and only where the vocabulary has such symbols.

import Testing

@testable import CharMLP

@Suite("The ends of drawn words")
struct WordEndsTests {
  /// A blank, a letter, a mark.
  private static let symbols: [Unicode.Scalar] = [" ", "a", "\u{301}"]

  private func model() throws -> Model {
    let letters = try tinyModel(letters: 3, block: 2)
    return Model(
      vocabulary: try Vocabulary(symbols: Self.symbols), parameters: letters.parameters,
      statistics: letters.statistics)
  }

  private func isWanted(_ word: String) -> Bool {
    let scalars = word.unicodeScalars
    guard let first = scalars.first, let last = scalars.last else { return false }
    return first == "a" && last != " "
  }

  @Test(
    "Words are drawn in the proportions of the chain, without those that begin or end as none may",
    arguments: [WordSpace.stateLimit, 0])
  func proportions(stateLimit: Int) throws {
    let model = try model()
    let words = allWords(model, upTo: 8).filter { isWanted($0.word) }
    let mass = words.map(\.probability).reduce(0, +)
    var sampler = Sampler(
      try Sampler.Plan(Predictor(model), Sampler.Request(seed: 3), stateLimit: stateLimit))
    #expect(sampler.method == (stateLimit == 0 ? .rejection : .exact))
    let count = 20_000
    var counts: [[Unicode.Scalar]: Int] = [:]
    for _ in 0..<count {
      let word = try sampler.next()
      #expect(isWanted(word))
      counts[Array(word.unicodeScalars), default: 0] += 1
    }
    for (word, probability) in words.sorted(by: { $0.probability > $1.probability }).prefix(12) {
      let expected = probability / mass
      let found = Double(counts[Array(word.unicodeScalars)] ?? 0) / Double(count)
      // Words of more than eight characters have a share too, which is small.
      #expect(abs(found - expected) < 0.03 * expected + 5 * (expected / Double(count)).squareRoot())
    }
  }

  @Test("The most likely words are those of the chain that begin and end as words may")
  func mostLikely() throws {
    let model = try model()
    let expected = allWords(model, upTo: 8).filter { isWanted($0.word) }
      .sorted { $0.probability > $1.probability }.prefix(6).map { Array($0.word.unicodeScalars) }
    var search = try MostLikelyWords(Predictor(model), Sampler.Request(seed: 1))
    var word = DrawnWord()
    for scalars in expected {
      try search.next(into: &word)
      #expect(Array(model.vocabulary.decode(word.ids).unicodeScalars) == scalars)
    }
  }

  @Test("A word begins as one of the list does, or as the prefix does")
  func beginnings() throws {
    var constraints = WordConstraints(max: 3)
    func mayBegin(_ id: Int) throws -> Bool {
      let language = try EncodedConstraints(constraints, model().vocabulary)
      return language.canContinue(language.automaton.next(0, id), length: 1)
    }
    #expect(try (1...3).filter { try mayBegin($0) } == [2])
    constraints.beginAndEnd(like: try WordList(["aa", "ab", "\u{301}a"]))
    #expect(try (1...3).filter { try mayBegin($0) } == [2, 3])
    constraints.beginAndEnd(like: try WordList(["\u{301}a", "\u{301}b"]))
    #expect(try (1...3).filter { try mayBegin($0) } == [3])
    #expect(throws: Never.self) {
      try EncodedConstraints(WordConstraints(prefix: "\u{301}"), model().vocabulary)
    }
    for impossible in [WordConstraints(prefix: " "), WordConstraints(suffix: "a ")] {
      #expect(throws: ConstraintError.self) {
        try EncodedConstraints(impossible, model().vocabulary)
      }
    }
  }

  /// A symbol of each kind that ends no word of a list, unless one does.
  @Test(
    "A word does not end with what needs something behind it, unless a word of the list does",
    arguments: ["-", "'", "&", "\u{200D}", "\u{200C}", "\u{94D}", "\u{E40}", "\u{1112}"])
  func openEnds(symbol: Unicode.Scalar) throws {
    let vocabulary = try Vocabulary(symbols: ["a", symbol].sorted())
    let id = try #require(vocabulary.id(of: symbol))
    func mayEnd(_ constraints: WordConstraints) throws -> Bool {
      let language = try EncodedConstraints(constraints, vocabulary)
      let letter = language.automaton.next(0, id == 1 ? 2 : 1)
      #expect(language.mayEnd(letter, length: 1) == constraints.suffix.isEmpty)
      return language.mayEnd(language.automaton.next(letter, Int(id)), length: 2)
    }
    var constraints = WordConstraints(max: 3)
    constraints.beginAndEnd(like: try WordList(["aa", "a\(symbol)a"]))
    #expect(try !mayEnd(constraints))
    constraints.beginAndEnd(like: try WordList(["aa", "a\(symbol)"]))
    #expect(try mayEnd(constraints))
    // Where the list is not known, only joiners are refused.
    constraints.endings = nil
    #expect(try mayEnd(constraints) != symbol.properties.isJoinControl)
    // Whoever asks for it gets it.
    constraints.beginAndEnd(like: try WordList(["aa", "a\(symbol)a"]))
    constraints.suffix = "\(symbol)"
    #expect(try mayEnd(constraints))
  }

  @Test(
    "A word may end with a letter, digit or mark though no word of the list does",
    arguments: ["b", "7", "\u{301}", "\u{93E}", "\u{5D0}", "\u{4E00}", "\u{1161}", "\u{1F680}"])
  func newEnds(symbol: Unicode.Scalar) throws {
    let vocabulary = try Vocabulary(symbols: ["a", symbol].sorted())
    let id = Int(try #require(vocabulary.id(of: symbol)))
    var constraints = WordConstraints(max: 3)
    constraints.beginAndEnd(like: try WordList(["aa", "a\(symbol)a"]))
    let language = try EncodedConstraints(constraints, vocabulary)
    let letter = language.automaton.next(0, id == 1 ? 2 : 1)
    #expect(language.mayEnd(language.automaton.next(letter, id), length: 2))
  }

  @Test("A vocabulary of letters alone constrains nothing")
  func free() throws {
    #expect(try EncodedConstraints(WordConstraints(), tinyModel().vocabulary).acceptsAll)
    #expect(try !EncodedConstraints(WordConstraints(), model().vocabulary).acceptsAll)
  }
}
