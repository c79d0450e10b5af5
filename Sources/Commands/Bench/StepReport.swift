// Times training steps: every way to take one, its six products alone, and its parts; and prints
// the results.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON

/// All that was measured at one shape.
struct StepReport: BenchReport {
  let products: [ProductTiming]
  /// The seconds of a step, each way.
  let timings: [(variant: StepVariant, seconds: Double)]
  let breakdowns: [StepBreakdown]
  let limit: StepLimit

  /// Times the products one by one. Then compares all ways to take a step, and times them in turns
  /// with the six products back to back and with steps under a clock.
  /// - Throws: `CommandFailure` if the ways, or the products, disagree.
  static func measure(
    _ problem: BenchProblem, threads: Int, seconds: Double
  ) throws(CommandFailure) -> StepReport {
    let timedProducts = try ProductTiming.measure(problem.products, seconds: seconds)
    let variants = StepVariant.all(problem, threads: threads)
    let minibatch = problem.minibatch
    try StepVariant.compare(variants, minibatch)
    let engines = variants.compactMap(\.fused)
    let products = problem.products
    // The products come right after the fused steps, with which they are compared.
    let interleaved = InterleavedTiming(
      variants.map { InterleavedTiming.turn($0.engine, minibatch) }
        + [InterleavedTiming.turn(products.backToBack())]
        + engines.map { StepBreakdown.turn($0, minibatch) }, seconds: seconds)

    let timings = variants.enumerated().map { ($1, interleaved.median($0)) }
    let fused = variants.count - engines.count
    return StepReport(
      products: timedProducts, timings: timings,
      breakdowns: engines.indices.map { index in
        StepBreakdown(
          threads: engines[index].threads, seconds: interleaved.median(fused + index),
          parts: interleaved.medians(variants.count + 1 + index))
      },
      limit: StepLimit(
        operations: products.operations, productsSeconds: interleaved.median(variants.count),
        ratios: engines.indices.map {
          interleaved.medianRatio(of: fused + $0, to: variants.count)
        }, rounds: interleaved.count, peakGFLOPS: StepLimit.peak(seconds: seconds / 4)))
  }
}

// MARK: - Whole steps

/// One way to take a step.
struct StepVariant {
  let path: String
  let product: MatrixProduct
  let engine: any Engine
  /// The engine, if it is the fused one, which can be put under a clock.
  var fused: FusedEngine?

  var threads: Int { engine.threads }

  func figures(_ seconds: Double) -> [Figure] {
    [
      .word("training step", "path", path),
      .word("product", "product", product.rawValue),
      .whole("threads", "threads", threads),
      .time("µs", "seconds", seconds, decimals: 1),
      Figure("steps/s", "steps_per_second", Format.significant(1 / seconds), .number(1 / seconds)),
    ]
  }

  /// The derivation on either product, then the fused engine on one thread and on `threads`.
  ///
  /// An engine has no more threads than its hidden layer has slices; where that is one, the last
  /// row would repeat the one before, and is left out.
  static func all(_ problem: BenchProblem, threads: Int) -> [StepVariant] {
    let start = OptimizationState(problem.parameters)
    let engines = [1, threads].map {
      FusedEngine(
        start, batchSize: problem.recipe.batchSize, threads: $0, isFixed: true)
    }
    let fused = engines.prefix(engines[1].threads == 1 ? 1 : 2)
    return [
      StepVariant(
        path: "derivation", product: .naive, engine: DerivationEngine(start, matmul: .naive)),
      StepVariant(path: "derivation", product: .blas, engine: DerivationEngine(start)),
    ] + fused.map { StepVariant(path: "fused", product: .blas, engine: $0, fused: $0) }
  }

