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
