// The flags that make a recipe: a preset, and what is to be different. Each may be left out: a new run then
// takes the preset's value, a resumed one its own, and what is given to a resumed run is compared with it.

import ArgumentParser
import CharMLP
import CommandSupport

/// The settings of a network and its training, as far as they are given.
struct RecipeOptions: ParsableArguments {
  @Option(
    name: .customLong("recipe"),
    help: "Settings to begin with: notebook, the lecture's, or best. (default: notebook)")
  var preset: Recipe.Preset?
  @Option(
    help: "Steps of gradient descent. (default: \(Recipe().steps))",
    transform: wholeNumber(in: 1...1_000_000_000)) var steps: Int?
  @Option(
    help: "Windows in a minibatch. (default: \(Recipe().batchSize))",
    transform: wholeNumber(in: 2...10_000_000)) var batchSize: Int?
  @Option(
    help: "Characters of context. (default: \(Recipe().blockSize))",
    transform: wholeNumber(in: 1...100_000)) var blockSize: Int?
  @Option(
    help: "Numbers that represent a character. (default: \(Recipe().embedding))",
    transform: wholeNumber(in: 1...100_000)) var embedding: Int?
  @Option(
    help: "Units of the hidden layer. (default: \(Recipe().hidden))",
    transform: wholeNumber(in: 1...10_000_000)) var hidden: Int?
  @OptionGroup var optimization: OptimizationOptions
  @Option(
    help: "Steps between evaluations. (default: a twentieth of the steps)",
    transform: wholeNumber(in: 1...1_000_000_000)) var evaluateEvery: Int?
  @Option(
    help: "Seed of the parameters and the minibatches. (default: \(Recipe().seed))",
    transform: wholeNumber(in: 0...UInt64.max)) var seed: UInt64?
  @Option(
    help: """
      How words come to train, validate or test: shuffle, as in the lecture; hash, for lists too long \
      for one memory: each rank reads its part. (default: \(Recipe().split.rawValue))
      """) var split: Split.Method?
  @Option(
    help: "Seed of the split into train, validation and test. (default: \(Recipe().splitSeed))",
    transform: wholeNumber(in: 0...UInt64.max)) var splitSeed: UInt64?
  @Flag(help: "Remove words that repeat an earlier one, before the split.") var deduplicate = false

  /// A recipe, or the preset that is asked for, with what is given in the place of its own settings.
  func applied(to recipe: Recipe) -> Recipe {
    var recipe = preset.map(Recipe.init) ?? recipe
    if let steps { recipe.steps = steps }
    if let batchSize { recipe.batchSize = batchSize }
    if let blockSize { recipe.blockSize = blockSize }
    if let embedding { recipe.embedding = embedding }
    if let hidden { recipe.hidden = hidden }
    optimization.apply(to: &recipe)
    if let evaluateEvery { recipe.evaluateEvery = evaluateEvery }
    if let seed { recipe.seed = seed }
    if let split { recipe.split = split }
    if let splitSeed { recipe.splitSeed = splitSeed }
    if deduplicate { recipe.deduplicate = true }
    return recipe
  }
}

extension Recipe.Preset: ExpressibleByArgument {}
extension Split.Method: ExpressibleByArgument {}

// MARK: - The flags about how parameters are changed, and when that ends

/// The settings of the optimizer, as far as they are given.
struct OptimizationOptions: ParsableArguments {
  @Option(help: "Optimizer: sgd or adamw. (default: \(Recipe().optimizer.rawValue))")
  var optimizer: Optimizer?
  @Option(
    help: "The largest learning rate. (default: \(Recipe().learningRate))",
    transform: decimalNumber(above: 0, upTo: 1e30)) var learningRate: Float?
  @Option(
    help: """
      How the learning rate falls: constant; step, to a tenth half way; cosine, to 0. \
      (default: \(Recipe().schedule.rawValue))
      """) var schedule: Schedule?
  @Option(
    help: "First steps, over which the learning rate grows. (default: \(Recipe().warmup))",
    transform: wholeNumber(in: 0...1_000_000_000)) var warmup: Int?
  @Option(
    help: "Decoupled decay of W1 and W2. (default: \(Recipe().weightDecay))",
    transform: decimalNumber(from: 0, upTo: 1e30)) var weightDecay: Float?
  @Option(
    help: "Share of hidden units that a step leaves out. (default: \(Recipe().dropout))",
    transform: decimalNumber(from: 0, upTo: 0.99)) var dropout: Float?
  @Option(
    help: "Evaluations without a better validation loss, after which training ends; 0: never.",
    transform: wholeNumber(in: 0...1_000_000_000)) var patience: Int?
  @Option(
    help: "Ends training when an evaluation finds a smaller validation loss; 0: never.",
    transform: decimalNumber(from: 0, upTo: 1e30)) var stopAtValidationLoss: Float?

  func apply(to recipe: inout Recipe) {
    if let optimizer { recipe.optimizer = optimizer }
    if let learningRate { recipe.learningRate = learningRate }
    if let schedule { recipe.schedule = schedule }
    if let warmup { recipe.warmup = warmup }
    if let weightDecay { recipe.weightDecay = weightDecay }
    if let dropout { recipe.dropout = dropout }
    if let patience { recipe.patience = patience }
    if let stopAtValidationLoss { recipe.stopAtValidationLoss = stopAtValidationLoss }
  }
}

extension Optimizer: ExpressibleByArgument {}
extension Schedule: ExpressibleByArgument {}

// MARK: - The flags about saving and going on

/// When a run is saved, and which one goes on.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: "Steps between two saves. (default: about 10 seconds of training)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var checkpointEvery: Int?
  @Option(help: "Run directory of a run that was stopped, to go on with; needs no other flag.")
  var resume: String?

  func validate() throws {
    if resume == "" { throw ValidationError("--resume must name a run directory") }
  }
}

// MARK: - A recipe in words, and as the flags that ask for it

extension Recipe {
  /// How a run is trained: 200,000 steps of 32, learning rate 0.1, then 0.01.
  var trainingText: String {
    var parts = ["\(Format.count(steps)) steps of \(batchSize)"]
    if optimizer != .sgd { parts.append(optimizer.rawValue) }
    parts.append("learning rate \(scheduleText)")
    if weightDecay > 0 { parts.append("weight decay \(weightDecay)") }
    if dropout > 0 { parts.append("dropout \(dropout)") }
    return parts.joined(separator: ", ")
  }

  private var scheduleText: String {
    let fall =
      switch schedule {
      case .constant: ""
      case .step: ", then \(learningRate / 10)"
      case .cosine: ", falling as a cosine"
      }
    return "\(learningRate)\(fall)"
      + (warmup > 0 ? " after \(Format.count(warmup)) steps of warm-up" : "")
  }

  /// All settings that are not off, as flags.
  var flags: String {
    settings.filter { Double($0.value) != 0 }.compactMap { key, value in
      let flag = "--" + key.split(separator: "_").joined(separator: "-")
      if value == "true" { return flag }
      return value == "false" ? nil : "\(flag) \(value)"
    }.joined(separator: " ")
  }
}
