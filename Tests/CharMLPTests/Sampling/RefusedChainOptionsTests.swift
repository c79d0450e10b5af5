// Options that define no chain are refused where they are used.

import Testing

@testable import CharMLP

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