  /// One step of each: the losses before and the parameters after must agree.
  /// - Throws: `CommandFailure` if they do not.
  static func compare(_ variants: [StepVariant], _ minibatch: Minibatch) throws(CommandFailure) {
    // Rounding in batch norm's gradients is amplified at most 316 times, by bnvar_inv.
    let tolerance: Float = 1e-3
    let losses = variants.map { $0.engine.step(minibatch, learningRate: 0.1) }
    let parameters = variants.map(\.engine.parameters)
    for index in variants.indices.dropFirst() {
      let differences = Parameters<Float>.ordered.map { _, path in
        parameters[index][keyPath: path].largestDifference(from: parameters[0][keyPath: path])
      }
      let worst = differences.reduce(abs(losses[index] - losses[0])) { max($0, $1) }
      guard worst <= tolerance else {
        throw CommandFailure(
          .failure, "\(variants[index].path) on \(variants[index].product) differs by \(worst)")
      }
    }
  }
}

// MARK: - Where the time of a step goes

/// The parts of a fused step's time, by the engine's own clock.
///
/// Reading a clock some twenty times a step takes time as well, so the step's time without it is
/// measured in the same run and shown beside the sum. It is the calling thread's time: what other
/// threads do meanwhile does not show, but waiting for them does.
struct StepBreakdown {
  let threads: Int
  /// The step's time with no clock running.
  let seconds: Double
  /// The median of each part, in the order of `StepPart.allCases`.
  let parts: [Double]

  /// The step's time with a clock running: the sum of its parts.
  var clockedSeconds: Double { parts.reduce(0, +) }

  /// A part's share of that sum.
  func share(_ part: Int) -> Double { parts[part] / clockedSeconds }

  /// A turn of steps under the engine's clock, whose figures are the seconds of each part in a
  /// step.
  static func turn(_ engine: FusedEngine, _ minibatch: Minibatch) -> InterleavedTiming.Turn {
    let steps = InterleavedTiming.steps(engine, minibatch)
    return InterleavedTiming.turn(making: steps) { count in
      let seconds = engine.timing { steps(count) }
      return StepPart.allCases.map { (seconds[$0] ?? 0) / Double(count) }
    }
  }
}

// MARK: - How fast a step could be at best

/// A step beside its six products alone, and beside the largest rate that sgemm reaches here.
struct StepLimit {
  /// The operations of the six products at their exact shapes; all else in a step is not counted.
  let operations: Double
  /// The six at their exact shapes, unsliced, on one thread, back to back as one piece of work.
  let productsSeconds: Double
  /// The fused step's time over theirs, for each number of threads: the median of the rounds'
  /// ratios.
  let ratios: [Double]
  let rounds: Int
  /// The largest rate of sgemm on one thread, in 10⁹ operations a second.
  let peakGFLOPS: Double

  /// The rows and columns of the product that shows the peak.
  static let peakSize = 1024

  /// The rate of the fastest of several large products.
  static func peak(seconds: Double) -> Double {
    let product = TimedProduct.square(peakSize)
    let interleaved = InterleavedTiming(
      [InterleavedTiming.turn(product.work(.blas))], seconds: seconds)
    return product.operations / interleaved.smallest(0) / 1e9
  }

  /// The rate of a step that takes `seconds`, in 10⁹ operations a second.
  func gigaflops(_ seconds: Double) -> Double { operations / seconds / 1e9 }
}

// MARK: - What is computed

/// The parameters and the minibatch that every measurement starts from.
struct BenchProblem {
  let recipe: Recipe
  let parameters: Parameters<Float>
  let minibatch: Minibatch
  /// The six products of a step through the minibatch, in the order of the step.
  let products: [TimedProduct]

  init(_ recipe: Recipe, _ dataset: Dataset) {
    self.recipe = recipe
    let generator: TorchGenerator
    (parameters, generator) = recipe.initialParameters(vocabulary: dataset.vocabulary.count)
    var stream = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
    minibatch = stream.next()
    products = TimedProduct.step(parameters, minibatch)
  }
}

// MARK: - Text

extension StepReport {
  var text: String {
    let tables = [Figure.table(products.map(\.figures)), stepTable, partTable]
    return ([Self.library] + tables + [limits]).joined(separator: "\n")
  }

