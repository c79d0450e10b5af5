// The evaluation that a run remembers: the one with the smallest validation loss.

/// When a run predicted unseen words best, and how well.
public struct BestEvaluation: Equatable, Sendable {
  /// The steps taken.
  public var step: Int
  /// The mean cross-entropy over the validation words, in nats per character.
  public var validationLoss: Double

  public init(step: Int, validationLoss: Double) {
    self.step = step
    self.validationLoss = validationLoss
  }
}
