// Training between two steps: parameters and minibatches as they stand, and how they get to the
// next step.
//
// It neither prints nor looks at a clock. Its caller decides how far it goes at a time, and may
// evaluate the model in between: that does not change the training.

public import LinearAlgebra

/// A training run between two steps.
public final class Trainer {
  /// How the parameters' gradients are computed.
  public enum Backward: Equatable, Sendable {
    /// In place, all in one go, on BLAS.
    case fused
    /// Step by step, keeping every intermediate.
    case derivation(MatrixProduct)
  }

  /// What the run depends on besides the words.
  public let recipe: Recipe
  /// The network that it started from, and its schedules before this recipe's.
  public let lineage: Lineage
  /// How the gradients are computed.
  public let backward: Backward
  /// Overrides the recipe's learning rate, for a search.
  var learningRate: Float?
  /// The ranks that train together; nil for this process alone.
  let communicator: (any Communicator)?
  let dataset: Dataset
  private let engine: any Engine
  private var minibatches: MinibatchStream
  private lazy var calibration = Calibration(dataset.measured.train)
  private lazy var mixtureFit = MixtureFit(dataset)
  private lazy var validationContexts = dataset.measured.validation.distinct()

  /// The number of steps taken.
  public private(set) var step = 0
  /// The loss of the last minibatch, in nats per character.
  public private(set) var minibatchLoss = Float.nan
  /// A running mean of the minibatch losses, over about the last thousand steps.
  public private(set) var smoothedLoss = Double.nan
  private var lossStretches: LossStretches
  /// The best evaluation so far; nil before the first.
  public internal(set) var best: BestEvaluation?
  /// Whether a request to stop has ended training; among ranks, a request on any of them.
  public private(set) var isStopped = false

  /// Starts a run from the recipe's seed, or from a trained network.
  ///
  /// - Parameters:
  ///   - recipe: The settings.
  ///   - dataset: The words.
  ///   - network: Where the parameters come from, except those of symbols that it does not know;
  ///     nil if all are drawn. The generator draws the same numbers either way.
  ///   - backward: How gradients are computed.
  ///   - threads: How many threads the fused engine may use; the result does not depend on it.
  /// - Throws: `RecipeError` if a setting has a value that it cannot have, the network has other
  ///   sizes than the recipe, or the data set has windows of another block size.
  public convenience init(
    _ recipe: Recipe, _ dataset: Dataset, from network: StartingNetwork? = nil,
    backward: Backward = .fused, threads: Int = 1
  ) throws(RecipeError) {
    try self.init(
      recipe, dataset, from: network, backward: backward, threads: threads, communicator: nil)
  }

  /// The same among ranks, which train together by the fused engine; without a communicator, for
  /// this process alone.
  package convenience init(
    _ recipe: Recipe, _ dataset: Dataset, from network: StartingNetwork? = nil,
    backward: Backward = .fused, threads: Int = 1, communicator: (any Communicator)?
  ) throws(RecipeError) {
    try recipe.validate()
    var lineage = Lineage()
    lineage.origin = network?.origin
    var (parameters, generator) = recipe.initialParameters(vocabulary: dataset.vocabulary.count)
    if let network {
      try recipe.requireSizes(of: network.model.shape)
      parameters = network.parameters(for: dataset.vocabulary, drawn: parameters)
    }
    let start = OptimizationState(
      start: parameters, recipe.optimizer, keepsAverage: recipe.averaging > 0)
    try self.init(recipe, lineage, dataset, start, generator, backward, threads, communicator)
  }

  /// Resumes from a saved state, with the same bits as the run that it was read from.
  ///
  /// - Throws: `InvalidState` if no generator can have been in the saved state, `RecipeError` if
  ///   the state is not of this recipe and data set.
  package convenience init(
    _ recipe: Recipe, _ dataset: Dataset, resuming state: TrainingState,
    lineage: Lineage = Lineage(), backward: Backward, threads: Int = 1,
    communicator: (any Communicator)? = nil
  ) throws {
    let generator = try TorchGenerator(restoring: state.generator)
    try self.init(
      recipe, lineage, dataset, state.optimization, generator, backward, threads, communicator)
    step = state.step
    best = state.best
    minibatchLoss = state.minibatchLoss
    smoothedLoss = state.smoothedLoss
    lossStretches = LossStretches(
      recipe, after: lineage.lastCompletedStep, resuming: state.lossSums, at: step)
  }

