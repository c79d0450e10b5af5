// The learning-rate range test: a short training in which the rate grows from step to step (Smith,
// "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3).
//
// It trains a network of its own, with the recipe's initial parameters, and keeps only the losses.
// The loss of a minibatch of a few windows says little: several of them make a point, and the first
// points are ignored.

import RealModule

/// The losses of a training whose learning rate grows exponentially.
public struct LearningRateSearch: Equatable, Sendable {
  /// A learning rate, and the smoothed loss after the steps that were taken with it.
  public struct Point: Equatable, Sendable {
    /// The learning rate of the step.
    public let learningRate: Float
    /// In nats per character.
    public let loss: Double
  }

  /// The points in order, up to the one at which the loss has clearly risen.
  public let points: [Point]

  /// The range that is searched, in 500 points unless training diverges before.
  public static let range: ClosedRange<Float> = 1e-5...10
  private static let pointCount = 500
  /// The fewest windows of a point: one step with each rate if minibatches have as many, else
  /// several.
  private static let windows = 32
  /// A smoothed loss is a mean over about this many points.
  private static let memory = 20
  /// A smoothed loss this many nats above the smallest has clearly risen.
  private static let rise = 0.5

  /// Trains a copy of the recipe's network.
  ///
  /// - Parameters:
  ///   - recipe: The run's settings.
  ///   - dataset: Its words.
  ///   - network: The network that the run would start from; nil if its parameters are drawn.
  ///   - backward: How gradients are computed.
  ///   - threads: How many threads the fused engine may use.
  /// - Throws: `RecipeError` as a trainer does.
  public init(
    _ recipe: Recipe, _ dataset: Dataset, from network: StartingNetwork? = nil,
    backward: Trainer.Backward = .fused, threads: Int = 1
  ) throws(RecipeError) {
    try recipe.validate()
    var recipe = recipe
    let steps = (Self.windows + recipe.batchSize - 1) / recipe.batchSize
    recipe.steps = Self.pointCount * steps
    recipe.warmup = 0
    recipe.schedule = .constant
    let trainer = try Trainer(
      recipe, dataset, from: network, backward: backward, threads: threads)
    let ratio = Float.pow(
      Self.range.upperBound / Self.range.lowerBound, 1 / Float(Self.pointCount - 1))
    var points: [Point] = []
    var smoothed = SmoothedLoss(over: Self.memory)
    while points.count < Self.pointCount {
      let learningRate = Self.range.lowerBound * .pow(ratio, points.count)
      trainer.learningRate = learningRate
      guard let loss = try? trainer.meanLoss(ofSteps: steps) else { break }
      smoothed.add(loss)
      points.append(Point(learningRate: learningRate, loss: smoothed.mean))
      guard let lowest = Self.lowest(of: points) else { continue }
      if smoothed.mean > lowest.loss + Self.rise { break }
    }
    self.points = points
  }

  /// The point with the smallest loss among those that are means of enough losses.
  public var lowest: Point? { Self.lowest(of: points) ?? points.min { $0.loss < $1.loss } }

  private static func lowest(of points: [Point]) -> Point? {
    points.dropFirst(memory).min { $0.loss < $1.loss }
  }

  /// A tenth of the rate with the smallest loss: far from divergence, where the loss still falls
  /// fast.
  public var suggestion: Float? { lowest.map { $0.learningRate / 10 } }
}

extension Trainer {
  /// Takes steps, and gives the mean of their losses.
  fileprivate func meanLoss(ofSteps steps: Int) throws(Divergence) -> Double {
    var sum = 0.0
    for _ in 0..<steps {
      try advance(to: step + 1)
      sum += Double(minibatchLoss)
    }
    return sum / Double(steps)
  }
}

/// An exponential mean that does not favour the first number: as in Adam, it is divided by the sum
/// of the weights so far.
private struct SmoothedLoss {
  private let weight: Double
  private var sum = 0.0
  private var weights = 0.0

  init(over count: Int) { weight = 1 / Double(count) }

  mutating func add(_ loss: Double) {
    sum += weight * (loss - sum)
    weights += weight * (1 - weights)
  }

  var mean: Double { sum / weights }
}
