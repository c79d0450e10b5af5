// Counts of values in bins of equal width: what the lecture's diagnostics are drawn from.

/// How many values lie in each of several bins of equal width.
public struct Histogram: Equatable, Sendable {
  /// Where the first bin begins and the last one ends.
  public let range: ClosedRange<Double>
  /// Values in each bin; a bin includes its lower edge, the last one also its upper.  (bins)
  public let counts: [Int]
  /// Values outside the range, and those that are not a number.
  public let outside: Int

  /// Counts values.
  ///
  /// - Precondition: there is at least one bin, and the range is not empty.
  public init(_ values: some Sequence<Double>, bins: Int, over range: ClosedRange<Double>) {
    precondition(
      bins >= 1 && range.lowerBound < range.upperBound, "Histogram: \(bins) bins over \(range)")
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    var counts = [Int](repeating: 0, count: bins)
    var outside = 0
    for value in values {
      guard range.contains(value) else {
        outside += 1
        continue
      }
      counts[min(Int((value - range.lowerBound) / width), bins - 1)] += 1
    }
    (self.range, self.counts, self.outside) = (range, counts, outside)
  }

  /// All values, also those outside.
  public var total: Int { counts.reduce(outside, +) }

  /// The middle of a bin.
  public func center(of bin: Int) -> Double {
    let width = (range.upperBound - range.lowerBound) / Double(counts.count)
    return range.lowerBound + (Double(bin) + 0.5) * width
  }

  /// The share of all values in a bin.
  public func share(of bin: Int) -> Double { Double(counts[bin]) / Double(max(total, 1)) }
}