  private init(
    _ recipe: Recipe, _ lineage: Lineage, _ dataset: Dataset, _ start: OptimizationState,
    _ generator: TorchGenerator, _ backward: Backward, _ threads: Int,
    _ communicator: (any Communicator)?
  ) throws(RecipeError) {
    let parameters = start.parameters
    guard recipe.blockSize == dataset.blockSize else {
      throw .blockSize(recipe.blockSize, ofData: dataset.blockSize)
    }
    guard parameters.shape.vocabulary == dataset.vocabulary.count else {
      throw .vocabulary(parameters.shape.vocabulary, ofData: dataset.vocabulary.count)
    }
    try recipe.requireSizes(of: parameters.shape)
    precondition(
      communicator == nil || backward == .fused, "Trainer: ranks need the fused engine")
    self.communicator = communicator
    self.recipe = recipe
    self.lineage = lineage
    lossStretches = LossStretches(recipe)
    self.dataset = dataset
    self.backward = backward
    minibatches = MinibatchStream(
      dataset.trainingText, blockSize: recipe.blockSize, batchSize: recipe.batchSize,
      share: communicator?.share(of: recipe.batchSize), generator: generator)
    engine =
      switch backward {
      case .fused:
        FusedEngine(
          start, batchSize: recipe.batchSize, capacity: minibatches.capacity,
          threads: max(1, threads), communicator: communicator)
      case .derivation(let product): DerivationEngine(start, matmul: product)
      }
    threadLimit = engine.threads
  }

  /// The number of threads that take a step together at present: `threadLimit`, or fewer while
  /// other work keeps the cores busy.
  public var threads: Int { engine.threads }

  /// The number of threads that take a step together where every one has a core.
  public let threadLimit: Int

  /// The means of the minibatch losses since the last evaluation, each over `recipe.lossStretch`
  /// steps, the last over those that are left.
  public var meanLosses: [Float] { lossStretches.means(at: step) }

  /// The parameters as they stand.
  public var parameters: Parameters<Float> { engine.parameters }

  /// All that resuming takes besides the recipe and the words: the state after exactly `step`
  /// steps.
  package var state: TrainingState {
    TrainingState(
      step: step, minibatchLoss: minibatchLoss, smoothedLoss: smoothedLoss,
      lossSums: lossStretches.sums, optimization: engine.state,
      best: best, generator: minibatches.generatorState)
  }

  /// Whether there is nothing left to do: all steps are taken, or the validation losses ended
  /// training.
  public var isFinished: Bool { step >= recipe.steps || earlyStop != nil }

  /// Why the validation losses have ended training; nil if they have not.
  public var earlyStop: EarlyStop? {
    recipe.earlyStop(best, at: step, since: lineage.lastChangeStep)
  }

  /// Takes steps until `step` is `target` or training ends.
  ///
  /// - Throws: `Divergence` after the first step whose loss is not a finite number.
  public func advance(to target: Int) throws(Divergence) {
    let target = min(target, recipe.steps)
    guard step < target, !isFinished, !isStopped else { return }
    try engine.takeSteps(
      from: plannedStep(step),
      next: { isStopping in
        isStopped = isStopping
        // Never beyond the last step: after it the generator stands where the steps have left it.
        return step + 1 < target && !isStopped ? plannedStep(step + 1) : nil
      },
      completed: { loss throws(Divergence) in try note(loss) })
  }

  private func note(_ loss: Float) throws(Divergence) {
    step += 1
    minibatchLoss = loss
    guard loss.isFinite else { throw Divergence(step: step, advice: recipe.divergenceAdvice) }
    smooth(Double(loss))
    lossStretches.add(Double(loss), at: step)
  }

  private func plannedStep(_ step: Int) -> PlannedStep {
    PlannedStep(minibatches.next(), settings(at: step))
  }

  private func settings(at step: Int) -> StepSettings {
    StepSettings(
      recipe.update(at: step, learningRate: learningRate), dropout: recipe.dropoutMask(at: step))
  }

  /// At first the plain mean, then an exponential one: the start weighs no more than the rest.
  private func smooth(_ loss: Double) {
    let weight = 1 / Double(min(step, 1000))
    smoothedLoss = step == 1 ? loss : smoothedLoss + weight * (loss - smoothedLoss)
  }

  /// The network as it stands, with batch norm's statistics over the training split.
  public func model() -> Model {
    let state = engine.state
    let parameters = state.average ?? state.parameters
    return Model(
      vocabulary: dataset.vocabulary, parameters: parameters,
      statistics: calibration.statistics(parameters))
  }
}

extension Trainer {
  /// The network as it stands and its loss over the validation words, in nats per character; a run
  /// remembers its best.
  public func evaluate() -> (model: Model, validationLoss: Double) {
    let model = model()
    let loss = model.loss(over: validationContexts)
    note(communicator?.broadcast(loss) ?? loss)
    return (model, loss)
  }

  /// Remembers an evaluation of this step if it is the best.
  func note(_ loss: Double) {
    if loss < best?.validationLoss ?? .infinity {
      best = BestEvaluation(step: step, validationLoss: loss)
    }
  }
}

