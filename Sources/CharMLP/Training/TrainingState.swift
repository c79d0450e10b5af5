// What a training run is between two steps, as plain values.
//
// Together with the recipe and the words it determines every later bit of the run. It is what a
// checkpoint stores; how, is the checkpoint's business.

public import LinearAlgebra

/// The part of a training run that changes with every step.
public struct TrainingState: Equatable, Sendable {
  /// The number of steps taken.
  public var step: Int
  /// The loss of the last minibatch, in nats per character; NaN before the first.
  public var minibatchLoss: Float
  /// The running mean of the minibatch losses; NaN before the first.
  public var smoothedLoss: Double
  /// Sums of the minibatch losses since the last evaluation, one for each stretch of
  /// `recipe.lossStretch` steps.
  public var lossSums: [Double]
  /// The parameters after `step` steps.
  public var parameters: Parameters<Float>
  /// What the optimizer remembers after `step` steps; nil if it remembers nothing.
  public var moments: Moments<Float>?
  /// The best evaluation so far; nil before the first.
  public var best: BestEvaluation?
  /// The state of the generator of minibatches after `step` of them.
  public var generator: TorchGenerator.State

  /// Puts a state together.
  public init(
    step: Int, minibatchLoss: Float, smoothedLoss: Double, lossSums: [Double],
    parameters: Parameters<Float>, moments: Moments<Float>? = nil, best: BestEvaluation? = nil,
    generator: TorchGenerator.State
  ) {
    self.step = step
    self.minibatchLoss = minibatchLoss
    self.smoothedLoss = smoothedLoss
    self.lossSums = lossSums
    self.parameters = parameters
    self.moments = moments
    self.best = best
    self.generator = generator
  }
}
