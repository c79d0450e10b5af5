// The search for a learning rate: what it suggests must not be one minibatch's luck.

import Testing

@testable import CharMLP

@Suite("Search for a learning rate")
struct LearningRateSearchTests {
  private static let dataset = Result { try Dataset(bundledWords(), splitSeed: 42, blockSize: 3) }

  private func search(batchSize: Int, seed: UInt64) throws -> LearningRateSearch {
    var recipe = Recipe()
    (recipe.hidden, recipe.batchSize, recipe.seed) = (24, batchSize, seed)
    return try LearningRateSearch(recipe, Self.dataset.get(), backward: .fused, threads: 1)
  }

  // The loss falls by some tenths of a nat, and the smallest is where the rate is about to be too
  // large.
  @Test(
    "Whatever the seed and however small the minibatch, the suggestion is neither tiny nor huge",
    arguments: [2, 3, 4, 32], 1...6)
  func seeds(batchSize: Int, seed: Int) throws {
    let search = try search(batchSize: batchSize, seed: UInt64(seed))
    let suggestion = try #require(search.suggestion)
    #expect(suggestion > 2e-4 && suggestion < 0.5, "\(suggestion)")
  }

  @Test("The smallest loss is not looked for among the first points, which are means of few")
  func firstPoints() throws {
    let search = try search(batchSize: 2, seed: 1)
    let lowest = try #require(search.lowest)
    #expect(search.points.prefix(20).allSatisfy { $0.learningRate < lowest.learningRate })
    #expect(search.points.dropFirst(20).allSatisfy { $0.loss >= lowest.loss })
    #expect(search.points.map(\.learningRate).first == LearningRateSearch.range.lowerBound)
  }
}
