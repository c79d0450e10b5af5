// What bench has to show about one shape, for programs. Seconds are those of one call or one step.

import CharMLP
import CommandSupport
import LinearAlgebra

extension BenchReport {
  /// `blas`, `core`, `build`, `products`, `steps`, `breakdowns` and `limit`.
  var json: JSONValue {
    .object(
      Self.libraryJSON + [
        ("products", .array(products.map(json))),
        ("steps", .array(steps.timings.map(json))),
        ("breakdowns", .array(steps.breakdowns.map(json))),
        ("limit", json(steps.limit)),
      ])
  }

  /// The library behind the products.
  static var libraryJSON: [(key: String, value: JSONValue)] {
    [
      ("blas", .string(BLASLibrary.configuration)),
      ("core", .string(BLASLibrary.core)),
      ("build", .string(Host.buildMode)),
    ]
  }

  private func json(_ timing: ProductTiming) -> JSONValue {
    [
      "name": .string(timing.product.name),
      "m": .integer(timing.product.rows),
      "n": .integer(timing.product.columns),
      "k": .integer(timing.product.depth),
      "naive_seconds": .number(timing.naiveSeconds),
      "blas_seconds": .number(timing.blasSeconds),
      "blas_gflops": .number(timing.blasGFLOPS),
      "ratio": .number(timing.ratio),
      "max_difference": .number(timing.largestDifference),
    ]
  }

  private func json(_ timing: StepTiming) -> JSONValue {
    [
      "path": .string(timing.path),
      "product": .string(timing.product.rawValue),
      "threads": .integer(timing.threads),
      "seconds": .number(timing.seconds),
      "steps_per_second": .number(timing.stepsPerSecond),
    ]
  }

  private func json(_ breakdown: StepBreakdown) -> JSONValue {
    [
      "threads": .integer(breakdown.threads),
      "seconds": .number(breakdown.seconds),
      "clocked_seconds": .number(breakdown.clockedSeconds),
      "parts": .array(
        StepPart.allCases.enumerated().map { index, part in
          [
            "name": .string(part.rawValue),
            "seconds": .number(breakdown.parts[index]),
            "share": .number(breakdown.share(index)),
          ]
        }),
    ]
  }

  private func json(_ limit: StepLimit) -> JSONValue {
    [
      "operations": .number(limit.operations),
      "products_seconds": .number(limit.productsSeconds),
      "rounds": .integer(limit.rounds),
      "peak_gflops": .number(limit.peakGFLOPS),
      "peak_size": .integer(StepLimit.peakSize),
      "steps": .array(
        zip(steps.breakdowns, limit.ratios).map { breakdown, ratio in
          [
            "threads": .integer(breakdown.threads),
            "ratio": .number(ratio),
            "gflops": .number(limit.gigaflops(breakdown.seconds)),
          ]
        }),
    ]
  }
}
