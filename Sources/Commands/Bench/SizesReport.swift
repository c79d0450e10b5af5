// What `bench --sizes` has to show, for people: tables of sizes, each ended by a sentence.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON

/// Where BLAS wins and where it loses, and what its own threads bring.
struct SizesReport {
  let squares: [SizeTiming]
  /// For each of the six products of a step, its figures at each batch size.
  let products: [[SizeTiming]]
  let threads: LibraryThreads

  /// A second size of the hidden layer at which BLAS' own threads are timed, beside the given one.
  static let largeHidden = 1024

  /// Compares and times everything, for about `seconds` for each of the three tables.
  /// - Throws: `CommandFailure` if the naive product and BLAS disagree.
  static func measure(
    _ shape: ModelShape, threads: Int, seconds: Double, progress: ProgressDisplay
  ) throws(CommandFailure) -> SizesReport {
    let squares = try SizeTiming.measure(seconds: seconds, progress: progress) { .square($0) }
    let products = try (0..<6).map { index throws(CommandFailure) in
      try SizeTiming.measure(seconds: seconds / 6, progress: progress) {
        TimedProduct.step(shape, batchSize: $0)[index]
      }
    }
    return SizesReport(
      squares: squares, products: products,
      threads: .measure(
        shape.hiddenLayersToCompare, threads: threads, seconds: seconds, progress: progress))
  }

  var text: String {
    """
    \(StepReport.library)
    \(table("square product", "size", [squares]))
    \(Self.filled([sentence("Square products", squares)]))

    \(table("product of a step", "batch", products))
    \(Self.filled(products.map { sentence($0[0].product.name, $0) }))

    \(threadTable)\(Self.filled(threadSentences))

    """
  }

  private static func filled(_ sentences: [String]) -> String {
    let columns = StandardOutput.shared.columns
    return sentences.flatMap { Format.wrapped($0, columns: columns) }.joined(separator: "\n")
  }
}

extension ModelShape {
  /// This shape, and that with the large hidden layer, if it is another.
  fileprivate var hiddenLayersToCompare: [ModelShape] {
    let large = ModelShape(
      vocabulary: vocabulary, blockSize: blockSize, embedding: embedding,
      hidden: SizesReport.largeHidden)
    return self == large ? [self] : [self, large]
  }
}

// MARK: Naive against BLAS

extension SizesReport {
  private func table(_ heading: String, _ size: String, _ groups: [[SizeTiming]]) -> String {
    var table = Table(
      [heading, size, "m", "n", "k", "naive µs", "BLAS µs", "ratio", "wins"], leftAligned: [0, 8])
    for timing in groups.joined() {
      let product = timing.product
      table.add([
        product.name, "\(timing.size)", "\(product.rows)", "\(product.columns)",
        "\(product.depth)", Self.microseconds(timing.naiveSeconds),
        Self.microseconds(timing.blasSeconds),
        timing.ratio.map { Format.fixed($0, decimals: 2) } ?? "–", timing.winner?.rawValue ?? "–",
      ])
    }
    return table.text
  }

  /// Which side wins at each size at which both were timed.
  func sentence(_ name: String, _ timings: [SizeTiming]) -> String {
    let winners = timings.compactMap { timing in timing.winner.map { (timing.size, $0) } }
    return name + ": " + SizeRange.sentence(winners) { $0.rawValue + " wins" } + "."
  }

  private static func microseconds(_ seconds: Double?) -> String {
    seconds.map { Format.fixed($0 * 1e6, decimals: 2) } ?? "–"
  }
}

// MARK: Threads of BLAS' own

extension SizesReport {
  private var threadTable: String {
    guard threads.obstacle == nil else { return "" }
    var table = Table(
      [
        "six products", "batch", "µs, 1 BLAS thread", "µs, \(threads.count) BLAS threads", "ratio",
        "they",
      ], leftAligned: [0, 5])
    for timing in threads.timings {
      table.add([
        "hidden \(timing.hidden)", "\(timing.batchSize)",
        Self.microseconds(timing.oneThreadSeconds), Self.microseconds(timing.seconds),
        Format.fixed(timing.ratio, decimals: 2), timing.effect.phrase,
      ])
    }
    return table.text + "\n"
  }

  /// A sentence for each hidden layer, or why there is none.
  var threadSentences: [String] {
    if let obstacle = threads.obstacle {
      return ["BLAS' own threads were not compared: the library \(obstacle)."]
    }
    let layers = threads.timings.reduce(into: [Int]()) { layers, timing in
      if layers.last != timing.hidden { layers.append(timing.hidden) }
    }
    return layers.map { hidden in
      let effects = threads.timings.filter { $0.hidden == hidden }.map { ($0.batchSize, $0.effect) }
      return "Hidden \(hidden), by batch: \(threads.count) threads of BLAS' own "
        + SizeRange.sentence(effects) { $0.phrase } + "."
    }
  }
}

