// The learning-rate range test: a short training in which the rate grows from step to step (Smith,
// "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3).
//
// It trains a network of its own, with the recipe's initial parameters, and keeps only the losses.

import RealModule

/// The losses of a training whose learning rate grows exponentially.
public struct LearningRateSearch: Equatable, Sendable {
  /// A learning rate, and the smoothed loss after the step that was taken with it.
  public struct Point: Equatable, Sendable {
    public let learningRate: Float
    /// In nats per character.
    public let loss: Double
  }

  /// The steps in order, up to the one at which the loss has clearly risen.
  public let points: [Point]

  /// The range that is searched, in 500 steps unless training diverges before.
  public static let range: ClosedRange<Float> = 1e-5...10
  private static let steps = 500
  /// The weight of a new loss in the smoothed one: a mean over about 20 steps.
  private static let weight = 0.05
  /// A smoothed loss this many nats above the smallest has clearly risen.
  private static let rise = 0.5

  /// Trains a copy of the recipe's network.
  public init(_ recipe: Recipe, _ dataset: Dataset, backward: Trainer.Backward, threads: Int) {
    var recipe = recipe
    recipe.steps = Self.steps
    recipe.warmup = 0
    recipe.schedule = .constant
    let trainer = Trainer(recipe, dataset, backward: backward, threads: threads)
    let ratio = Float.pow(Self.range.upperBound / Self.range.lowerBound, 1 / Float(Self.steps - 1))
    var points: [Point] = []
    var (smoothed, smallest) = (0.0, Double.infinity)
    while points.count < Self.steps {
      let learningRate = Self.range.lowerBound * .pow(ratio, points.count)
      trainer.learningRate = learningRate
      guard (try? trainer.advance(to: trainer.step + 1)) != nil else { break }
      let loss = Double(trainer.minibatchLoss)
      smoothed = points.isEmpty ? loss : smoothed + Self.weight * (loss - smoothed)
      points.append(Point(learningRate: learningRate, loss: smoothed))
      smallest = min(smallest, smoothed)
      if smoothed > smallest + Self.rise { break }
    }
    self.points = points
  }

  /// The point with the smallest loss.
  public var lowest: Point? { points.min { $0.loss < $1.loss } }

  /// A tenth of the rate with the smallest loss: far from divergence, where the loss still falls
  /// fast.
  public var suggestion: Float? { lowest.map { $0.learningRate / 10 } }
}
