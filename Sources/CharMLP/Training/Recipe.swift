// Everything that a training run depends on besides the words: what is stored to run it again.

/// How a network is trained.
public struct Recipe: Equatable, Sendable, Codable {
  /// Characters of context.
  public var blockSize = 3
  /// Numbers that represent one character.
  public var embedding = 10
  /// Units of the hidden layer.
  public var hidden = 200
  /// Windows in a minibatch, at least 2.
  public var batchSize = 32
  /// Steps of gradient descent.
  public var steps = 200_000
  /// The learning rate of the first half of the steps; the second half has a tenth of it.
  public var learningRate: Float = 0.1
  /// Seed of the parameters and of the minibatches.
  public var seed: UInt64 = 2_147_483_647
  /// Seed of the split into words that train, validate and test.
  public var splitSeed: UInt64 = 42
  /// Whether words that repeat an earlier one are removed before the split; the lecture keeps them.
  public var deduplicate = false

  /// The recipe of the lecture's notebook.
  public init() {}

  /// The learning rate of a step, counted from 0: from half way on, a tenth.
  public func learningRate(at step: Int) -> Float {
    step < steps / 2 ? learningRate : learningRate / 10
  }

  /// The shape of the network for a vocabulary of `vocabulary` ids.
  public func shape(vocabulary: Int) -> ModelShape {
    ModelShape(
      vocabulary: vocabulary, blockSize: blockSize, embedding: embedding, hidden: hidden)
  }
}
