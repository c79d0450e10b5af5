// Calibration and loss by distinct contexts against the same window by window, in Double.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Evaluation and calibration")
struct EvaluationTests {
  let dataset: Dataset
  let parameters: Parameters<Float>

  init() throws {
    dataset = try Dataset(bundledWords(), splitSeed: 42, blockSize: 2)
    var recipe = Recipe()
    (recipe.blockSize, recipe.hidden) = (2, 30)
    var generator = TorchGenerator(seed: 1)
    parameters = .notebook(
      recipe.shape(vocabulary: dataset.vocabulary.count), seed: 1, generator: &generator)
  }

  /// hprebn of every window, as the derivation computes it.
  private func derivation(_ windows: ContextWindows) -> Derivation<Double> {
    Derivation(
      parameters.converted(),
      Minibatch(blockSize: 2, contexts: windows.contexts, targets: windows.targets))
  }

  // Float products of a few dozen terms against Double ones.
  @Test("Batch norm's statistics are mean and variance over all windows")
  func calibration() {
    let statistics = BatchNormStatistics(parameters, over: dataset.train.distinct())
    let expected = derivation(dataset.train)
    #expect(distance(statistics.bnmean, expected.bnmeani) <= 1e-6)
    #expect(distance(statistics.bnvar, expected.bnvar) <= 1e-6)
  }

  // Means and variances are sums of a few hundred Float products; the counts are exact.
  @Test("Counts of pairs give the same statistics as the contexts themselves")
  func covariance() throws {
    let statistics = try #require(InputCovariance(dataset.train)).statistics(parameters)
    let expected = derivation(dataset.train)
    #expect(distance(statistics.bnmean, expected.bnmeani) <= 1e-6)
    #expect(distance(statistics.bnvar, expected.bnvar) <= 1e-6)
  }

  @Test("Pairs of inputs are not counted if there would be too many")
  func tooManyInputs() throws {
    let words = try WordList((0..<600).map { String(UnicodeScalar(0x4E00 + $0)!) })
    let dataset = try Dataset(words, splitSeed: 1, blockSize: 2)
    #expect(InputCovariance(dataset.train) == nil)
    var recipe = Recipe()
    (recipe.blockSize, recipe.hidden, recipe.steps) = (2, 8, 3)
    let trainer = try Trainer(recipe, dataset)
    try trainer.advance(to: 3)
    let expected = BatchNormStatistics(trainer.parameters, over: dataset.train.distinct())
    #expect(trainer.model().statistics == expected)
  }

  // With the statistics of the very windows that are evaluated, batch norm is the derivation's.
  @Test("The loss is the mean cross-entropy of all windows")
  func loss() {
    let contexts = dataset.validation.distinct()
    let model = Model(
      vocabulary: dataset.vocabulary, parameters: parameters,
      statistics: BatchNormStatistics(parameters, over: contexts))
    let expected = derivation(dataset.validation).loss[0, 0]
    #expect(abs(model.loss(over: contexts) - expected) <= 1e-6)
  }

  // A folded weight is rounded once more: an ulp of each of 20 terms, relative to the largest
  // logit.
  @Test("Folding batch norm into the first layer changes no logit by more than 2e-6 of the largest")
  func folding() {
    let windows = dataset.validation
    let statistics = BatchNormStatistics(parameters, over: dataset.train.distinct())
    let model = Model(
      vocabulary: dataset.vocabulary, parameters: parameters, statistics: statistics)
    let exact = derivation(windows)
    exact.bnmeani = statistics.bnmean.converted()
    exact.bnvar = statistics.bnvar.converted()
    let logits = model.logits(windows.contexts[...])
    let largest = exact.logits.elements.map(abs).max() ?? 0
    #expect(
      logits.converted(to: Double.self).largestDifference(from: exact.logits) <= 2e-6 * largest)
  }
}
