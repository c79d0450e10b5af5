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
    var sampler = Sampler(try Sampler.Plan(Predictor(model), request, stateLimit: stateLimit))
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
    var sampler = Sampler(try Sampler.Plan(Predictor(model), request, stateLimit: stateLimit))
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
        NextCharacterNetwork(Predictor(model)), plan.language, request, acceptsAll: true,
        budget: 1000,
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
      NextCharacterNetwork(predictor), plan.language, request, acceptsAll: false, budget: 1000,
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
    var sampler = Sampler(try Sampler.Plan(Predictor(model), request, stateLimit: stateLimit))
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
    var sampler = Sampler(try Sampler.Plan(Predictor(tinyModel()), request, stateLimit: 0))
    #expect(throws: SamplingError.budgetSpent(characters: 50)) { try sampler.next() }
  }
}
