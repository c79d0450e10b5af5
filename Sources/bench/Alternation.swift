// Timing on a machine that others use too: sides take turns, and the median of the rounds counts.

/// Times several pieces of work in turns.
enum Alternation {
  /// The median seconds that one call of each piece takes, measured for about `seconds` in all.
  ///
  /// Every piece is called so often in a round that the round can be measured; the first round warms
  /// up and does not count.
  static func medians(_ pieces: [() -> Void], seconds: Double) -> [Double] {
    let calls = pieces.map(callsPerRound)
    var rounds = pieces.map { _ in [Double]() }
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    repeat {
      for (index, piece) in pieces.enumerated() {
        let duration = clock.measure { for _ in 0..<calls[index] { piece() } }
        rounds[index].append(duration / .seconds(1) / Double(calls[index]))
      }
    } while clock.now < end || rounds[0].count < 3
    return rounds.map(median)
  }

  /// So many calls that they take about two milliseconds.
  private static func callsPerRound(_ piece: () -> Void) -> Int {
    piece()
    let once = ContinuousClock().measure(piece) / .seconds(1)
    return max(1, Int(0.002 / max(once, 1e-9)))
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