/// A training run whose loss is no longer a finite number.
public struct Divergence: Error, Equatable, Sendable, CustomStringConvertible {
  /// The steps taken, the one that diverged included.
  public let step: Int
  /// What to change.
  public let advice: String

  /// What is wrong, in one line.
  public var description: String {
    "the loss is no longer a finite number at step \(step); \(advice)"
  }
}

extension Recipe {
  /// Whether a step's decay is too large, at a learning rate that is not: above 1 it flips the
  /// weights' signs instead of shrinking them, and above 2 it makes them grow.
  package var isDecayTooLarge: Bool { learningRate <= 1 && learningRate * weightDecay > 1 }

  /// What to change where training diverges.
  public var divergenceAdvice: String {
    isDecayTooLarge
      ? "choose a smaller weight decay: learning rate times weight decay has to stay below 1"
      : "choose a smaller learning rate"
  }
}

// MARK: - Ranks
//
// All ranks hold the same parameters, draw the same minibatches and take every step together. Rank
// 0 alone evaluates and saves, while the others wait for it in the next sum. A request to stop is
// sent with the gradients, so that all ranks stop after the same step.

extension Trainer {
  /// The number of ranks that train together; nil for this process alone.
  package var rankCount: Int? { communicator?.count }

  /// The time spent in sums over ranks, waiting for others included, in seconds; nil for one
  /// process.
  package var secondsInSums: Double? { communicator?.secondsInSums }

  /// Sets what is asked before every step whether this process is to stop.
  ///
  /// When it returns true, `advance` ends after the step, with `isStopped`: on all ranks, if it
  /// does on any.
  public func stop(when isAsked: @escaping () -> Bool) { engine.stopRequest = isAsked }

  /// Takes all steps together with rank 0, which drives its trainer by `advance` and `evaluate`,
  /// and evaluates at the steps that the recipe says.
  ///
  /// - Throws: `Divergence` after the same step as rank 0.
  package func follow() throws(Divergence) {
    guard let communicator else { preconditionFailure("Trainer: no rank to follow") }
    while !isFinished, !isStopped {
      try advance(to: recipe.nextEvaluation(after: step))
      if recipe.isEvaluated(at: step) { note(communicator.broadcast(.nan)) }
    }
  }
}

extension Recipe {
  /// The next step after which the network is evaluated.
  public func nextEvaluation(after step: Int) -> Int {
    min(steps, (step / evaluationInterval + 1) * evaluationInterval)
  }

  /// Whether the network is evaluated after so many steps.
  public func isEvaluated(at step: Int) -> Bool {
    step == steps || step.isMultiple(of: evaluationInterval)
  }
}

extension Trainer {
  /// The words that train, of the list or of its sample.
  var trainingWords: WordList { dataset.words.selecting(dataset.split.train) }

  /// The n-gram model that a network of this run is mixed with; nil if the recipe wants none.
  public func mixture(with model: Model) -> Mixture? {
    recipe.mix == .ngram ? mixtureFit.mixture(with: model) : nil
  }
}

// MARK: - Memory
//
// An upper bound on the peak, so that excessive sizes are refused before anything is allocated: the
// engine, as its own layout counts it, beside a model that is evaluated and the file that is made
// of it. What never grows with the flags is left out, and so are the windows, which the data set
// limits itself. Double cannot overflow here, and its rounding does not matter.

extension Trainer {
  /// The bytes that training, evaluating and saving take together, or nil above what can be
  /// counted.
  package static func byteCount(
    _ recipe: Recipe, vocabulary: Int, backward: Backward = .fused, threads: Int = 1
  ) -> Int? {
    let shape = recipe.shape(vocabulary: vocabulary)
    let hasMoments = recipe.optimizer.hasMoments
    guard
      let engine = FusedEngine.byteCount(
        shape, batchSize: recipe.batchSize, threads: threads, hasMoments: hasMoments,
        hasAverage: recipe.averaging > 0)
    else { return nil }
    // The model's parameters, its folded first layer, the tensors of the file and the file.
    var copies = 4.0
    // AdamW's two moments: copied from the engine, as tensors and in the file.
    if hasMoments { copies += 6 }
    // Likewise the unaveraged parameters, beside their average.
    if recipe.averaging > 0 { copies += 3 }
    var total = Double(engine) + copies * shape.parameterBytes + evaluationBytes(shape)
    if backward != .fused { total += shape.derivationBytes(batchSize: recipe.batchSize) }
    return total < 0x1p62 ? Int(total) : nil
  }

  /// A block of contexts: embcat, three matrices of Float and four of Double as wide as the widest.
  private static func evaluationBytes(_ shape: ModelShape) -> Double {
    let rows = Double(DistinctContexts.blockLength(width: shape.widestRow))
    return rows * Double(shape.widestRow) * (4 * 4 + 4 * 8)
  }
}
