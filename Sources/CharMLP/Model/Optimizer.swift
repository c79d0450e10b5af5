// What one step does to the parameters: an optimizer's rule with the numbers of this step.
//
// The numbers are independent of how parameters are stored. `Parameters.apply` is the rule over
// whole matrices, as in a textbook, and the reference for the engine's, which works in place.

import LinearAlgebra
import RealModule

/// The numbers of an update, the same for every parameter except for weight decay.
public struct ParameterUpdate: Equatable, Sendable {
  /// How far a parameter moves.
  public let learningRate: Float
  /// What W1 and W2 are multiplied by before they move: 1 − learningRate · weight decay.
  public let shrinkage: Float
  /// The numbers of Adam; nil for plain gradient descent.
  public let adam: AdamStep?
  /// How far the running average of the parameters moves towards them.
  public let averageShare: Float

  /// Creates an update.
  ///
  /// - Parameters:
  ///   - optimizer: The rule.
  ///   - learningRate: This step's.
  ///   - weightDecay: The share of W1 and W2 that a step takes away, over the learning rate.
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
  /// The weights of the old averages, of the gradients and of their squares; PyTorch's defaults.
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

// MARK: - Over matrices

extension Parameters {
  /// The weights of the linear layers: what weight decay shrinks.
  ///
  /// Not gains, biases and embeddings, whose scale no other parameter could make up for.
  public static var decaying: [WritableKeyPath<Parameters, Matrix<Scalar>>] { [\.W1, \.W2] }

  /// Applies an update: w ← shrinkage · w for the decaying ones, then for every parameter
  /// p ← p − learningRate · gradient, or Adam's p ← p − learningRate · m̂ / (√v̂ + ε).
  ///
  /// - Precondition: there are moments if the update is Adam's.
  public mutating func apply(
    _ update: ParameterUpdate, _ gradients: Gradients<Scalar>, _ moments: inout Moments<Scalar>?
  ) {
    for path in Self.decaying {
      self[keyPath: path] = Scalar(update.shrinkage) * self[keyPath: path]
    }
    let learningRate = Scalar(update.learningRate)
    guard let adam = update.adam else {
      for (_, path) in Self.ordered {
        self[keyPath: path] = self[keyPath: path] - learningRate * gradients[keyPath: path]
      }
      return
    }
    guard var averages = moments else { preconditionFailure("apply: Adam without moments") }
    averages.add(gradients)
    let scale = learningRate * Scalar(adam.firstCorrection)
    for (_, path) in Self.ordered {
      let root = Scalar(adam.secondCorrection) * pow(averages.second[keyPath: path], 0.5)
      let step = averages.first[keyPath: path] * pow(root + Scalar(AdamStep.epsilon), -1)
      self[keyPath: path] = self[keyPath: path] - scale * step
    }
    moments = averages
  }
}

extension Parameters {
  /// Moves every parameter towards another one: p += share · (other − p).
  mutating func approach(_ other: Parameters, share: Float) {
    for (_, path) in Self.ordered {
      let old = self[keyPath: path]
      self[keyPath: path] = old + Scalar(share) * (other[keyPath: path] - old)
    }
  }
}

/// What Adam keeps for every parameter: running averages of its gradient and of the gradient
/// squared.
public struct Moments<Scalar: MatrixScalar>: Equatable, Sendable {
  /// Averages of the gradients.
  public var first: Parameters<Scalar>
  /// Averages of their squares.
  public var second: Parameters<Scalar>

  /// Averages before the first step.
  public init(zeros shape: ModelShape) {
    first = Parameters(zeros: shape)
    second = Parameters(zeros: shape)
  }

  /// m ← β₁·m + (1 − β₁)·gradient, v ← β₂·v + (1 − β₂)·gradient².
  mutating func add(_ gradients: Gradients<Scalar>) {
    let (beta1, beta2) = (Scalar(AdamStep.beta1), Scalar(AdamStep.beta2))
    for (_, path) in Parameters<Scalar>.ordered {
      let gradient = gradients[keyPath: path]
      first[keyPath: path] = beta1 * first[keyPath: path] + (1 - beta1) * gradient
      second[keyPath: path] = beta2 * second[keyPath: path] + (1 - beta2) * pow(gradient, 2)
    }
  }
}
