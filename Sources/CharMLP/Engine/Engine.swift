// What a trainer needs of the network: parameters, and a step that improves them.

public import LinearAlgebra

/// Something that learns from minibatches by gradient descent.
public protocol Engine: AnyObject {
  /// The parameters as they stand after the last step.
  var parameters: Parameters<Float> { get }

  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  func step(_ minibatch: Minibatch, learningRate: Float) -> Float
}
