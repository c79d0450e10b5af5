// Everything that a training run depends on besides the words: what is stored to run it again, the
// data set that it makes of the words, and what rank 0 sends of it.

public import LinearAlgebra
import RealModule

/// How a network is trained.
public struct Recipe: Equatable, Sendable {
  /// Characters of context.
  public var blockSize = 3
  /// Numbers that represent one character.
  public var embedding = 10
  /// The standard deviation of C at the start.
  public var embeddingScale: Float = 1
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
  /// How fast W1 and W2 shrink, whatever their gradients: by the share learningRate · weightDecay a
  /// step.
  public var weightDecay: Float = 0
  /// The share of hidden units that a step leaves out, at least 0 and below 1.
  public var dropout: Float = 0
  /// The decay of the exponential moving average (EMA) of the parameters, at least 0 and below 1; 0
  /// if none is kept. If one is kept, it is the network that predicts.
  public var averaging: Float = 0
  /// Steps between two evaluations; 0 for a twentieth of the steps.
  public var evaluateEvery = 0
  /// Training ends after this many evaluations without a better validation loss; 0 for never.
  public var patience = 0
  /// Training ends when an evaluation finds a smaller validation loss than this; 0 for never.
  public var stopAtValidationLoss: Float = 0
  /// Seed of the parameters, of the minibatches and of what is dropped.
  public var seed: UInt64 = 2_147_483_647
  /// Whether the trained network is mixed with an n-gram model. Training is the same either way.
  public var mix = Mix.none
  /// How words are divided into training, validation and test sets.
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

  /// What a step, counted from 0, does to the parameters.
  ///
  /// - Parameters:
  ///   - step: The step, from 0.
  ///   - learningRate: Takes the place of the recipe's own; nil for that.
  public func update(at step: Int, learningRate: Float? = nil) -> ParameterUpdate {
    ParameterUpdate(
      optimizer, learningRate: learningRate ?? self.learningRate(at: step),
      weightDecay: weightDecay, averaging: averaging, step: step)
  }

  /// The hidden units that a step leaves out, nil if none.
  public func dropoutMask(at step: Int) -> RandomMask? {
    guard dropout > 0 else { return nil }
    return RandomMask(rate: dropout, seed: seed, step: step, columns: hidden)
  }

  /// The steps between two evaluations.
  public var evaluationInterval: Int { evaluateEvery > 0 ? evaluateEvery : max(1, steps / 20) }

  /// Why a run's validation losses end its training at a step before the last; nil if they do not.
  ///
  /// - Parameters:
  ///   - best: The best evaluation so far.
  ///   - step: The steps taken.
  ///   - change: The step at which the run was given another end: only evaluations after it count.
  ///     Nil if it never was.
  public func earlyStop(
    _ best: BestEvaluation?, at step: Int, since change: Int? = nil
  ) -> EarlyStop? {
    guard let best, step < steps else { return nil }
    if best.validationLoss < Double(stopAtValidationLoss), best.step > change ?? -1 {
      return .reached(stopAtValidationLoss)
    }
    // Whole intervals, so that the answer changes only at evaluations.
    let evaluations =
      step / evaluationInterval - max(best.step, change ?? 0) / evaluationInterval
    return patience > 0 && evaluations >= patience ? .noBetter(evaluations: evaluations) : nil
  }

  /// The shape of the network for a vocabulary of `vocabulary` ids.
  public func shape(vocabulary: Int) -> ModelShape {
    ModelShape(
      vocabulary: vocabulary, blockSize: blockSize, embedding: embedding, hidden: hidden)
  }
}

/// Why training ended before its last step.
public enum EarlyStop: Equatable, Sendable, CustomStringConvertible {
  /// An evaluation found a smaller validation loss than the recipe's limit.
  case reached(Float)
  /// This many evaluations in a row were no better than the best before them.
  case noBetter(evaluations: Int)

  /// What ended training, in a few words.
  public var description: String {
    switch self {
    case .reached(let loss): "the validation loss is below \(loss)"
    case .noBetter(1): "no better for 1 evaluation"
    case .noBetter(let evaluations): "no better for \(evaluations) evaluations"
    }
  }
}

// MARK: - Presets

extension Recipe {
  /// A recipe that people can ask for by name.
  public enum Preset: String, CaseIterable, Sendable {
    /// The lecture's notebook, setting by setting.
    case notebook
    /// The best settings known for a list of its size.
    case best
  }

  /// The settings of a preset.
  ///
  /// - Parameters:
  ///   - preset: Which one.
  ///   - trainingWindows: About how many windows of the list train the network.
  ///   - steps: The steps of training; nil for as many as the list needs.
  public init(_ preset: Preset, trainingWindows: Int, steps: Int? = nil) {
    switch preset {
    case .notebook:
      self.init()
      self.steps = steps ?? self.steps
    case .best: self.init(bestFor: trainingWindows, steps: steps)
    }
  }

  /// The rule of `best`: AdamW with a cosine, and a network that grows with the list.
  ///
  /// docs/performance.md says what was tried. Small lists need strong decay and many small
  /// minibatches; on long ones a large network with a long context pays.
  private init(bestFor windows: Int, steps wanted: Int?) {
    self.init()
    let size = Self.sizes.first { windows < $0.windows } ?? Self.sizes[Self.sizes.count - 1]
    (blockSize, embedding, hidden) = (size.block, size.embedding, size.hidden)
    (batchSize, dropout, weightDecay) = (size.batch, size.dropout, size.decay)
    steps = wanted ?? max(200, min(windows * size.passes / batchSize, size.stepLimit))
    optimizer = .adamw
    learningRate = 2e-3
    schedule = .cosine
    warmup = max(10, steps / 50)
    embeddingScale = 0.5
    // Over about a twentieth of the run, as far as a Float below 1 allows.
    averaging = min(max(0, 1 - 20 / Float(steps)), Float(1).nextDown)
    evaluateEvery = max(1, steps / 50)
    patience = 15
    mix = .ngram
  }

