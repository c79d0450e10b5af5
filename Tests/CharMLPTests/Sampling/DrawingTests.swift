// What is drawn, counted against what is known: chi-square, sums to one, and the order of words.

import RealModule
import Testing

@testable import CharMLP

@Suite("Drawing words")
struct DrawingTests {
  /// Pearson's statistic less its mean, in standard deviations; words that are expected less than
  /// five times are taken together.
  private func deviation(
    _ counts: [String: Int], _ expected: [String: Double], draws: Int
  ) -> Double {
    var (statistic, cells) = (0.0, 0)
    var rest = (expected: 0.0, found: Double(draws))
    for (word, probability) in expected.sorted(by: { $0.key < $1.key }) {
      let mean = probability * Double(draws)
      guard mean >= 5 else {
        rest.expected += mean
        continue
      }
      let found = Double(counts[word] ?? 0)
      rest.found -= found
      statistic += (found - mean) * (found - mean) / mean
      cells += 1
    }
    if rest.expected >= 5 {
      statistic += (rest.found - rest.expected) * (rest.found - rest.expected) / rest.expected
      cells += 1
    }
    let freedom = Double(max(1, cells - 1))
    return (statistic - freedom) / (2 * freedom).squareRoot()
  }

  private func counts(_ sampler: inout Sampler, _ vocabulary: Vocabulary, _ draws: Int) throws
    -> [String: Int]
  {
    var ids: [[Int32]: Int] = [:]
    var word = DrawnWord()
    for _ in 0..<draws {
      try sampler.next(into: &word)
      ids[word.ids, default: 0] += 1
    }
    return Dictionary(uniqueKeysWithValues: ids.map { (vocabulary.decode($0), $1) })
  }

  private func check(_ asked: AskedFor, stateLimit: Int, _ method: Sampler.Method, draws: Int)
    throws
  {
    let model = try tinyModel(ending: 3)
    var request = Sampler.Request(seed: 42)
    (request.constraints, request.chain) = (asked.constraints, asked.options)
    for word in asked.forbidden { request.forbidden.add(word, model.vocabulary) }
    var sampler = try Sampler(Predictor(model), request, stateLimit: stateLimit)
    #expect(sampler.method == method)
    let counts = try counts(&sampler, model.vocabulary, draws)
    let expected = bruteForce(
      model, asked.options, asked.constraints, forbidden: Set(asked.forbidden), upTo: 14)
    #expect(counts.keys.allSatisfy { $0.count > 14 || expected[$0] != nil })
    // The statistic of a right sampler exceeds its mean by five deviations once in 10⁵ seeds or
    // less.
    #expect(abs(deviation(counts, expected, draws: draws)) < 5)
  }

  private static let constrained = AskedFor(
    WordConstraints(min: 2, max: 9, prefix: "a", contains: ["ba"]), forbidden: ["aba", "aaba"])

  @Test("A million words drawn by the exact method have the conditional distribution")
  func exact() throws {
    try check(Self.constrained, stateLimit: .max, .exact, draws: 1_000_000)
  }

  @Test("A million words drawn without constraints have the chain's distribution")
  func free() throws {
    try check(AskedFor(WordConstraints()), stateLimit: .max, .free, draws: 1_000_000)
  }

  @Test("Words drawn by rejection have the conditional distribution")
  func rejection() throws {
    try check(Self.constrained, stateLimit: 0, .rejection, draws: 100_000)
  }

