// What a trainer needs of the network: parameters, and a step that improves them.

public import LinearAlgebra

/// Something that learns from minibatches by gradient descent.
public protocol Engine: AnyObject {
  /// The parameters as they stand after the last step.
  var parameters: Parameters<Float> { get }

  /// What the optimizer remembers after the last step; nil if it remembers nothing.
  var moments: Moments<Float>? { get }

  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  ///
  /// - Parameter meanwhile: Work that does not depend on the step, such as drawing the next minibatch;
  ///   it is done once, by the calling thread, where that has least to do.
  func step(_ minibatch: Minibatch, _ settings: StepSettings, meanwhile: () -> Void) -> Float
}

/// What changes from step to step, besides the minibatch.
public struct StepSettings: Equatable, Sendable {
  /// How the parameters are changed.
  public var update: ParameterUpdate
  /// Which hidden units are dropped; nil for none.
  public var dropout: RandomMask?

  public init(_ update: ParameterUpdate, dropout: RandomMask? = nil) {
    self.update = update
    self.dropout = dropout
  }
}

extension Engine {
  /// A step of plain gradient descent.
  public func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    step(minibatch, StepSettings(.descent(learningRate)), meanwhile: {})
  }
}

// MARK: - The step-by-step derivation as an engine: slow, and the reference for the fast one

/// Gradient descent with every intermediate of the derivation, on either matrix product.
public final class DerivationEngine: Engine {
  public private(set) var parameters: Parameters<Float>
  public private(set) var moments: Moments<Float>?
  private let matmul: MatrixProduct

  /// - Parameter moments: What the optimizer remembers; nil if it remembers nothing.
  public init(
    _ parameters: Parameters<Float>, moments: Moments<Float>? = nil, matmul: MatrixProduct = .blas
  ) {
    self.parameters = parameters
    self.moments = moments
    self.matmul = matmul
  }

  public func step(_ minibatch: Minibatch, _ settings: StepSettings, meanwhile: () -> Void) -> Float
  {
    meanwhile()
    let derivation = Derivation(
      parameters, minibatch, dropout: settings.dropout, matmul: matmul)
    let gradients = derivation.gradients
    parameters.apply(settings.update, gradients, &moments)
    return derivation.loss[0, 0]
  }
}
