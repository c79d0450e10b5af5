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
