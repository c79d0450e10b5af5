// A loss for each part of a split, whatever model it is of.

import RealModule

/// The mean cross-entropy over each part of a split, in nats per character.
public struct SplitLosses: Equatable, Sendable {
  public let train: Double
  public let validation: Double
  public let test: Double

  public init(train: Double, validation: Double, test: Double) {
    (self.train, self.validation, self.test) = (train, validation, test)
  }

  /// The losses of a network.
  public init(_ model: Model, _ dataset: Dataset) {
    train = model.loss(over: dataset.measured.train.distinct())
    validation = model.loss(over: dataset.measured.validation.distinct())
    test = model.loss(over: dataset.measured.test.distinct())
  }

  /// The perplexity of a loss, exp(loss): between how many equally likely characters the model wavers.
  public static func perplexity(_ loss: Double) -> Double { .exp(loss) }
}
