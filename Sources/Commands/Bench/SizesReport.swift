// `bench --sizes`: products from 1 to 2048, naive against BLAS, and what BLAS' own threads bring:
// tables of sizes, each ended by a sentence.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON

/// Where BLAS wins and where it loses, and what its own threads bring.
struct SizesReport: BenchReport {
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
    let large = ModelShape(
      vocabulary: shape.vocabulary, blockSize: shape.blockSize, embedding: shape.embedding,
      hidden: largeHidden)
    return SizesReport(
      squares: squares, products: products,
      threads: .measure(
        shape == large ? [shape] : [shape, large], threads: threads, seconds: seconds,
        progress: progress))
  }

  // MARK: Sentences

  /// Which side wins at each size at which both were timed.
  private func sentence(_ name: String, _ timings: [SizeTiming]) -> String {
    let winners = timings.compactMap { timing in timing.winner.map { (timing.size, $0) } }
    return name + ": " + SizeRange.sentence(winners) { $0 + " wins" } + "."
  }

  private var squareSentence: String { sentence("Square products", squares) }

  private var productSentences: [String] {
    products.map { sentence($0[0].product.name, $0) }
  }

  /// A sentence for each hidden layer, or why there is none.
  private var threadSentences: [String] {
    if let obstacle = threads.obstacle {
      return ["BLAS' own threads were not compared: the library \(obstacle)."]
    }
    let layers = threads.timings.reduce(into: [Int]()) { layers, timing in
      if layers.last != timing.hidden { layers.append(timing.hidden) }
    }
    return layers.map { hidden in
      let effects = threads.timings.filter { $0.hidden == hidden }.map { ($0.batchSize, $0.effect) }
      return "Hidden \(hidden), by batch: \(threads.count) threads of BLAS' own "
        + SizeRange.sentence(effects, LibraryThreadsTiming.phrase) + "."
    }
  }

  // MARK: Text and JSON; seconds are those of one call, or of six products

  var text: String {
    """
    \(StepReport.library)
    \(table(squares.map { $0.figures("square product", "size", "size") }))
    \(Self.filled([squareSentence]))

    \(table(productFigures))
    \(Self.filled(productSentences))

    \(threadTable)\(Self.filled(threadSentences))

    """
  }

  private func table(_ rows: [[Figure]]) -> String { Figure.table(rows, leftAligned: [0, 8]) }

  private var productFigures: [[Figure]] {
    products.joined().map { $0.figures("product of a step", "batch", "batch_size") }
  }

  private var threadTable: String {
    threads.obstacle == nil
      ? Figure.table(threads.timings.map { $0.figures(threads.count) }, leftAligned: [0, 5]) + "\n"
      : ""
  }

  private static func filled(_ sentences: [String]) -> String {
    let columns = StandardOutput.shared.columns
    return sentences.flatMap { Format.wrapped($0, columns: columns) }.joined(separator: "\n")
  }

  /// `blas`, `core`, `core_picked`, `core_chosen_by`, `build`, `squares`, `products`,
  /// `blas_threads` and `sentences`.
  var json: JSONValue {
    .object(
      StepReport.libraryJSON + [
        ("squares", Figure.json(squares.map { $0.figures("square product", "size", "size") })),
        ("products", Figure.json(productFigures)),
        (
          "blas_threads",
          [
            "threads": .integer(threads.count),
            "obstacle": threads.obstacle.map { .string($0) } ?? .null,
            "timings": Figure.json(threads.timings.map { $0.figures(threads.count) }),
          ]
        ),
        (
          "sentences",
          .array(([squareSentence] + productSentences + threadSentences).map { .string($0) })
        ),
      ])
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
  /// Which side is faster.
  var winner: String? {
    ratio.map { verdict($0, above: "BLAS", below: "naive", otherwise: "neither") }
  }

  func figures(_ heading: String, _ size: String, _ sizeKey: String) -> [Figure] {
    [.word(heading, "name", product.name), .whole(size, sizeKey, self.size)] + product.sizes + [
      .time("naive µs", "naive_seconds", naiveSeconds),
      .time("BLAS µs", "blas_seconds", blasSeconds),
      .number("ratio", "ratio", ratio, decimals: 2),
      .word("wins", "wins", winner),
    ]
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

/// A verdict on the ratio of two times, which must differ by more than 5 %.
private func verdict(
  _ ratio: Double, above: String, below: String, otherwise: String
) -> String {
  ratio > 1.05 ? above : ratio < 1 / 1.05 ? below : otherwise
}

/// Neighbouring sizes with the same verdict.
///
/// A size at which one side begins to win is a crossover only if it keeps winning, so the
/// sentence lists all ranges.
struct SizeRange {
  let verdict: String
  let first: Int
  var last: Int

  /// All ranges, in ascending order.
  private static func all(_ verdicts: [(size: Int, verdict: String)]) -> [SizeRange] {
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
    _ verdicts: [(size: Int, verdict: String)], _ phrase: (String) -> String
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

// CharMLP asks BLAS for one thread a call and starts threads of its own. This shows what the other
// way would have cost: the six products of a step back to back, on one thread and on several of the
// library's.

/// The six products of a step at one batch size, on one thread and on several of BLAS' own.
struct LibraryThreadsTiming {
  let hidden: Int
  let batchSize: Int
  let oneThreadSeconds: Double
  let seconds: Double

  /// One thread's time over that of several.
  var ratio: Double { oneThreadSeconds / seconds }
  /// What several threads do to the time.
  var effect: String { verdict(ratio, above: "help", below: "hurt", otherwise: "none") }

  static func phrase(_ effect: String) -> String { effect == "none" ? "change nothing" : effect }

  func figures(_ threads: Int) -> [Figure] {
    [
      Figure("six products", "hidden", "hidden \(hidden)", .integer(hidden)),
      .whole("batch", "batch_size", batchSize),
      .time("µs, 1 BLAS thread", "one_thread_seconds", oneThreadSeconds),
      .time("µs, \(threads) BLAS threads", "seconds", seconds),
      .number("ratio", "ratio", ratio, decimals: 2),
      Figure("effect", "effect", Self.phrase(effect), .string(effect)),
    ]
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
    if asked == 1 { return "was given one thread (--threads 1, or a single core)" }
    return granted == 1 ? "ignores the number of threads that is set" : nil
  }
}
