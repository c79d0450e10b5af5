// How rare words are, estimated without finding them: against what enumeration says.

import RealModule
import Testing

@testable import CharMLP

@Suite("Estimates of rejection sampling")
struct RejectionEstimateTests {
  private static let cases = [
    AskedFor(WordConstraints(suffix: "a")),
    AskedFor(WordConstraints(suffix: "ababab")),
    AskedFor(WordConstraints(min: 3, max: 9, contains: ["bbab"]), forbidden: ["abbab", "bbab"]),
    AskedFor(WordConstraints(prefix: "b", suffix: "babb"), ChainOptions(temperature: 1.5)),
    AskedFor(WordConstraints(min: 7, max: 14, prefix: "ab", contains: ["bbb"])),
    AskedFor(WordConstraints(min: 6, max: 8), ChainOptions(topP: 0.95)),
  ]

  @Test("The estimate is the enumerated probability, within its error", arguments: cases)
  func estimate(asked: AskedFor) throws {
    let model = try tinyModel(ending: 1)
    var request = Sampler.Request(seed: 7)
    (request.constraints, request.chain) = (asked.constraints, asked.options)
    for word in asked.forbidden { request.forbidden.add(word, model.vocabulary) }
    let plan = try Sampler.Plan(Predictor(model), request, stateLimit: 0)
    let all = allWords(model, asked.options, upTo: 16)
    // A try begins with the prefix, and ends there only if that is long enough.
    let begun = all.filter {
      $0.word.hasPrefix(asked.constraints.prefix)
        && ($0.word.count >= asked.constraints.minLength
          || $0.word.count > asked.constraints.prefix.count)
    }
    let wanted = begun.filter {
      asked.constraints.allow($0.word) && !asked.forbidden.contains($0.word)
    }
    func sum(_ words: [(word: String, probability: Double)]) -> Double {
      words.map(\.probability).sorted().reduce(0, +)
    }
    let scorer = try WordScorer(model, asked.options)
    let prefix = try model.vocabulary.encode(asked.constraints.prefix)
    var reached = Double.exp(scorer.logProbability(ofPrefix: prefix))
    if asked.constraints.minLength > prefix.count {
      reached *= 1 - scorer.distribution(after: prefix)[0]
    }
    let expected = sum(wanted) / reached
    let estimate = try #require(RejectionEstimate(plan))
    #expect(estimate.error < 0.2)
    #expect(
      abs(estimate.probability - expected) < 4.5 * estimate.error * estimate.probability,
      "\(estimate.probability) for \(expected)")
    #expect(estimate.charactersPerAttempt > 0.5 && estimate.attemptsPerSecond > 0)
  }

  @Test("What is too rare for the budget is refused before the search, and what is not is found")
  func refusal() throws {
    let model = try tinyModel(ending: 1)
    var request = Sampler.Request(seed: 7)
    request.constraints = WordConstraints(suffix: "babababababb")
    let plan = try Sampler.Plan(Predictor(model), request, stateLimit: 0)
    let estimate = try #require(RejectionEstimate(plan))
    func team(budget: Int) throws -> SamplerTeam {
      request.budget = budget
      let plan = try Sampler.Plan(Predictor(model), request, stateLimit: 0)
      return SamplerTeam(plan, threads: 1, estimate: estimate)
    }
    let few = Int(0.9 * estimate.charactersPerWord)
    var words = 0
    let take = { (piece: WordPiece) throws(Never) in words += piece.words }
    #expect(try team(budget: few).spell(1, { _, _, _ in }, take: take) == .tooRare(estimate))
    #expect(words == 0)
    #expect(try team(budget: 20 * few).spell(1, { _, _, _ in }, take: take) == nil)
    #expect(words == 1)
  }

  @Test("Odds are rounded to two digits")
  func odds() {
    func odds(_ probability: Double) -> Int {
      RejectionEstimate(
        probability: probability, error: 0, charactersPerAttempt: 1, attemptsPerSecond: 1
      )
      .roundedOdds
    }
    #expect(odds(0.5) == 2)
    #expect(odds(1 / 123.4) == 120)
    #expect(odds(1.3e-8) == 77_000_000)
    #expect(odds(1e-300) == .max)
  }
}
