// Training as a value that moves on: parameters and minibatches at a step, and the way to the next.
//
// It neither prints nor looks at a clock. Whoever drives it decides how far it goes at a time, and may
// evaluate the model in between: that changes nothing of the training.

public import LinearAlgebra

/// A training run between two steps.
public final class Trainer {
  /// How the parameters' gradients are computed.
  public enum Backward: Equatable, Sendable {
    /// In place, all in one go, on BLAS.
    case fused
    /// Step by step, keeping every intermediate.
    case derivation(MatrixProduct)
  }

  public let recipe: Recipe
  private let dataset: Dataset
  private let engine: any Engine
  private var minibatches: MinibatchStream
  private lazy var trainContexts = dataset.train.distinct()

  /// The number of steps taken.
  public private(set) var step = 0
  /// The loss of the last minibatch, in nats per character.
  public private(set) var minibatchLoss = Float.nan
  /// A running mean of the minibatch losses, over about the last thousand steps.
  public private(set) var smoothedLoss = Double.nan

  /// Starts a run from the recipe's seed.
  ///
  /// - Parameter threads: How many threads the fused engine may use; the result does not depend on it.
  public init(
    _ recipe: Recipe, _ dataset: Dataset, backward: Backward = .fused, threads: Int = 1
  ) {
    self.recipe = recipe
    self.dataset = dataset
    var generator = TorchGenerator(seed: recipe.seed)
    let parameters = Parameters.notebook(
      recipe.shape(vocabulary: dataset.vocabulary.count), seed: recipe.seed,
      generator: &generator)
    engine =
      switch backward {
      case .fused:
        FusedEngine(parameters, batchSize: recipe.batchSize, threads: threads)
      case .derivation(let product): DerivationEngine(parameters, matmul: product)
      }
    minibatches = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
  }

  /// The number of threads that take a step together.
  public var threads: Int { (engine as? FusedEngine)?.threads ?? 1 }

  /// The parameters as they stand.
  public var parameters: Parameters<Float> { engine.parameters }

  /// Takes steps until `step` is `target` or the recipe ends.
  ///
  /// - Throws: `Divergence` after the first step whose loss is not a finite number.
  public func advance(to target: Int) throws(Divergence) {
    let target = min(target, recipe.steps)
    guard step < target else { return }
    var minibatch = minibatches.next()
    while step < target {
      var next: Minibatch?
      let loss = engine.step(minibatch, learningRate: recipe.learningRate(at: step)) {
        // Never beyond the target: there the generator stands where the steps have brought it.
        if step + 1 < target { next = minibatches.next() }
      }
      step += 1
      minibatchLoss = loss
      guard loss.isFinite else { throw Divergence(step: step) }
      smooth(Double(loss))
      if let next { minibatch = next }
    }
  }

  /// At first the plain mean, then an exponential one: the start weighs no more than the rest.
  private func smooth(_ loss: Double) {
    let weight = 1 / Double(min(step, 1000))
    smoothedLoss = step == 1 ? loss : smoothedLoss + weight * (loss - smoothedLoss)
  }

  /// The network as it stands, with batch norm's statistics over the training split.
  public func model() -> Model {
    let parameters = engine.parameters
    return Model(
      vocabulary: dataset.vocabulary, parameters: parameters,
      statistics: BatchNormStatistics(parameters, over: trainContexts))
  }
}

/// A training run whose loss is no longer a finite number.
public struct Divergence: Error, Equatable, Sendable, CustomStringConvertible {
  /// The steps taken, the one that diverged included.
  public let step: Int

  public var description: String {
    "the loss is no longer a finite number at step \(step); choose a smaller learning rate"
  }
}
