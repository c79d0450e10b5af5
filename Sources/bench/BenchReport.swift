// The two tables, for people and for programs.

import CommandSupport
import LinearAlgebra

/// All that was measured.
struct BenchReport {
  let products: [ProductTiming]
  let steps: [StepTiming]

  var text: String {
    """
    \(BLASLibrary.configuration)
    core \(BLASLibrary.core), \(BLASLibrary.threads) thread a call, \(Host.buildMode) build

    \(productTable)
    \(stepTable)
    """
  }

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
    var table = Table(["training step", "product", "threads", "steps/s", "ratio"])
    for timing in steps {
      table.add([
        timing.path, timing.product.rawValue, "\(timing.threads)",
        Format.significant(timing.stepsPerSecond),
        Format.fixed(timing.stepsPerSecond / steps[0].stepsPerSecond, decimals: 1),
      ])
    }
    return table.text
  }

  var json: JSONValue {
    [
      "blas": .string(BLASLibrary.configuration),
      "core": .string(BLASLibrary.core),
      "build": .string(Host.buildMode),
      "products": .array(products.map(json)),
      "steps": .array(steps.map(json)),
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
      "steps_per_second": .number(timing.stepsPerSecond),
    ]
  }
}