  @Test("The chi-square test of words detects a distribution that is off by a hundredth")
  func chiSquare() throws {
    let expected = ["a": 0.5, "b": 0.3, "c": 0.2]
    #expect(
      abs(deviation(["a": 500_300, "b": 299_900, "c": 199_800], expected, draws: 1_000_000)) < 5)
    #expect(deviation(["a": 505_000, "b": 297_000, "c": 198_000], expected, draws: 1_000_000) > 5)
  }

  @Test(
    "Unique words are drawn once each, and no forbidden one, until none is left",
    arguments: [Int.max, 0])
  func unique(stateLimit: Int) throws {
    let model = try tinyModel(ending: 0)
    var request = Sampler.Request(seed: 3)
    request.constraints = WordConstraints(min: 0, max: 3)
    request.forbidden.add("ab", model.vocabulary)
    request.isUnique = true
    request.budget = 100_000
    var sampler = try Sampler(Predictor(model), request, stateLimit: stateLimit)
    // 1 + 2 + 4 + 8 words of up to three letters, less one.
    let words = try (0..<14).map { _ in try sampler.next() }
    #expect(Set(words).count == 14)
    #expect(!words.contains("ab"))
    let last = #expect(throws: SamplingError.self) { try sampler.next() }
    #expect(last == (stateLimit == 0 ? .budgetSpent(characters: 100_000) : .exhausted))
  }

  @Test(
    "A seed gives the same words, however little of the chain is kept",
    arguments: [0, 1000, 1 << 26])
  func cache(byteLimit: Int) throws {
    let model = try tinyModel(letters: 6, block: 3, ending: 1)
    func words(_ byteLimit: Int) throws -> [DrawnWord] {
      var request = Sampler.Request(seed: 5)
      request.budget = 1000
      let plan = try Sampler.Plan(Predictor(model), request)
      var sampler = LockstepSampler(
        NextCharacterNetwork(Predictor(model)), plan.language, request, isFree: true, budget: 1000,
        byteLimit: byteLimit)
      return try (0..<3000).map { _ in
        var word = DrawnWord()
        while try !sampler.proceed(into: &word) {}
        return word
      }
    }
    #expect(try words(byteLimit) == words(1 << 24))
  }

  @Test("A word is given up at the character that makes it too long", arguments: [0, 1 << 24])
  func givenUp(byteLimit: Int) throws {
    var request = Sampler.Request(seed: 6)
    request.constraints = WordConstraints(min: 0, max: 2)
    let predictor = try Predictor(tinyModel())
    let plan = try Sampler.Plan(predictor, request)
    var sampler = LockstepSampler(
      NextCharacterNetwork(predictor), plan.language, request, isFree: false, budget: 1000,
      byteLimit: byteLimit)
    var word = DrawnWord()
    var lost: Set<Int> = []
    for _ in 0..<500 {
      var attempt = sampler.collect(into: &word)
      while attempt == nil { attempt = sampler.collect(into: &word) }
      if let attempt, !attempt.isWord { lost.insert(attempt.drawn) }
    }
    #expect(lost == [3])
  }

  @Test("A drawn word's log-probability is the sum of its score", arguments: [Int.max, 0])
  func logProbability(stateLimit: Int) throws {
    let model = try tinyModel(letters: 5, block: 3, ending: 0)
    var request = Sampler.Request(seed: 8)
    request.constraints = WordConstraints(min: 2, prefix: "b")
    request.chain = ChainOptions(temperature: 1.3)
    var sampler = try Sampler(Predictor(model), request, stateLimit: stateLimit)
    let scorer = try WordScorer(model, request.chain)
    var word = DrawnWord()
    for _ in 0..<300 {
      try sampler.next(into: &word)
      let score = WordScore(word.ids, scorer).sum
      #expect(abs(word.logProbability - score) < 1e-12 * max(1, abs(score)))
    }
  }

  @Test("The probabilities of all words up to a length, and of the unfinished rest, sum to one")
  func scores() throws {
    let model = try tinyModel(letters: 3, block: 2, ending: 1)
    let scorer = WordScorer(model)
    var sum = 0.0
    var texts: [[Int32]] = [[]]
    for length in 0...6 {
      for text in texts {
        let logs = scorer.logProbabilities(of: text)
        sum += .exp(logs.reduce(0, +))
        if length == 6 { sum += .exp(logs.dropLast().reduce(0, +)) * (1 - .exp(logs[6])) }
      }
      texts = texts.flatMap { text in (1...3).map { text + [Int32($0)] } }
    }
    #expect(abs(sum - 1) < 1e-12)
  }

  @Test("The budget ends the search for a word")
  func budget() throws {
    var request = Sampler.Request(seed: 1)
    request.constraints = WordConstraints(suffix: "abababab")
    request.budget = 50
    var sampler = try Sampler(Predictor(tinyModel()), request, stateLimit: 0)
    #expect(throws: SamplingError.budgetSpent(characters: 50)) { try sampler.next() }
  }
}

@Suite("The most likely words")
struct MostLikelyWordsTests {
  @Test(
    "The most likely words are those of exhaustive search, in order", arguments: askedFor,
    [Int.max, 0])
  func exhaustive(asked: AskedFor, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    var request = Sampler.Request(seed: 0)
    (request.constraints, request.chain) = (asked.constraints, asked.options)
    for word in asked.forbidden { request.forbidden.add(word, model.vocabulary) }
    // Words of more than twelve letters are rarer than the first ten of any of these.
    let allowed = allWords(model, asked.options, upTo: 12).filter {
      asked.constraints.allow($0.word) && !asked.forbidden.contains($0.word) && $0.probability > 0
    }
    let expected = allowed.map { Double.log($0.probability) }.sorted(by: >).prefix(10)
    let logs = Dictionary(
      uniqueKeysWithValues: allowed.map { ($0.word, Double.log($0.probability)) })
    var search = try MostLikelyWords(Predictor(model), request, stateLimit: stateLimit)
    var word = DrawnWord()
    var found: Set<String> = []
    for log in expected {
      try search.next(into: &word)
      let text = model.vocabulary.decode(word.ids)
      found.insert(text)
      // Words of the same pairs in another order are equally probable but for rounding, so that
      // their order is open; 1e-12 is far above the rounding of fourteen logarithms.
      #expect(abs(word.logProbability - log) < 1e-12)
      #expect(abs((logs[text] ?? 0) - log) < 1e-12)
    }
    #expect(found.count == expected.count)
    if expected.count < 10, asked.constraints.maxLength != nil {
      #expect(throws: SamplingError.exhausted) { try search.next(into: &word) }
    }
  }
}