  /// The library behind the products, on two lines.
  static var library: String {
    """
    \(BLASLibrary.configuration)
    \(KernelChoice.here.text); \(BLASLibrary.threads) thread a call, \(Host.buildMode) build

    """
  }

  private var stepTable: String {
    Figure.table(
      timings.map { variant, seconds in
        variant.figures(seconds) + [
          .number("ratio", nil, timings[0].seconds / seconds, decimals: 1)
        ]
      }, leftAligned: [0, 1])
  }

  /// The parts of a step side by side for each number of threads.
  private var partTable: String {
    var table = Table(
      ["fused step"]
        + breakdowns.flatMap { ["µs, \(Format.counted($0.threads, "thread"))", "share"] })
    func add(_ name: String, _ cells: (StepBreakdown) -> [String]) {
      table.add([name] + breakdowns.flatMap(cells))
    }
    for (index, part) in StepPart.allCases.enumerated() {
      add(part.name) { [Figure.microseconds($0.parts[index]), Format.percent($0.share(index))] }
    }
    add("sum, clock running") { [Figure.microseconds($0.clockedSeconds), ""] }
    add("step, no clock running") { [Figure.microseconds($0.seconds), ""] }
    return table.text
  }

  /// The step beside its products and beside the peak.
  private var limits: String {
    let ratios = zip(breakdowns, limit.ratios).map { breakdown, ratio in
      "\(Format.fixed(ratio, decimals: 2)) on \(Format.counted(breakdown.threads, "thread"))"
    }
    let rates = breakdowns.map { breakdown in
      Format.fixed(limit.gigaflops(breakdown.seconds), decimals: 1)
        + " GFLOP/s on \(Format.counted(breakdown.threads, "thread"))"
    }
    let lines = [
      """
      six products alone: \(Figure.microseconds(limit.productsSeconds, 1)) µs, at their exact shapes on \
      1 thread, back to back
      """,
      """
      step over six products: \(ratios.joined(separator: ", ")) (median of the ratios of \
      \(Format.count(limit.rounds)) rounds)
      """,
      """
      step: \(Format.significant(limit.operations / 1e6)) MFLOP in its six products, \
      \(rates.joined(separator: ", "))
      """,
      """
      peak of sgemm: \(Format.fixed(limit.peakGFLOPS, decimals: 1)) GFLOP/s on 1 thread, \
      \(StepLimit.peakSize) × \(StepLimit.peakSize)
      """,
    ]
    let columns = StandardOutput.shared.columns
    return lines.map { Format.paragraph($0, columns: columns) }.joined()
  }

  // MARK: - JSON; seconds are those of one call or one step

  /// `blas`, `core`, `core_picked`, `core_chosen_by`, `build`, `products`, `steps`, `breakdowns`
  /// and `limit`.
  var json: JSONValue {
    .object(
      Self.libraryJSON + [
        ("products", Figure.json(products.map(\.figures))),
        ("steps", Figure.json(timings.map { $0.variant.figures($0.seconds) })),
        ("breakdowns", .array(breakdowns.map(json))),
        ("limit", json(limit)),
      ])
  }

  /// The library behind the products.
  static var libraryJSON: [(key: String, value: JSONValue)] {
    [("blas", .string(BLASLibrary.configuration))] + KernelChoice.here.json
      + [("build", .string(Host.buildMode))]
  }

  private func json(_ breakdown: StepBreakdown) -> JSONValue {
    [
      "threads": .integer(breakdown.threads),
      "seconds": .number(breakdown.seconds),
      "clocked_seconds": .number(breakdown.clockedSeconds),
      "parts": .array(
        StepPart.allCases.enumerated().map { index, part in
          [
            "name": .string(part.name),
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
        zip(breakdowns, limit.ratios).map { breakdown, ratio in
          [
            "threads": .integer(breakdown.threads),
            "ratio": .number(ratio),
            "gflops": .number(limit.gigaflops(breakdown.seconds)),
          ]
        }),
    ]
  }
}
