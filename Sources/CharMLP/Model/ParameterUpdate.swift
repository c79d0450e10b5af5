// What one step does to the parameters: an optimizer's rule with the numbers of this step.
//
// It says nothing of where parameters lie. `Parameters.apply` is the rule over matrices, for reading and
// as the reference; the engine applies it in place.

import RealModule

/// The numbers of an update: the same for every parameter, but for the decay of the weights.
public struct ParameterUpdate: Equatable, Sendable {
  /// How far a parameter moves.
  public let learningRate: Float
  /// What W1 and W2 are multiplied by before they move: 1 − learningRate · weight decay.
  public let shrinkage: Float
  /// The numbers of Adam; nil for plain gradient descent.
  public let adam: AdamStep?
  /// How far the running average of the parameters moves towards them.
  public let averageShare: Float

  /// Puts an update together.
  ///
  /// - Parameters:
  ///   - averaging: The weight of the old average of the parameters, if one is kept. It is smaller
  ///     in the first steps, (1 + step) / (10 + step) at most, so that the start is soon forgotten.
  ///   - step: The number of steps taken before, which Adam's corrections depend on.
  public init(
    _ optimizer: Optimizer = .sgd, learningRate: Float, weightDecay: Float = 0,
    averaging: Float = 0, step: Int
  ) {
    self.learningRate = learningRate
    shrinkage = 1 - learningRate * weightDecay
    adam = optimizer == .adamw ? AdamStep(number: step + 1) : nil
    averageShare = max(1 - averaging, 9 / Float(10 + step))
  }

  /// Plain gradient descent: every parameter −= learningRate · its gradient.
  public static func descent(_ learningRate: Float) -> ParameterUpdate {
    ParameterUpdate(learningRate: learningRate, step: 0)
  }
}

/// How gradients become updates.
public enum Optimizer: String, CaseIterable, Equatable, Sendable {
  /// Stochastic gradient descent.
  case sgd
  /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
  case adamw

  /// Whether it remembers averages of the gradients and of their squares.
  public var hasMoments: Bool { self == .adamw }
}

/// Adam's constants and its corrections at one step (Kingma and Ba, 2015, algorithm 1).
public struct AdamStep: Equatable, Sendable {
  /// The weight of the old average of the gradients, and of that of their squares; PyTorch's defaults.
  public static let (beta1, beta2): (Float, Float) = (0.9, 0.999)
  /// Keeps a parameter without gradients from dividing by zero.
  public static let epsilon: Float = 1e-8

  /// 1 / (1 − beta1ᵗ): the average began at zero.
  public let firstCorrection: Float
  /// 1 / √(1 − beta2ᵗ).
  public let secondCorrection: Float

  /// The step of number t, counted from 1.
  public init(number t: Int) {
    precondition(t >= 1, "AdamStep: step \(t)")
    firstCorrection = Float(1 / (1 - Double.pow(Double(Self.beta1), t)))
    secondCorrection = Float(1 / (1 - Double.pow(Double(Self.beta2), t)).squareRoot())
  }
}