@Suite("The memory of the search for the most likely words")
struct MostLikelyMemoryTests {
  private static let request = {
    var request = Sampler.Request(seed: 0)
    request.constraints = WordConstraints(max: 9)
    return request
  }()

  /// The words that a search gives, at most `count`, and why there are no more.
  private func words(
    _ search: MostLikelyWords, _ count: Int
  ) -> (words: [DrawnWord], failure: SamplingError?, nodes: Int) {
    var (search, words, nodes) = (search, [DrawnWord](), 0)
    do throws(SamplingError) {
      while words.count < count {
        var word = DrawnWord()
        while try !search.proceed(into: &word) { nodes = max(nodes, search.nodes.count) }
        words.append(word)
      }
      return (words, nil, nodes)
    } catch {
      return (words, error, nodes)
    }
  }

  @Test(
    "A few most likely words are the first of many, in the same order, for less memory",
    arguments: [1, 2, 10, 100, 1000], [Int.max, 0])
  func few(count: Int, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    let all = words(
      try MostLikelyWords(Predictor(model), Self.request, stateLimit: stateLimit), count)
    let few = words(
      try MostLikelyWords(Predictor(model), Self.request, count: count, stateLimit: stateLimit),
      count)
    #expect(few.words.count == count && few.words == all.words)
    // Where hardly more words are possible, nothing can be left out.
    #expect(count <= 100 ? few.nodes < all.nodes : few.nodes <= all.nodes)
  }

  @Test(
    "Within a bound, what is found is found in order; then the search says that it is too large",
    arguments: [20, 40, 100, 1000, 10_000], [Int.max, 0])
  func bounded(nodeLimit: Int, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    let all = words(
      try MostLikelyWords(Predictor(model), Self.request, stateLimit: stateLimit), 3000)
    for count in [3000, Int.max] {
      let found = words(
        try MostLikelyWords(
          Predictor(model), Self.request, count: count, stateLimit: stateLimit, nodeLimit: nodeLimit
        ), 3000)
      #expect(found.words == Array(all.words.prefix(found.words.count)))
      #expect(found.words.count > nodeLimit / 40)
      #expect(found.nodes <= nodeLimit)
      if found.words.count < all.words.count {
        #expect(found.failure == .searchTooLarge(bytes: MostLikelyWords.byteLimit))
      }
    }
  }

  @Test("With less memory the same words are found, and then the search says how much there was")
  func littleMemory() throws {
    let model = try tinyModel(ending: 3)
    let all = words(try MostLikelyWords(Predictor(model), Self.request), 3000)
    let found = words(
      try MostLikelyWords(Predictor(model), Self.request, memoryLimit: 1 << 14), 3000)
    #expect(found.failure == .searchTooLarge(bytes: 1 << 14))
    #expect(found.words.count < all.words.count)
    #expect(found.words == Array(all.words.prefix(found.words.count)))
    let none = words(try MostLikelyWords(Predictor(model), Self.request, memoryLimit: 0), 3000)
    #expect(none.words.isEmpty && none.failure == .searchTooLarge(bytes: 0))
  }

  @Test("A search that finds no word within its budget says so")
  func budget() throws {
    var request = Self.request
    request.budget = 2
    request.constraints = WordConstraints(suffix: "abababab")
    let found = words(
      try MostLikelyWords(Predictor(try tinyModel()), request, stateLimit: 0), 10)
    #expect(found.failure == .searchTooLong(beginnings: 2))
  }
}

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
      _ = try WordLanguage(constraints, vocabulary)
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
    _ = try WordLanguage(constraints, try Vocabulary(symbols: ["a", "b", "e", "l"]))
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
        _ = try WordLanguage(constraints, vocabulary)
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
        let isPossible = (try? WordLanguage(constraints, vocabulary)) != nil
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
        _ = try WordLanguage(constraints, vocabulary)
      }
    }
  }

  @Test("Constraints that together need too many states are refused")
  func tooComplex() throws {
    let vocabulary = try Vocabulary(symbols: (0..<26).compactMap { Unicode.Scalar(97 + $0) })
    let parts = (0..<13).map { String(UnicodeScalar(UInt8(97 + $0))) }
    #expect(throws: ConstraintError.tooComplex(limit: 4096)) {
      _ = try WordLanguage(WordConstraints(contains: parts), vocabulary)
    }
  }
}
