// Everything that a training run depends on besides the words: what is stored to run it again.

public import LinearAlgebra

/// How a network is trained.
public struct Recipe: Equatable, Sendable {
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
  /// How gradients become updates.
  public var optimizer = Optimizer.sgd
  /// The largest learning rate; the schedule says when it holds.
  public var learningRate: Float = 0.1
  /// How the learning rate falls.
  public var schedule = Schedule.step
  /// The first steps, over which the learning rate grows to its largest.
  public var warmup = 0
  /// How fast W1 and W2 shrink besides what their gradients say: by learningRate · weightDecay a step.
  public var weightDecay: Float = 0
  /// The share of hidden units that a step leaves out, at least 0 and below 1.
  public var dropout: Float = 0
  /// Steps between two evaluations; 0 for a twentieth of the steps.
  public var evaluateEvery = 0
  /// Training ends after so many evaluations without a better validation loss; 0 for never.
  public var patience = 0
  /// Training ends when an evaluation finds a smaller validation loss than this; 0 for never.
  public var stopAtValidationLoss: Float = 0
  /// Seed of the parameters, of the minibatches and of what is dropped.
  public var seed: UInt64 = 2_147_483_647
  /// How words come to train, validate or test.
  public var split = Split.Method.shuffle
  /// Seed of the split into words that train, validate and test.
  public var splitSeed: UInt64 = 42
  /// Whether words that repeat an earlier one are removed before the split; the lecture keeps them.
  public var deduplicate = false

  /// The recipe of the lecture's notebook.
  public init() {}

  /// The learning rate of a step, counted from 0.
  public func learningRate(at step: Int) -> Float {
    guard step >= warmup else { return learningRate * Float(step + 1) / Float(warmup) }
    return schedule.learningRate(learningRate, at: step, from: warmup, to: steps)
  }

  /// The hidden units that a step leaves out, nil if none.
  public func dropoutMask(at step: Int) -> RandomMask? {
    guard dropout > 0 else { return nil }
    return RandomMask(rate: dropout, seed: seed, step: step, columns: hidden)
  }

  /// The steps between two evaluations.
  public var evaluationInterval: Int { evaluateEvery > 0 ? evaluateEvery : max(1, steps / 20) }

  /// Whether a run's validation losses end its training at a step before the last.
  func isEnough(_ best: BestEvaluation?, at step: Int) -> Bool {
    guard let best else { return false }
    if best.validationLoss < Double(stopAtValidationLoss) { return true }
    return patience > 0 && (step - best.step) / evaluationInterval >= patience
  }

  /// The shape of the network for a vocabulary of `vocabulary` ids.
  public func shape(vocabulary: Int) -> ModelShape {
    ModelShape(
      vocabulary: vocabulary, blockSize: blockSize, embedding: embedding, hidden: hidden)
  }
}
