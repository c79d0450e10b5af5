// Whole training steps: the derivation on either product, and the fused engine on one thread or more.

import CharMLP
import CommandSupport
import LinearAlgebra

/// The time that one way to train takes for a step.
struct StepTiming {
  let path: String
  let product: MatrixProduct
  let threads: Int
  let seconds: Double

  var stepsPerSecond: Double { 1 / seconds }
}

/// One way to take a step.
struct StepSide {
  let path: String
  let product: MatrixProduct
  let engine: any Engine

  var threads: Int { (engine as? FusedEngine)?.threads ?? 1 }

  /// The derivation on either product, then the fused engine on one thread and on `threads`.
  ///
  /// An engine has no more threads than its hidden layer has slices; where that is one, the last row
  /// would repeat the one before, and is left out.
  static func all(_ problem: BenchProblem, threads: Int) -> [StepSide] {
    let parameters = problem.parameters
    let engines = [1, threads].map {
      FusedEngine(parameters, batchSize: problem.recipe.batchSize, threads: $0)
    }
    let fused = engines.prefix(engines[1].threads == 1 ? 1 : 2)
    return [
      StepSide(
        path: "derivation", product: .naive,
        engine: DerivationEngine(parameters, matmul: .naive)),
      StepSide(path: "derivation", product: .blas, engine: DerivationEngine(parameters)),
    ] + fused.map { StepSide(path: "fused", product: .blas, engine: $0) }
  }

  /// One step of each: the losses before and the parameters after must agree.
  /// - Throws: `CommandFailure` if they do not.
  static func compare(_ sides: [StepSide], _ minibatch: Minibatch) throws(CommandFailure) {
    // Rounding in batch norm's gradients is amplified at most 316 times, by bnvar_inv.
    let tolerance: Float = 1e-3
    let losses = sides.map { $0.engine.step(minibatch, learningRate: 0.1) }
    let parameters = sides.map(\.engine.parameters)
    for index in sides.indices.dropFirst() {
      let differences = Parameters<Float>.ordered.map { _, path in
        parameters[index][keyPath: path].largestDifference(from: parameters[0][keyPath: path])
      }
      let worst = differences.reduce(abs(losses[index] - losses[0])) { max($0, $1) }
      guard worst <= tolerance else {
        throw CommandFailure(
          .failure, "\(sides[index].path) on \(sides[index].product) differs by \(worst)")
      }
    }
  }
}