extension LibraryThreadsTiming.Effect {
  fileprivate var phrase: String { self == .none ? "change nothing" : rawValue }
}

// MARK: JSON; seconds are those of one call, or of six products

extension SizesReport {
  /// `blas`, `core`, `core_picked`, `core_chosen_by`, `build`, `squares`, `products`,
  /// `blas_threads` and `sentences`.
  var json: JSONValue {
    .object(
      StepReport.libraryJSON + [
        ("squares", .array(squares.map { json($0, size: "size") })),
        ("products", .array(products.joined().map { json($0, size: "batch_size") })),
        (
          "blas_threads",
          [
            "threads": .integer(threads.count),
            "obstacle": threads.obstacle.map { .string($0) } ?? .null,
            "timings": .array(threads.timings.map(json)),
          ]
        ),
        ("sentences", .array(sentences.map { .string($0) })),
      ])
  }

  private var sentences: [String] {
    [sentence("Square products", squares)] + products.map { sentence($0[0].product.name, $0) }
      + threadSentences
  }

  private func json(_ timing: SizeTiming, size: String) -> JSONValue {
    .object([
      ("name", .string(timing.product.name)),
      (size, .integer(timing.size)),
      ("m", .integer(timing.product.rows)),
      ("n", .integer(timing.product.columns)),
      ("k", .integer(timing.product.depth)),
      ("naive_seconds", timing.naiveSeconds.map { .number($0) } ?? .null),
      ("blas_seconds", .number(timing.blasSeconds)),
      ("ratio", timing.ratio.map { .number($0) } ?? .null),
      ("wins", timing.winner.map { .string($0.rawValue) } ?? .null),
    ])
  }

  private func json(_ timing: LibraryThreadsTiming) -> JSONValue {
    [
      "hidden": .integer(timing.hidden),
      "batch_size": .integer(timing.batchSize),
      "one_thread_seconds": .number(timing.oneThreadSeconds),
      "seconds": .number(timing.seconds),
      "ratio": .number(timing.ratio),
      "effect": .string(timing.effect.rawValue),
    ]
  }
}

// MARK: - One product at all sizes

/// A product's figures at one size.
struct SizeTiming {
  /// The rows of a square product, or the batch size.
  let size: Int
  let product: TimedProduct
  /// Nil where one call would take longer than about a second.
  let naiveSeconds: Double?
  let blasSeconds: Double

  /// Naive over BLAS.
  var ratio: Double? { naiveSeconds.map { $0 / blasSeconds } }
  var winner: Winner? { ratio.map(Winner.init) }

  /// Which side is faster by more than a twentieth.
  enum Winner: String {
    case naive, neither
    case blas = "BLAS"

    /// - Parameter ratio: The naive product's time over BLAS'.
    init(ratio: Double) {
      self = ratio > 1.05 ? .blas : ratio < 1 / 1.05 ? .naive : .neither
    }
  }

  /// Powers of two.
  static let sizes = (0...11).map { 1 << $0 }

  /// Compares and times a product at each size, naive and BLAS in turns.
  /// - Throws: `CommandFailure` if the two disagree.
  static func measure(
    seconds: Double, progress: ProgressDisplay, _ product: (_ size: Int) -> TimedProduct
  ) throws(CommandFailure) -> [SizeTiming] {
    var timings: [SizeTiming] = []
    for size in sizes {
      let product = product(size)
      progress.update("bench: \(product.name), \(size)")
      timings.append(
        try measure(
          product, size, after: timings.last, seconds: seconds / Double(sizes.count)))
    }
    return timings
  }

  /// Skips the naive side if it took so long at the size before that it would take a second now.
  private static func measure(
    _ product: TimedProduct, _ size: Int, after last: SizeTiming?, seconds: Double
  ) throws(CommandFailure) -> SizeTiming {
    if let last, last.predictedNaiveSeconds(of: product) > 1 {
      let timing = InterleavedTiming(
        [InterleavedTiming.turn(product.work(.blas))], seconds: seconds)
      return SizeTiming(
        size: size, product: product, naiveSeconds: nil, blasSeconds: timing.median(0))
    }
    let timing = try ProductTiming.measure([product], seconds: seconds)[0]
    return SizeTiming(
      size: size, product: product, naiveSeconds: timing.naiveSeconds,
      blasSeconds: timing.blasSeconds)
  }

  private func predictedNaiveSeconds(of next: TimedProduct) -> Double {
    guard let naiveSeconds else { return .infinity }
    return naiveSeconds * next.operations / product.operations
  }
}

// MARK: - Verdicts as a sentence

