// What bench prints about one shape: tables for people, one JSON object for programs.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON

/// All that was measured at one shape.
struct BenchReport {
  let products: [ProductTiming]
  let steps: StepMeasurement

  var text: String {
    [Self.library, productTable, stepTable, partTable, limits].joined(separator: "\n")
  }

  /// The library behind the products, on two lines.
  static var library: String {
    """
    \(BLASLibrary.configuration)
    \(KernelChoice.here.text); \(BLASLibrary.threads) thread a call, \(Host.buildMode) build

    """
  }
}

// MARK: Text

extension BenchReport {
  private var productTable: String {
    var table = Table(
      ["product", "m", "n", "k", "naive µs", "BLAS µs", "GFLOP/s", "ratio", "difference"])
    for timing in products {
      table.add([
        timing.product.name, "\(timing.product.rows)", "\(timing.product.columns)",
        "\(timing.product.depth)", Format.fixed(timing.naiveSeconds * 1e6, decimals: 2),
        Format.fixed(timing.blasSeconds * 1e6, decimals: 2),
        Format.fixed(timing.blasGFLOPS, decimals: 1), Format.fixed(timing.ratio, decimals: 1),
        Format.scientific(Double(timing.largestDifference)),
      ])
    }
    return table.text
  }

  private var stepTable: String {
    let timings = steps.timings
    var table = Table(
      ["training step", "product", "threads", "µs", "steps/s", "ratio"], leftAligned: [0, 1])
    for timing in timings {
      table.add([
        timing.path, timing.product.rawValue, "\(timing.threads)",
        Format.fixed(timing.seconds * 1e6, decimals: 1),
        Format.significant(timing.stepsPerSecond),
        Format.fixed(timings[0].seconds / timing.seconds, decimals: 1),
      ])
    }
    return table.text
  }

  /// The parts of a step side by side for each number of threads.
  private var partTable: String {
    let breakdowns = steps.breakdowns
    var table = Table(
      ["fused step"]
        + breakdowns.flatMap { ["µs, \(Format.counted($0.threads, "thread"))", "share"] })
    for (index, part) in StepPart.allCases.enumerated() {
      table.add(
        [part.rawValue]
          + breakdowns.flatMap {
            [
              Format.fixed($0.parts[index] * 1e6, decimals: 2),
              Format.percent($0.share(index)),
            ]
          })
    }
    table.add(
      ["sum, clock running"]
        + breakdowns.flatMap { [Format.fixed($0.clockedSeconds * 1e6, decimals: 2), ""] })
    table.add(
      ["step, no clock running"]
        + breakdowns.flatMap { [Format.fixed($0.seconds * 1e6, decimals: 2), ""] })
    return table.text
  }

  /// The step beside its products and beside the peak.
  private var limits: String {
    let limit = steps.limit
    let ratios = zip(steps.breakdowns, limit.ratios).map { breakdown, ratio in
      "\(Format.fixed(ratio, decimals: 2)) on \(Format.counted(breakdown.threads, "thread"))"
    }
    let rates = steps.breakdowns.map { breakdown in
      Format.fixed(limit.gigaflops(breakdown.seconds), decimals: 1)
        + " GFLOP/s on \(Format.counted(breakdown.threads, "thread"))"
    }
    let text = """
      six products alone: \(Format.fixed(limit.productsSeconds * 1e6, decimals: 1)) µs, at their exact \
      shapes on 1 thread, back to back
      step over six products: \(ratios.joined(separator: ", ")) (median of the ratios of \
      \(Format.count(limit.rounds)) rounds)
      step: \(Format.significant(limit.operations / 1e6)) MFLOP in its six products, \
      \(rates.joined(separator: ", "))
      peak of sgemm: \(Format.fixed(limit.peakGFLOPS, decimals: 1)) GFLOP/s on 1 thread, \
      \(StepLimit.peakSize) × \(StepLimit.peakSize)
      """
    let columns = StandardOutput.shared.columns
    return text.pieces(separatedBy: UInt8(ascii: "\n"))
      .flatMap { Format.wrapped(String($0), columns: columns) }.map { $0 + "\n" }.joined()
  }
}

// MARK: JSON; seconds are those of one call or one step

extension BenchReport {
  /// `blas`, `core`, `core_picked`, `core_chosen_by`, `build`, `products`, `steps`, `breakdowns` and `limit`.
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
    [("blas", .string(BLASLibrary.configuration))] + KernelChoice.here.json
      + [("build", .string(Host.buildMode))]
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
