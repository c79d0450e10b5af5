// The command `bench`: BLAS beside the naive matrix product, for the products of a step and for steps.

import ArgumentParser
import CharMLP
import CommandSupport
import LinearAlgebra

@main
struct Bench: Command {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure BLAS against the naive matrix product.",
    usage: """
      bench                                  at the notebook's shape
      bench --batch-size 256 --hidden 500    at another
      bench --json > bench.json
      """,
    discussion:
      "Results are compared before anything is timed. All sides take turns; figures are medians.",
    version: version)

  @Option(help: "Windows in a minibatch.", in: 2...100_000) var batchSize = Recipe().batchSize
  @Option(help: "Characters of context.", in: 1...1000) var blockSize = Recipe().blockSize
  @Option(help: "Numbers that represent a character.", in: 1...10_000)
  var embedding = Recipe().embedding
  @Option(help: "Units of the hidden layer.", in: 1...100_000) var hidden = Recipe().hidden
  @Option(help: "Seconds for each of the two tables.", above: 0, upTo: 3600) var seconds = 2.0
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let problem = try problem()
    let products = try ProductTiming.measure(problem, seconds: seconds)
    let steps = try StepTiming.measure(problem, seconds: seconds)
    if !isOptimized {
      StandardError.shared.warn("built without optimization: these figures say nothing")
    }
    let report = BenchReport(products: products, steps: steps)
    try StandardOutput.shared.write(json ? report.json.encoded() + "\n" : report.text)
  }

  /// The notebook's parameters and first minibatch, on the bundled list.
  private func problem() throws -> BenchProblem {
    var recipe = Recipe()
    (recipe.batchSize, recipe.blockSize) = (batchSize, blockSize)
    (recipe.embedding, recipe.hidden) = (embedding, hidden)
    let source = WordListSource(nil)
    let words = try source.read()
    do throws(DatasetError) {
      return BenchProblem(
        recipe, try Dataset(words, splitSeed: recipe.splitSeed, blockSize: blockSize))
    } catch {
      throw error.commandFailure(in: source.name)
    }
  }
}
