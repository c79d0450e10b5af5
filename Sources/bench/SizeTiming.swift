// One product after another, from the smallest to the largest: where BLAS wins, and where it loses.

import CharMLP
import CommandSupport
import LinearAlgebra

/// A product's figures at one size.
struct SizeTiming {
  /// The rows of a square product, or the batch size.
  let size: Int
  let product: SizedProduct
  /// Nil where one call would take longer than about a second.
  let naiveSeconds: Double?
  let blasSeconds: Double

  /// Naive over BLAS.
  var ratio: Double? { naiveSeconds.map { $0 / blasSeconds } }
  var winner: Winner? { ratio.map(Winner.init) }

  /// Who is faster by more than a twentieth.
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
    seconds: Double, progress: ProgressDisplay, _ product: (_ size: Int) -> SizedProduct
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
    _ product: SizedProduct, _ size: Int, after last: SizeTiming?, seconds: Double
  ) throws(CommandFailure) -> SizeTiming {
    if let last, last.predictedNaiveSeconds(of: product) > 1 {
      let alternation = Alternation([Alternation.turn(product.work(.blas))], seconds: seconds)
      return SizeTiming(
        size: size, product: product, naiveSeconds: nil, blasSeconds: alternation.median(0))
    }
    let timing = try ProductTiming.measure([product], seconds: seconds)[0]
    return SizeTiming(
      size: size, product: product, naiveSeconds: timing.naiveSeconds,
      blasSeconds: timing.blasSeconds)
  }

  private func predictedNaiveSeconds(of next: SizedProduct) -> Double {
    guard let naiveSeconds else { return .infinity }
    return naiveSeconds * next.operations / product.operations
  }
}