  private typealias Size = (
    windows: Int, block: Int, embedding: Int, hidden: Int, batch: Int, dropout: Float,
    decay: Float, passes: Int, stepLimit: Int
  )

  /// The settings for lists of fewer training windows than each entry's first number.
  private static let sizes: [Size] = [
    (20_000, 5, 24, 256, 64, 0.5, 2, 120, .max),
    (40_000, 5, 48, 512, 256, 0.5, 1, 120, .max),
    (100_000, 6, 48, 512, 256, 0.3, 1, 80, .max),
    (400_000, 6, 24, 840, 1024, 0.35, 0.5, 220, .max),
    (.max, 8, 32, 1200, 1024, 0.05, 0.3, 80, 30_000),
  ]
}

extension WordList {
  /// About how many of the list's windows train a network: eight tenths of all.
  public var trainingWindows: Int { (characterCount + count) * 8 / 10 }
}

// MARK: - Schedules

/// How the learning rate falls from its largest value.
public enum Schedule: String, CaseIterable, Equatable, Sendable {
  /// The same at every step.
  case constant
  /// A tenth from half of the steps on, as in the lecture.
  case step
  /// Half a period of the cosine, from 1 down to 0 (Loshchilov and Hutter, "SGDR", 2017).
  case cosine

  /// The learning rate of a step, counted from 0.
  ///
  /// - Parameters:
  ///   - largest: The learning rate that the schedule begins with.
  ///   - warmup: The step at which the learning rate is largest; the cosine begins there.
  ///   - steps: The steps of the run.
  func learningRate(_ largest: Float, at step: Int, from warmup: Int, to steps: Int) -> Float {
    switch self {
    case .constant: return largest
    // Divided, not multiplied by 0.1, so that 0.1 becomes the lecture's 0.01 to the last bit.
    case .step: return step < steps / 2 ? largest : largest / 10
    case .cosine:
      let share = Double(step - warmup) / Double(max(steps - warmup, 1))
      return largest * Float((1 + Double.cos(.pi * share)) / 2)
    }
  }
}

// MARK: - Seeds
//
// What a run draws besides its training has its own seeds, so that it draws no number that the
// training drew. The recipe's own seed is that of the initial parameters, of the minibatches and of
// dropout; the split has a seed of its own.

extension Recipe {
  /// The seed of the minibatch that diagnostics look at.
  var diagnosticsSeed: UInt64 { seed &+ 1 }

  /// The seed of the words that a run shows: the lecture's 2147483647 + 10.
  package var samplingSeed: UInt64 { seed &+ 10 }

  /// The seed of the words that a run shows after a step, different words each time.
  package func samplingSeed(at step: Int) -> UInt64 { samplingSeed &+ UInt64(step) }
}

// MARK: - The data set of a recipe
//
// Rank 0 sends a list that is shuffled to the others. One that is split by hash is read by all
// ranks, each its own lines, unless rank 0 has it from a model file. Either way all ranks end up
// with equal data sets, except for their parts of the training text.

extension Dataset {
  /// Makes the data set of a recipe: duplicates removed if it says so, and split as it says.
  ///
  /// - Parameters:
  ///   - words: The list.
  ///   - recipe: The settings: what is removed, and how the rest is split.
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    try self.init(words, recipe, communicator: nil, memoryLimit: memoryLimit)
  }

  /// The same, where ranks share the training text if it is split by hash; without a communicator,
  /// for this process alone.
  package init(
    _ words: WordList, _ recipe: Recipe, communicator: (any Communicator)?,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    if recipe.split == .hash {
      let list = HashSplitList(
        words, splitSeed: recipe.splitSeed, communicator: communicator)
      try self.init(list, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
      return
    }
    let kept = recipe.deduplicate ? words.deduplicated() : words
    guard kept.count >= Self.fewestWords || kept.count == words.count else {
      throw .tooFewWords(
        kept.count, needed: Self.fewestWords, removed: words.count - kept.count)
    }
    try self.init(
      kept, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
    duplicatesRemoved = words.count - kept.count
  }
}

// MARK: Ranks

/// What rank 0 sends to the other ranks first: the run to prepare for.
package struct RunAssignment: Equatable, Sendable {
  /// The recipe of the run.
  package let recipe: Recipe
  /// The list that every rank reads its share of; nil if rank 0 sends the words.
  package let path: String?

  package init(_ recipe: Recipe, path: String?) {
    (self.recipe, self.path) = (recipe, path)
  }

  /// Sends this to the other ranks; called by rank 0.
  package func send(_ communicator: any Communicator) {
    var message = Array("\(recipe.text)\n\(path ?? "")".utf8)
    communicator.broadcast(&message)
  }

  /// Receives what rank 0 sends; nil if there will be no run.
  package static func received(_ communicator: any Communicator) -> RunAssignment? {
    var message: [UInt8] = []
    communicator.broadcast(&message)
    let parts = String(decoding: message, as: UTF8.self)
      .pieces(separatedBy: UInt8(ascii: "\n"), maxSplits: 1, omittingEmpty: false)
    guard parts.count == 2 else { return nil }
    let recipe = mustSucceed { try Recipe(text: String(parts[0])) }
    return RunAssignment(recipe, path: parts[1].isEmpty ? nil : String(parts[1]))
  }

  /// Tells the other ranks that there will be no run, wherever they wait for rank 0.
  package static func cancel(_ communicator: any Communicator) {
    var nothing: [UInt8] = []
    communicator.broadcast(&nothing)
  }
}
