// What `bench --sizes` has to show, for people: tables of sizes, each ended by a sentence.

import CharMLP
import CommandSupport

/// Where BLAS wins and where it loses, and what its own threads bring.
struct SizesReport {
  let squares: [SizeTiming]
  /// For each of the six products of a step, its figures at each batch size.
  let products: [[SizeTiming]]
  let threads: LibraryThreads

  /// The hidden layer that BLAS' own threads are compared at beside the one that is asked for.
  static let largeHidden = 1024

  /// Compares and times everything, for about `seconds` for each of the three tables.
  /// - Throws: `CommandFailure` if the naive product and BLAS disagree.
  static func measure(
    _ shape: ModelShape, threads: Int, seconds: Double, progress: ProgressDisplay
  ) throws(CommandFailure) -> SizesReport {
    let squares = try SizeTiming.measure(seconds: seconds, progress: progress) { .square($0) }
    let products = try (0..<6).map { index throws(CommandFailure) in
      try SizeTiming.measure(seconds: seconds / 6, progress: progress) {
        SizedProduct.step(shape, batchSize: $0)[index]
      }
    }
    return SizesReport(
      squares: squares, products: products,
      threads: .measure(
        shape.hiddenLayersToCompare, threads: threads, seconds: seconds, progress: progress))
  }

  var text: String {
    """
    \(BenchReport.library)
    \(table("square product", "size", [squares]))
    \(sentence("Square products", squares))

    \(table("product of a step", "batch", products))
    \(products.map { sentence($0[0].product.name, $0) }.joined(separator: "\n"))

    \(threadTable)\(threadSentences.joined(separator: "\n"))

    """
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

  /// Who wins where, of the sizes at which both sides were timed.
  func sentence(_ name: String, _ timings: [SizeTiming]) -> String {
    let winners = timings.compactMap { timing in timing.winner.map { (timing.size, $0) } }
    return name + ": " + Stretch.sentence(winners) { $0.phrase } + "."
  }

  private static func microseconds(_ seconds: Double?) -> String {
    seconds.map { Format.fixed($0 * 1e6, decimals: 2) } ?? "–"
  }
}

extension SizeTiming.Winner {
  fileprivate var phrase: String {
    switch self {
    case .naive: "naive wins"
    case .neither: "neither wins"
    case .blas: "BLAS wins"
    }
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
        + Stretch.sentence(effects) { $0.phrase } + "."
    }
  }
}

extension LibraryThreadsTiming.Effect {
  fileprivate var phrase: String {
    switch self {
    case .hurt: "hurt"
    case .none: "change nothing"
    case .help: "help"
    }
  }
}
