// The command `train`: its flags, and what they mean for a run.

import ArgumentParser
import CharMLP
import CommandSupport
import LinearAlgebra

@main
struct Train: Command {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a character-level MLP on a list of words.",
    usage: """
      train                                  train on the bundled list of names
      train --data towns.txt                 train on a list of your own, one word a line
      train --data towns.txt --hidden 100 --steps 50000 --out runs/towns
      train --data towns.txt --describe      look at the list before training on it
      """,
    discussion: """
      The network and the default recipe are those of the lecture's notebook. Progress goes to stderr, \
      results to stdout. The run directory holds model.safetensors, metrics.jsonl and run.json.
      """,
    version: version)

  @Option(help: "Word list: a path, a name in data/, or - for standard input. (default: names.txt)")
  var data: String?

  @Option(help: "Steps of gradient descent.", in: 1...1_000_000_000) var steps = Recipe().steps
  @Option(help: "Windows in a minibatch.", in: 2...10_000_000) var batchSize = Recipe().batchSize
  @Option(help: "Characters of context.", in: 1...100_000) var blockSize = Recipe().blockSize
  @Option(help: "Numbers that represent a character.", in: 1...100_000)
  var embedding = Recipe().embedding
  @Option(help: "Units of the hidden layer.", in: 1...10_000_000) var hidden = Recipe().hidden
  @Option(help: "Learning rate; a tenth of it from half way on.", above: 0, upTo: 1e30)
  var learningRate = Recipe().learningRate
  @Option(help: "Seed of the parameters and the minibatches.", in: 0...UInt64.max)
  var seed = Recipe().seed
  @Option(help: "Seed of the split into train, validation and test.", in: 0...UInt64.max)
  var splitSeed = Recipe().splitSeed
  @Flag(help: "Remove words that repeat an earlier one, before the split.") var deduplicate = false

  @Option(
    help: "Steps between evaluations. (default: a twentieth of the steps)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var evaluateEvery: Int?
  @Option(help: "Run directory. (default: the next free runs/<data>-<k>)") var out: String?
  @Option(help: "Words to print at the end.", in: 0...1_000_000) var samples = 20

  @Option(
    help: "Threads; the result does not depend on them. (default: the cores available)",
    transform: wholeNumber(in: 1...1024))
  var threads: Int?
  @Option(help: "Matrix product: blas or naive. naive implies --backward derivation.")
  var product = MatrixProduct.blas
  @Option(help: "Backward pass: fused or derivation. (default: fused)") var backward: BackwardName?

  @Flag(help: "Describe the list instead of training: duplicates, alphabet, lengths, warnings.")
  var describe = false
  @Flag(help: "Print no progress.") var quiet = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  enum BackwardName: String, ExpressibleByArgument, CaseIterable { case fused, derivation }

  func validate() throws {
    if product == .naive, backward == .fused {
      throw ValidationError("--product naive cannot be used with --backward fused")
    }
    if out == "" { throw ValidationError("--out must name a directory") }
  }

  func run() throws {
    if describe { try describeData() } else { try TrainingRun(self).run() }
  }
}

extension MatrixProduct: ExpressibleByArgument {}

extension Train {
  var recipe: Recipe {
    var recipe = Recipe()
    recipe.blockSize = blockSize
    recipe.embedding = embedding
    recipe.hidden = hidden
    recipe.batchSize = batchSize
    recipe.steps = steps
    recipe.learningRate = learningRate
    recipe.seed = seed
    recipe.splitSeed = splitSeed
    recipe.deduplicate = deduplicate
    return recipe
  }

  var trainerBackward: Trainer.Backward {
    let isFused = product == .blas && backward != .derivation
    return isFused ? .fused : .derivation(product)
  }

  /// The steps between evaluations.
  var evaluationInterval: Int { evaluateEvery ?? max(1, steps / 20) }
}
