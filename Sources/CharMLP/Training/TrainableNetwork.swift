// The fast engine for a custom training loop: gradients to look at, and updates of the caller's
// choice.
//
// `Trainer` runs a recipe from beginning to end. Here the caller draws the minibatches, reads the
// gradients, and decides what becomes of the parameters. The gradients are the derivation's (see
// `Derivation`), computed some 25 times as fast. The engine keeps no intermediates; `Derivation`
// has them.

public import LinearAlgebra

/// A network in training, whose loop is yours.
///
/// ```swift
/// let network = try TrainableNetwork(parameters, batchSize: 32)
/// let loss = try network.differentiate(minibatch)
/// network.update(.descent(0.1))
/// ```
///
/// Parameters and gradients are copied when they are read, which takes about as long as a step.
public final class TrainableNetwork {
  /// The sizes of the network.
  public let shape: ModelShape
  /// The windows of a minibatch.
  public let batchSize: Int
  private let engine: FusedEngine
  private let optimizer: Optimizer
  /// The number of updates, which Adam's corrections depend on.
  public private(set) var updateCount = 0

  /// Makes a network that learns from minibatches of one size.
  ///
  /// - Parameters:
  ///   - parameters: What it begins with.
  ///   - batchSize: The windows of a minibatch, at least 2.
  ///   - optimizer: Whose updates it can make: AdamW needs memory for its averages.
  ///   - keepsAverage: Whether a running average of the parameters is kept.
  ///   - threads: How many threads to use at most; the result does not depend on it.
  /// - Throws: `MinibatchError.tooFewWindows` for a minibatch of 1.
  public init(
    _ parameters: Parameters<Float>, batchSize: Int, optimizer: Optimizer = .sgd,
    keepsAverage: Bool = false, threads: Int = 1
  ) throws(MinibatchError) {
    guard batchSize >= 2 else { throw .tooFewWindows(batchSize) }
    (shape, self.batchSize, self.optimizer) = (parameters.shape, batchSize, optimizer)
    engine = FusedEngine(
      OptimizationState(start: parameters, optimizer, keepsAverage: keepsAverage),
      batchSize: batchSize, threads: max(1, threads))
  }

  /// Computes the loss of a minibatch, in nats per character, and all gradients; the parameters
  /// stay as they are.
  ///
  /// - Parameters:
  ///   - minibatch: The windows, at least two.
  ///   - dropout: Which hidden units are dropped; nil for none.
  /// - Throws: `MinibatchError` if the minibatch does not fit the network.
  public func differentiate(
    _ minibatch: Minibatch, dropout: RandomMask? = nil
  ) throws(MinibatchError) -> Float {
    try check(minibatch)
    return engine.differentiate(minibatch, dropout: dropout)
  }

  /// The gradients of the minibatch that was differentiated last; zero before the first.
  public var gradients: Gradients<Float> { engine.gradients }

  /// The parameters as they stand.
  ///
  /// - Precondition: new ones have the network's shape.
  public var parameters: Parameters<Float> {
    get { engine.parameters }
    set { engine.assign(newValue) }
  }

  /// The running average of the parameters; nil if none is kept.
  public var average: Parameters<Float>? { engine.state.average }

  /// Moves the parameters, in place, by the gradients of the minibatch that was differentiated
  /// last.
  ///
  /// - Precondition: the network was made for AdamW if the update is Adam's.
  public func update(_ update: ParameterUpdate) {
    engine.apply(update)
    updateCount += 1
  }

  /// Moves the parameters by a rule of your own.
  ///
  /// A running average, if one is kept, stays as it is.
  public func update(_ rule: (inout Parameters<Float>, Gradients<Float>) throws -> Void) rethrows {
    var parameters = parameters
    try rule(&parameters, gradients)
    self.parameters = parameters
    updateCount += 1
  }

  /// Takes a step of the network's optimizer: differentiates, then updates. Returns the loss before
  /// the update.
  ///
  /// - Throws: `MinibatchError` if the minibatch does not fit the network.
  @discardableResult
  public func step(
    _ minibatch: Minibatch, learningRate: Float, weightDecay: Float = 0, averaging: Float = 0,
    dropout: RandomMask? = nil
  ) throws(MinibatchError) -> Float {
    let loss = try differentiate(minibatch, dropout: dropout)
    update(
      ParameterUpdate(
        optimizer, learningRate: learningRate, weightDecay: weightDecay, averaging: averaging,
        step: updateCount))
    return loss
  }

  private func check(_ minibatch: Minibatch) throws(MinibatchError) {
    guard minibatch.blockSize == shape.blockSize else {
      throw .blockSize(minibatch.blockSize, expected: shape.blockSize)
    }
    guard minibatch.count == batchSize else { throw .count(minibatch.count, expected: batchSize) }
    let ids = 0..<Int32(clamping: shape.vocabulary)
    for numbers in [minibatch.contexts, minibatch.targets] {
      if let id = numbers.first(where: { !ids.contains($0) }) {
        throw .unknownID(id, vocabulary: shape.vocabulary)
      }
    }
  }
}

// MARK: - Custom training loops
//
// What such a loop takes from a recipe: the initial parameters, the minibatches, and in the end the
// network that predicts. A loop that makes the recipe's updates learns what the trainer learns, bit
// for bit.

extension Recipe {
  /// The parameters that a run starts from, and the generator as it stands after drawing them.
  package func initialParameters(
    vocabulary: Int
  ) -> (parameters: Parameters<Float>, generator: TorchGenerator) {
    var generator = TorchGenerator(seed: seed)
    var parameters = Parameters.notebook(
      shape(vocabulary: vocabulary), seed: seed, generator: &generator)
    if embeddingScale != 1 { parameters.C = embeddingScale * parameters.C }
    return (parameters, generator)
  }

  /// The parameters and the minibatches that a run of this recipe begins with.
  ///
  /// - Throws: `RecipeError` if a setting has a value that it cannot have, or the data set has
  ///   windows of another block size.
  public func start(
    on dataset: Dataset
  ) throws(RecipeError) -> (parameters: Parameters<Float>, minibatches: MinibatchStream) {
    try validate()
    guard blockSize == dataset.blockSize else {
      throw .blockSize(blockSize, ofData: dataset.blockSize)
    }
    let (parameters, generator) = initialParameters(vocabulary: dataset.vocabulary.count)
    let minibatches = MinibatchStream(
      dataset.trainingText, blockSize: blockSize, batchSize: batchSize, generator: generator)
    return (parameters, minibatches)
  }
}

extension TrainableNetwork {
  /// The network as it stands, ready to predict: its average, if one is kept, with batch norm's
  /// statistics over the windows that train.
  ///
  /// - Throws: `RecipeError` if the data set has another block size, or another number of symbols.
  public func model(on dataset: Dataset) throws(RecipeError) -> Model {
    guard shape.blockSize == dataset.blockSize else {
      throw .blockSize(shape.blockSize, ofData: dataset.blockSize)
    }
    guard shape.vocabulary == dataset.vocabulary.count else {
      throw .vocabulary(shape.vocabulary, ofData: dataset.vocabulary.count)
    }
    let parameters = average ?? parameters
    return Model(
      vocabulary: dataset.vocabulary, parameters: parameters,
      statistics: Calibration(dataset.measured.train).statistics(parameters))
  }
}
