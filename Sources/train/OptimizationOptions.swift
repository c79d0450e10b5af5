// The flags about how parameters are changed, and when that ends.

import ArgumentParser
import CharMLP
import CommandSupport

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
