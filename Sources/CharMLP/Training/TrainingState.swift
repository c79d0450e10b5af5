// What a training run is between two steps, as plain values.
//
// Together with the recipe and the words it determines every later bit of the run. A checkpoint
// stores it; the format is the checkpoint's business.

/// The part of a training run that changes with every step.
package struct TrainingState: Equatable, Sendable {
  /// The number of steps taken.
  package var step: Int
  /// The loss of the last minibatch, in nats per character; NaN before the first.
  package var minibatchLoss: Float
  /// The running mean of the minibatch losses; NaN before the first.
  package var smoothedLoss: Double
  /// Sums of the minibatch losses since the last evaluation, one for each stretch of
  /// `recipe.lossStretch` steps.
  package var lossSums: [Double]
  /// The parameters and their running averages after `step` steps.
  package var optimization: OptimizationState
  /// The best evaluation so far; nil before the first.
  package var best: BestEvaluation?
  /// The state of the generator of minibatches after `step` of them.
  package var generator: TorchGenerator.State

  /// Puts a state together.
  package init(
    step: Int, minibatchLoss: Float, smoothedLoss: Double, lossSums: [Double],
    optimization: OptimizationState, best: BestEvaluation? = nil,
    generator: TorchGenerator.State
  ) {
    self.step = step
    self.minibatchLoss = minibatchLoss
    self.smoothedLoss = smoothedLoss
    self.lossSums = lossSums
    self.optimization = optimization
    self.best = best
    self.generator = generator
  }
}

// MARK: Best evaluation

/// The evaluation with the smallest validation loss so far.
public struct BestEvaluation: Equatable, Sendable {
  /// The steps taken.
  public var step: Int
  /// The mean cross-entropy over the validation words, in nats per character.
  public var validationLoss: Double

  /// An evaluation after `step` steps.
  public init(step: Int, validationLoss: Double) {
    self.step = step
    self.validationLoss = validationLoss
  }
}

// MARK: Loss stretches

// Between two evaluations the minibatch losses are kept as at most fifty means over equal stretches
// of steps, for the loss curve. A step costs one addition. Where a stretch begins follows from the
// step and the recipe alone, and the sums are part of the state: a run that is stopped inside a
// stretch resumes it, and has the same means as an uninterrupted run.

extension Recipe {
  /// The number of steps that one mean covers.
  package var lossStretch: Int { (evaluationInterval + 49) / 50 }
}

/// Sums of minibatch losses, one for each stretch that has begun since the last evaluation.
struct LossStretches {
  private let interval: Int
  private let length: Int
  /// A step that was evaluated, whatever the interval, because the run ended there; 0 for none.
  private let end: Int
  private(set) var sums: [Double] = []

  /// The stretches of a new run.
  ///
  /// - Parameter end: The step at which the run ended before it was given another end; 0 for none.
  init(_ recipe: Recipe, after end: Int = 0) {
    self.end = end
    interval = recipe.evaluationInterval
    length = recipe.lossStretch
    // A step must not allocate.
    sums.reserveCapacity(50)
  }

  /// The stretches of a run at a step; if there are not as many sums as that step needs, they are
  /// NaN.
  init(_ recipe: Recipe, after end: Int = 0, resuming sums: [Double], at step: Int) {
    self.init(recipe, after: end)
    let count = count(at: step)
    self.sums += sums.count == count ? sums : Array(repeating: .nan, count: count)
  }

  /// How many stretches have begun by a step.
  func count(at step: Int) -> Int { (taken(at: step) + length - 1) / length }

  /// Adds the loss of the step that was just taken.
  mutating func add(_ loss: Double, at step: Int) {
    let place = taken(at: step) - 1
    if place == 0 { sums.removeAll(keepingCapacity: true) }
    if place.isMultiple(of: length) { sums.append(0) }
    sums[sums.count - 1] += loss
  }

  /// The means of the stretches; the last may be shorter than the others.
  func means(at step: Int) -> [Float] {
    sums.enumerated().map { index, sum in
      Float(sum / Double(min(length, taken(at: step) - index * length)))
    }
  }

  /// The steps between the last evaluation before a step and the step.
  private func taken(at step: Int) -> Int {
    step <= end ? 0 : step - max((step - 1) / interval * interval, end)
  }
}
