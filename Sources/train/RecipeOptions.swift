// The flags that make a recipe. Each may be left out: a new run then takes the notebook's value, a
// resumed one its own, and what is given to a resumed run is compared with it.

import ArgumentParser
import CharMLP
import CommandSupport

/// The settings of a network and its training, as far as they are given.
struct RecipeOptions: ParsableArguments {
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
  @Option(
    help: "Learning rate; a tenth of it from half way on. (default: \(Recipe().learningRate))",
    transform: decimalNumber(above: 0, upTo: 1e30)) var learningRate: Float?
  @Option(
    help: "Seed of the parameters and the minibatches. (default: \(Recipe().seed))",
    transform: wholeNumber(in: 0...UInt64.max)) var seed: UInt64?
  @Option(
    help: "Seed of the split into train, validation and test. (default: \(Recipe().splitSeed))",
    transform: wholeNumber(in: 0...UInt64.max)) var splitSeed: UInt64?
  @Flag(help: "Remove words that repeat an earlier one, before the split.") var deduplicate = false

  /// A recipe with what is given in the place of its own settings.
  func applied(to recipe: Recipe) -> Recipe {
    var recipe = recipe
    if let steps { recipe.steps = steps }
    if let batchSize { recipe.batchSize = batchSize }
    if let blockSize { recipe.blockSize = blockSize }
    if let embedding { recipe.embedding = embedding }
    if let hidden { recipe.hidden = hidden }
    if let learningRate { recipe.learningRate = learningRate }
    if let seed { recipe.seed = seed }
    if let splitSeed { recipe.splitSeed = splitSeed }
    if deduplicate { recipe.deduplicate = true }
    return recipe
  }
}
