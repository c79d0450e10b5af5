// All that is measured about steps, in one run: ways to train, the six products alone, and the parts.

import CharMLP
import CommandSupport
import LinearAlgebra

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

// MARK: - Whole training steps: the derivation on either product, and the fused engine on one thread or more

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

// MARK: - Where the time of a fused step goes, as the engine's own clock tells it

// Looking at a clock some twenty times a step takes time as well, so the step's time without it is
// measured in the same run and shown beside the sum. It is the calling thread's time: what other threads do
// meanwhile does not show, but that it waits for them does.

/// The parts of a fused step's time.
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

  /// A turn of steps under the engine's clock, whose figures are the seconds of each part in a step.
  static func turn(_ engine: FusedEngine, _ minibatch: Minibatch) -> Alternation.Turn {
    let step = { _ = engine.step(minibatch, learningRate: 0) }
    let calls = Alternation.callsPerTurn(step)
    return {
      Alternation.wakeUp(step, calls)
      let seconds = engine.timing { for _ in 0..<calls { step() } }
      return StepPart.allCases.map { (seconds[$0] ?? 0) / Double(calls) }
    }
  }
}

// MARK: - How near a step comes to what it cannot avoid: its six products, and the library's peak

/// A step beside its six products alone, and beside the largest rate that sgemm reaches here.
struct StepLimit {
  /// The operations of the six products at their exact shapes; all else in a step is not counted.
  let operations: Double
  /// The six at their exact shapes, unsliced, on one thread, back to back as one piece of work.
  let productsSeconds: Double
  /// The fused step's time over theirs, for each number of threads: the median of the rounds' ratios.
  let ratios: [Double]
  let rounds: Int
  /// The largest rate of sgemm on one thread, in 10⁹ operations a second.
  let peakGFLOPS: Double

  /// The rows and columns of the product that shows the peak.
  static let peakSize = 1024

  /// The rate of the fastest of several large products.
  static func peak(seconds: Double) -> Double {
    let product = SizedProduct.square(peakSize)
    let alternation = Alternation([Alternation.turn(product.work(.blas))], seconds: seconds)
    return product.operations / alternation.smallest(0) / 1e9
  }

  /// The rate of a step that takes `seconds`, in 10⁹ operations a second.
  func gigaflops(_ seconds: Double) -> Double { operations / seconds / 1e9 }
}

// MARK: - What is computed while the clock runs: one minibatch and one set of parameters, for all sides

/// The parameters and the minibatch that every side starts from.
struct BenchProblem {
  let recipe: Recipe
  let parameters: Parameters<Float>
  let minibatch: Minibatch
  /// The six products of a step through the minibatch, in the order of the step.
  let products: [StepProduct]

  init(_ recipe: Recipe, _ dataset: Dataset) {
    self.recipe = recipe
    var generator = TorchGenerator(seed: recipe.seed)
    parameters = .notebook(
      recipe.shape(vocabulary: dataset.vocabulary.count), seed: recipe.seed,
      generator: &generator)
    var stream = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
    minibatch = stream.next()
    products = StepProduct.all(Derivation(parameters, minibatch))
  }
}
