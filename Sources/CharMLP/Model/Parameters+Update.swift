// One step of an optimizer over whole matrices: the rule as a reader expects it, and the reference of the
// engine's, which works in place.

public import LinearAlgebra

extension Parameters {
  /// The weights of the linear layers: what weight decay shrinks.
  ///
  /// Gains, biases and embeddings have no scale that another parameter could make up for.
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

/// What Adam remembers of every parameter: running averages of its gradient and of that squared.
public struct Moments<Scalar: MatrixScalar>: Equatable, Sendable {
  public var first: Parameters<Scalar>
  public var second: Parameters<Scalar>

  /// Averages of nothing yet.
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
