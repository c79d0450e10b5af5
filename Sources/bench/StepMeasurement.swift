// All that is measured about steps, in one run: ways to train, the six products alone, and the parts.

import CharMLP
import CommandSupport

/// The figures of whole steps.
struct StepMeasurement {
  let timings: [StepTiming]
  let breakdowns: [StepBreakdown]
  let limit: StepLimit

  /// Compares all ways to take a step, and times them in turns with the six products alone and with
  /// steps under a clock.
  /// - Throws: `CommandFailure` if the ways disagree.
  static func measure(
    _ problem: BenchProblem, threads: Int, seconds: Double
  ) throws(CommandFailure) -> StepMeasurement {
    let sides = StepSide.all(problem, threads: threads)
    let minibatch = problem.minibatch
    try StepSide.compare(sides, minibatch)
    let engines = sides.compactMap { $0.engine as? FusedEngine }
    let products = problem.products
    // The products stand last but for the steps under a clock: beside the fused steps.
    let alternation = Alternation(
      sides.map { side in
        Alternation.turn { _ = side.engine.step(minibatch, learningRate: 0) }
      } + [Alternation.turn(products.backToBack())]
        + engines.map { StepBreakdown.turn($0, minibatch) }, seconds: seconds)

    let timings = sides.enumerated().map { index, side in
      StepTiming(
        path: side.path, product: side.product, threads: side.threads,
        seconds: alternation.median(index))
    }
    let fused = sides.count - engines.count
    return StepMeasurement(
      timings: timings,
      breakdowns: engines.indices.map { index in
        StepBreakdown(
          threads: engines[index].threads, seconds: timings[fused + index].seconds,
          parts: alternation.medians(sides.count + 1 + index))
      },
      limit: StepLimit(
        operations: products.operations, productsSeconds: alternation.median(sides.count),
        ratios: engines.indices.map {
          alternation.medianRatio(of: fused + $0, to: sides.count)
        }, rounds: alternation.count, peakGFLOPS: StepLimit.peak(seconds: seconds / 4)))
  }
}