/// Neighbouring sizes with the same verdict.
///
/// A size at which one side begins to win is a crossover only if it keeps winning, so the
/// sentence lists all ranges.
struct SizeRange<Verdict: Equatable> {
  let verdict: Verdict
  let first: Int
  var last: Int

  /// All ranges, in ascending order.
  static func all(_ verdicts: [(size: Int, verdict: Verdict)]) -> [SizeRange] {
    verdicts.reduce(into: []) { ranges, next in
      if let last = ranges.indices.last, ranges[last].verdict == next.verdict {
        ranges[last].last = next.size
      } else {
        ranges.append(SizeRange(verdict: next.verdict, first: next.size, last: next.size))
      }
    }
  }

  /// The ranges in words: "naive wins up to 4, BLAS wins from 8 on".
  static func sentence(
    _ verdicts: [(size: Int, verdict: Verdict)], _ phrase: (Verdict) -> String
  ) -> String {
    let ranges = all(verdicts)
    if ranges.count == 1 { return phrase(ranges[0].verdict) + " at every size measured" }
    return ranges.enumerated().map { index, range in
      let place =
        if range.first == range.last {
          "at \(range.first)"
        } else if index == 0 {
          "up to \(range.last)"
        } else if index == ranges.count - 1 {
          "from \(range.first) on"
        } else {
          "from \(range.first) to \(range.last)"
        }
      return phrase(range.verdict) + " " + place
    }.joined(separator: ", ")
  }
}

// MARK: - BLAS' own threads

// CharMLP asks BLAS for one thread a call and owns its threads. This shows what the other way would
// have cost: the six products of a step back to back, on one thread and on several of the
// library's.

/// The six products of a step at one batch size, on one thread and on several of BLAS' own.
struct LibraryThreadsTiming {
  let hidden: Int
  let batchSize: Int
  let oneThreadSeconds: Double
  let seconds: Double

  /// One thread's time over that of several.
  var ratio: Double { oneThreadSeconds / seconds }
  var effect: Effect { Effect(ratio: ratio) }

  /// What several threads do to the time, if it changes by more than a twentieth.
  enum Effect: String {
    case hurt, none, help

    /// - Parameter ratio: One thread's time over that of several.
    init(ratio: Double) { self = ratio > 1.05 ? .help : ratio < 1 / 1.05 ? .hurt : .none }
  }
}

/// What BLAS' own threads bring, at all sizes.
struct LibraryThreads {
  /// How many threads the library was given.
  let count: Int
  /// Why there is nothing to compare, if so.
  let obstacle: String?
  private(set) var timings: [LibraryThreadsTiming] = []

  /// Times the six products at each batch size and each of the hidden layers.
  ///
  /// The library is left at one thread a call.
  static func measure(
    _ shapes: [ModelShape], threads: Int, seconds: Double, progress: ProgressDisplay
  ) -> LibraryThreads {
    let granted = granted(threads)
    var result = LibraryThreads(
      count: granted, obstacle: obstacle(asked: threads, granted: granted))
    guard result.obstacle == nil else { return result }
    let share = seconds / Double(shapes.count * SizeTiming.sizes.count)
    for shape in shapes {
      for batchSize in SizeTiming.sizes {
        progress.update("bench: threads of BLAS' own, hidden \(shape.hidden), batch \(batchSize)")
        result.timings.append(measure(shape, batchSize, threads: granted, seconds: share))
      }
    }
    return result
  }

  private static func measure(
    _ shape: ModelShape, _ batchSize: Int, threads: Int, seconds: Double
  ) -> LibraryThreadsTiming {
    let work = TimedProduct.step(shape, batchSize: batchSize).backToBack()
    let one = InterleavedTiming.turn(work)
    let several = onThreads(threads) { InterleavedTiming.turn(work) }
    let timing = InterleavedTiming([one, { onThreads(threads, several) }], seconds: seconds)
    return LibraryThreadsTiming(
      hidden: shape.hidden, batchSize: batchSize, oneThreadSeconds: timing.median(0),
      seconds: timing.median(1))
  }

  /// Does something while a call may use `threads` threads; afterwards it is one again.
  private static func onThreads<Result>(_ threads: Int, _ body: () -> Result) -> Result {
    BLASLibrary.threads = threads
    defer { BLASLibrary.threads = 1 }
    return body()
  }

  /// How many threads the library says it uses if it is asked for `threads`.
  private static func granted(_ threads: Int) -> Int { onThreads(threads) { BLASLibrary.threads } }

  private static func obstacle(asked: Int, granted: Int) -> String? {
    if BLASLibrary.configuration.contains("USE_OPENMP") {
      return "takes its threads from OMP_NUM_THREADS alone and ignores what is set"
    }
    if asked == 1 { return "is given one thread, by --threads or for lack of cores" }
    return granted == 1 ? "ignores the number of threads that is set" : nil
  }
}
