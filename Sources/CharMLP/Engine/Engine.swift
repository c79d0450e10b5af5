// What a trainer needs of the network: parameters, and a step that improves them.

public import LinearAlgebra

/// Something that learns from minibatches by gradient descent.
public protocol Engine: AnyObject {
  /// The parameters as they stand after the last step.
  var parameters: Parameters<Float> { get }

  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  ///
  /// - Parameter meanwhile: Work that does not depend on the step, such as drawing the next minibatch;
  ///   it is done once, by the calling thread, where that has least to do.
  func step(_ minibatch: Minibatch, learningRate: Float, meanwhile: () -> Void) -> Float
}

extension Engine {
  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  public func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    step(minibatch, learningRate: learningRate, meanwhile: {})
  }
}
