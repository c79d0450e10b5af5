// Whole training steps: the derivation on either product, and the fused engine.

import CharMLP
import CommandSupport
import LinearAlgebra

/// The steps per second of one way to train.
struct StepTiming {
  let path: String
  let product: MatrixProduct
  let threads: Int
  let stepsPerSecond: Double

  private typealias Side = (path: String, product: MatrixProduct, engine: any Engine)

  /// Compares and times all ways, in turns.
  /// - Throws: `CommandFailure` if they disagree.
  static func measure(
    _ problem: BenchProblem, seconds: Double
  ) throws(CommandFailure) -> [StepTiming] {
    let sides: [Side] = [
      ("derivation", .naive, DerivationEngine(problem.parameters, matmul: .naive)),
      ("derivation", .blas, DerivationEngine(problem.parameters)),
      ("fused", .blas, FusedEngine(problem.parameters, batchSize: problem.recipe.batchSize)),
    ]
    try compare(sides, problem.minibatch)
    let medians = Alternation.medians(
      sides.map { side in { _ = side.engine.step(problem.minibatch, learningRate: 0) } },
      seconds: seconds)
    return zip(sides, medians).map { side, median in
      StepTiming(
        path: side.path, product: side.product, threads: 1, stepsPerSecond: 1 / median)
    }
  }

  /// One step each: the losses before and the parameters after must agree.
  private static func compare(
    _ sides: [Side], _ minibatch: Minibatch
  ) throws(CommandFailure) {
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
