// Which constraints are refused, the states of their automaton, and which options define no chain.

import Testing

@testable import CharMLP

@Suite("Word constraints")
struct WordConstraintsTests {
  @Test(
    "Constraints that no word can meet are refused",
    arguments: [
      WordConstraints(max: 2, suffix: "ella"), WordConstraints(min: 3, max: 2),
      WordConstraints(max: 0), WordConstraints(prefix: "ab", avoid: "b"),
      WordConstraints(suffix: "ab", avoid: "a"), WordConstraints(avoid: "abel"),
      WordConstraints(max: 3, prefix: "abb", suffix: "ab"),
      WordConstraints(max: 3, contains: ["ab", "ba", "el"]),
    ])
  func impossible(constraints: WordConstraints) throws {
    let vocabulary = try Vocabulary(symbols: ["a", "b", "e", "l"])
    #expect(throws: ConstraintError.impossible("\(constraints)")) {
      _ = try EncodedConstraints(constraints, vocabulary)
    }
  }

  @Test(
    "Constraints that some word can just meet are accepted",
    arguments: [
      WordConstraints(max: 4, suffix: "ella"), WordConstraints(min: 0, avoid: "abel"),
      WordConstraints(max: 3, prefix: "ab", suffix: "ba"), WordConstraints(min: 1000, avoid: "abe"),
      WordConstraints(max: 4, contains: ["ab", "ba", "e"]),
    ])
  func possible(constraints: WordConstraints) throws {
    _ = try EncodedConstraints(constraints, try Vocabulary(symbols: ["a", "b", "e", "l"]))
  }

  @Test(
    "Constraints without a word are refused at once, however long words may be",
    .timeLimit(.minutes(1)))
  func impossibleAtAnyLength() throws {
    let vocabulary = try Vocabulary(symbols: ["a", "b", "e", "l"])
    for constraints in [
      WordConstraints(max: .max, suffix: "b", avoid: "b"),
      WordConstraints(min: 10_000, max: .max, avoid: "abel"),
      WordConstraints(min: 10_000, max: 10_000, prefix: "b", contains: ["a"], avoid: "a"),
      WordConstraints(max: -1),
    ] {
      #expect(throws: ConstraintError.impossible("\(constraints)")) {
        _ = try EncodedConstraints(constraints, vocabulary)
      }
    }
  }

  @Test("A shortest length is refused if no word is as long", arguments: [10_001, 1 << 40, .max])
  func tooLong(length: Int) throws {
    let model = try tinyModel()
    var request = Sampler.Request(seed: 1)
    request.constraints.minLength = length
    let expected = ConstraintError.option(
      "min-length", found: "\(length)", expected: "at most 10000 characters")
    #expect(throws: expected) { try Sampler(model, request) }
    #expect(throws: expected) { try MostLikelyWords(Predictor(model), request) }
  }

  @Test("Extreme lengths neither trap nor hang")
  func extremeLengths() throws {
    var request = Sampler.Request(seed: 1)
    request.constraints = WordConstraints(min: .min, max: .max)
    var sampler = try Sampler(tinyModel(), request)
    _ = try sampler.next()
  }

  @Test("Constraints are refused if, and only if, no word of their lengths meets them")
  func everyLength() throws {
    let vocabulary = try Vocabulary(symbols: ["a", "b"])
    var words = [""]
    for _ in 0..<7 {
      words += words.filter { $0.count == words.last!.count }.flatMap { [$0 + "a", $0 + "b"] }
    }
    let kinds = [
      WordConstraints(), WordConstraints(prefix: "aba"), WordConstraints(suffix: "abab"),
      WordConstraints(prefix: "ab", suffix: "aba"), WordConstraints(contains: ["aa", "bb"]),
      WordConstraints(suffix: "ba", contains: ["bab", "abb"]), WordConstraints(avoid: "b"),
      WordConstraints(contains: ["aaa"], avoid: "b"), WordConstraints(avoid: "ab"),
    ]
    for kind in kinds {
      for (shortest, longest) in (0...7).flatMap({ low in (0...7).map { (low, $0) } }) {
        var constraints = kind
        (constraints.minLength, constraints.maxLength) = (shortest, longest)
        let isPossible = (try? EncodedConstraints(constraints, vocabulary)) != nil
        #expect(isPossible == words.contains(where: constraints.allow), "\(constraints)")
      }
    }
  }

  @Test(
    "The states after many characters are those after one at a time",
    arguments: [0, 1, 7, 500, 501])
  func states(length: Int) throws {
    // Where no word begins with b, the states that have met neither keyword alternate.
    let automaton = try ConstraintAutomaton(
      suffix: [1, 2, 1], contains: [[1, 1], [2, 2]], avoid: [], neverFirst: [2], vocabularyCount: 3)
    var expected: Set<Int> = [0]
    for _ in 0..<length {
      expected = Set(expected.flatMap { state in (1...2).map { automaton.next(state, $0) } })
      expected.remove(automaton.count)
    }
    #expect(automaton.states(after: length, from: 0) == expected.sorted())
    #expect(automaton.states(after: 500, from: 0) != automaton.states(after: 501, from: 0))
  }

  @Test("Constraints with a character outside the alphabet are refused by name")
  func unknown() throws {
    let vocabulary = try Vocabulary(symbols: ["a"])
    let refused: [(WordConstraints, String)] = [
      (WordConstraints(prefix: "x"), "prefix"), (WordConstraints(suffix: "x"), "suffix"),
      (WordConstraints(contains: ["a", "x"]), "contains"), (WordConstraints(avoid: "x"), "avoid"),
    ]
    for (constraints, name) in refused {
      #expect(throws: ConstraintError.unknownSymbol("x", in: name)) {
        _ = try EncodedConstraints(constraints, vocabulary)
      }
    }
  }

  @Test("Constraints that together need too many states are refused")
  func tooComplex() throws {
    let vocabulary = try Vocabulary(symbols: (0..<26).compactMap { Unicode.Scalar(97 + $0) })
    let parts = (0..<13).map { String(UnicodeScalar(UInt8(97 + $0))) }
    #expect(throws: ConstraintError.tooComplex(limit: 4096)) {
      _ = try EncodedConstraints(WordConstraints(contains: parts), vocabulary)
    }
  }
}

