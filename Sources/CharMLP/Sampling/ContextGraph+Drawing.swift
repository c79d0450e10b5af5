// How a character is drawn: the first whose running sum exceeds a share of their total.
//
// A guide says for each of a few equal stretches of [0, 1) where the running sums enter it, so that a
// search begins where it nearly always ends (Chen and Asau, "On generating random variates from an
// empirical distribution", 1974). A row's totals and its guide share a cache line: with the step that is
// found a draw reads two or three lines, where bisection reads six.

extension ContextGraph {
  /// The layout of what a search begins with: for each context the two totals, then a byte for each
  /// stretch, eight to a number.
  struct Guide: Sendable {
    /// Stretches, a power of two that is no less than the vocabulary's count.
    let stretches: Int
    /// Numbers for a context.
    let width: Int

    init(vocabulary: Int) {
      var stretches = 8
      while stretches < vocabulary { stretches *= 2 }
      self.stretches = stretches
      width = 2 + stretches / 8
    }

    /// Appends the guide of a row of steps.
    func append(of row: [Step], to guides: inout [UInt64]) {
      guides.append(row[row.count - 1].sum.bitPattern)
      guides.append(row[max(0, row.count - 2)].sum.bitPattern)
      var place = 0
      for first in stride(from: 0, to: stretches, by: 8) {
        var packed: UInt64 = 0
        for stretch in first..<first + 8 {
          let beginning = Double(stretch) / Double(stretches)
          while place < row.count - 1, row[place].sum <= beginning { place += 1 }
          // Too early a beginning is right as well, only slower.
          packed |= UInt64(min(place, 255)) << UInt64(8 * (stretch - first))
        }
        guides.append(packed)
      }
    }
  }

  /// The id that a share of the running sums after a context belongs to.
  ///
  /// - Parameter isEndless: Leaves the end of the word out; −1 if nothing else is possible.
  @inline(__always)
  func find(_ share: Double, after context: Int, _ isEndless: Bool) -> Int {
    let header = context * guide.width
    let total = Double(bitPattern: guides[isEndless ? header + 1 : header])
    guard total > 0 else { return -1 }
    let threshold = Self.threshold(share, total)
    let stretch = min(Int(threshold * Double(guide.stretches)), guide.stretches - 1)
    let packed = guides[header + 2 + (stretch >> 3)]
    let first = context * vocabularyCount
    var place = first + Int((packed >> UInt64(8 * (stretch & 7))) & 0xFF)
    while threshold >= steps[place].sum { place += 1 }
    return Self.id(place - first, of: vocabularyCount)
  }

  /// The same in a row that has no guide, by bisection.
  static func find(_ share: Double, in row: [Step], _ isEndless: Bool) -> Int {
    let end = isEndless ? row.count - 1 : row.count
    let total = row[end - 1].sum
    guard total > 0 else { return -1 }
    let threshold = threshold(share, total)
    var (low, high) = (0, end - 1)
    while low < high {
      let middle = (low + high) >> 1
      if threshold < row[middle].sum { high = middle } else { low = middle + 1 }
    }
    return id(low, of: row.count)
  }

  /// The steps of a distribution, over ids 1, 2, …, 0.
  static func steps(of distribution: [Double]) -> [Step] {
    var steps: [Step] = []
    steps.reserveCapacity(distribution.count)
    var sum = 0.0
    for id in 1..<distribution.count {
      sum += distribution[id]
      steps.append(Step(sum: sum, probability: distribution[id]))
    }
    steps.append(Step(sum: sum + distribution[0], probability: distribution[0]))
    return steps
  }

  /// A share just below 1 may be rounded up to the total, which no sum exceeds.
  @inline(__always)
  private static func threshold(_ share: Double, _ total: Double) -> Double {
    min(share * total, total.nextDown)
  }

  @inline(__always)
  private static func id(_ place: Int, of count: Int) -> Int { place == count - 1 ? 0 : place + 1 }
}
