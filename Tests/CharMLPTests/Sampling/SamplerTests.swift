// Words from a model whose distributions are known because they were written by hand.

import LinearAlgebra
import RealModule
import Testing

@testable import CharMLP

@Suite("Sampler")
struct SamplerTests {
  /// A model over "a" and "b" that ignores its context: the next character follows `logits`.
  private func model(_ logits: [Float]) throws -> Model {
    let vocabulary = try Vocabulary(symbols: ["a", "b"])
    var parameters = Parameters<Float>(
      zeros: ModelShape(vocabulary: 3, blockSize: 2, embedding: 1, hidden: 1))
    parameters.b2 = Matrix(rows: 1, columns: 3, elements: logits)
    return Model(
      vocabulary: vocabulary, parameters: parameters,
      statistics: BatchNormStatistics(bnmean: .zeros(1, 1), bnvar: .zeros(1, 1)))
  }

  @Test("Sampled characters are as frequent as their probabilities say")
  func frequencies() throws {
    // Terminator, a and b with probabilities 1/2, 1/3, 1/6.
    var sampler = try Sampler(try model([3, 2, 1].map { Float.log($0) }), seed: 7)
    let text = try (0..<20_000).map { _ in try sampler.next() }.joined()
    let share = Double(text.count { $0 == "a" }) / Double(text.count)
    // About 40,000 characters, of which 2/3 are "a": four standard deviations are 0.0094.
    #expect(abs(share - 2.0 / 3) < 0.0094)
  }

  @Test("A sampler's seed decides its words")
  func seeds() throws {
    let model = try model([1, 1, 1])
    let words = try [1, 1, 2].map { (seed: UInt64) in
      var sampler = try Sampler(model, seed: seed)
      return try (0..<20).map { _ in try sampler.next() }
    }
    #expect(words[0] == words[1])
    #expect(words[0] != words[2])
    #expect(words.joined().allSatisfy { !$0.isEmpty })
  }

  @Test("Every sampled word begins with the prefix, and an unknown prefix is refused")
  func prefix() throws {
    var sampler = try Sampler(try model([1, 1, 1]), seed: 1, prefix: "ab")
    for _ in 0..<20 { #expect(try sampler.next().hasPrefix("ab")) }
    #expect(throws: ConstraintError.unknownSymbol("x", in: "prefix")) {
      _ = try Sampler(try model([1, 1, 1]), seed: 1, prefix: "x")
    }
  }

  @Test("A low temperature leaves the likeliest character, a high one makes all equally likely")
  func temperature() throws {
    let model = try model([0, 2, 1])
    var request = Sampler.Request(seed: 1)
    request.chain.temperature = 0.01
    request.budget = 10_000
    var cold = try Sampler(model, request)
    // "a" for ever.
    #expect(throws: SamplingError.budgetSpent(characters: 10_000)) { try cold.next() }
    var hot = try Sampler(model, seed: 1, temperature: 1e6)
    let text = try (0..<10_000).map { _ in try hot.next() }.joined()
    #expect(abs(Double(text.count { $0 == "a" }) / Double(text.count) - 0.5) < 0.015)
  }

  @Test(
    "A model that nearly always ends words at once gives words in their proportions"
  )
  func reluctant() throws {
    // a and b have e⁻¹⁰⁰ each: far below what is left of 1 when the end's probability is taken
    // away.
    var sampler = try Sampler(try model([100, 0, 0]), seed: 1)
    let words = try (0..<1000).map { _ in try sampler.next() }
    #expect(Set(words) == ["a", "b"])
    // Four standard deviations of a fair coin's thousand throws.
    #expect(abs(words.count { $0 == "a" } - 500) < 64)
  }

  @Test("A model that makes no word at all is exhausted", arguments: [false, true])
  func noWord(isUnique: Bool) throws {
    var request = Sampler.Request(seed: 1)
    request.chain.topK = 1
    request.isUnique = isUnique
    var sampler = try Sampler(try model([100, 0, 0]), request)
    #expect(throws: SamplingError.exhausted) { try sampler.next() }
  }
}