@Suite("Options of the chain")
struct RefusedChainOptionsTests {
  @Test(
    "A temperature, top-k or top-p that defines no chain is refused by everything that takes it",
    arguments: [
      (ChainOptions(temperature: 0), "temperature 0.0: expected a number above 0"),
      (ChainOptions(temperature: -1), "temperature -1.0: expected a number above 0"),
      (ChainOptions(temperature: .nan), "temperature nan: expected a number above 0"),
      (ChainOptions(temperature: .infinity), "temperature inf: expected a number above 0"),
      (ChainOptions(topK: 0), "top-k 0: expected at least 1"),
      (ChainOptions(topP: 0), "top-p 0.0: expected above 0 and at most 1"),
      (ChainOptions(topP: 1.5), "top-p 1.5: expected above 0 and at most 1"),
    ])
  func refused(options: ChainOptions, message: String) throws {
    let model = try tinyModel()
    var request = Sampler.Request(seed: 1)
    request.chain = options
    let attempts: [() throws -> Void] = [
      { _ = try Sampler(model, request) }, { _ = try WordScorer(model, options) },
      { _ = try MostLikelyWords(Predictor(model), request) },
    ]
    for attempt in attempts {
      let error = #expect(throws: ConstraintError.self) { try attempt() }
      #expect(error.map { "\($0)" } == message)
    }
  }

  @Test("A sampling budget of 0 is refused")
  func budget() throws {
    var request = Sampler.Request(seed: 1)
    request.budget = 0
    #expect(throws: ConstraintError.self) {
      try Sampler(tinyModel(), request)
    }
  }
}
