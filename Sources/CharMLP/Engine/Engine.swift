// What a trainer needs of the network: parameters, and a step that improves them.

public import LinearAlgebra

/// Something that learns from minibatches by gradient descent.
public protocol Engine: AnyObject {
  /// The parameters as they stand after the last step.
  var parameters: Parameters<Float> { get }

  /// What the optimizer remembers after the last step; nil if it remembers nothing.
  var moments: Moments<Float>? { get }

  /// The number of threads that take a step together at present.
  var threads: Int { get }

  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  ///
  /// - Parameter meanwhile: Work that does not depend on the step, such as drawing the next minibatch; it is
  ///   done once, by the calling thread, where that has least to do. It is told whether training stops after
  ///   this step: because the settings ask for it, here or, among ranks, on any of them.
  func step(
    _ minibatch: Minibatch, _ settings: StepSettings, meanwhile: (_ isStopping: Bool) -> Void
  ) -> Float
}

/// What changes from step to step, besides the minibatch.
public struct StepSettings: Equatable, Sendable {
  /// How the parameters are changed; nil to compute the gradients and leave the parameters alone.
  public var update: ParameterUpdate?
  /// Which hidden units are dropped; nil for none.
  public var dropout: RandomMask?
  /// Whether this process asks for training to stop after the step.
  public var asksToStop: Bool

  public init(
    _ update: ParameterUpdate?, dropout: RandomMask? = nil, asksToStop: Bool = false
  ) {
    self.update = update
    self.dropout = dropout
    self.asksToStop = asksToStop
  }
}

extension Engine {
  /// A step of plain gradient descent.
  public func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    step(minibatch, StepSettings(.descent(learningRate))) { _ in }
  }
}

/// Gradient descent by the step-by-step derivation, with every intermediate, on either matrix product: slow,
/// and the reference for the fast engine.
public final class DerivationEngine: Engine {
  public private(set) var parameters: Parameters<Float>
  public private(set) var moments: Moments<Float>?
  public let threads = 1
  private let matmul: MatrixProduct

  /// - Parameter moments: What the optimizer remembers; nil if it remembers nothing.
  public init(
    _ parameters: Parameters<Float>, moments: Moments<Float>? = nil, matmul: MatrixProduct = .blas
  ) {
    self.parameters = parameters
    self.moments = moments
    self.matmul = matmul
  }

  public func step(
    _ minibatch: Minibatch, _ settings: StepSettings, meanwhile: (_ isStopping: Bool) -> Void
  ) -> Float {
    meanwhile(settings.asksToStop)
    let derivation = Derivation(
      parameters, minibatch, dropout: settings.dropout, matmul: matmul)
    if let update = settings.update {
      let gradients = derivation.gradients
      parameters.apply(update, gradients, &moments)
    }
    return derivation.loss[0, 0]
  }
}
