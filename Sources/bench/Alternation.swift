// Timing on a machine that others use too: sides take turns, and the median of the rounds counts.
//
// A round is one turn of every side, and a turn is as many calls as the clock needs to see. What sides
// have in common, a slow moment of the machine, then falls on all of them; a ratio of two sides is taken
// round by round for the same reason.

/// The figures of several sides that took turns.
struct Alternation {
  /// One turn of a side, which returns its figures: seconds, one or several.
  typealias Turn = () -> [Double]

  /// For each round, for each side: its figures.
  private let rounds: [[[Double]]]

  /// Lets the sides take turns for about `seconds` in all, and at least three times.
  init(_ sides: [Turn], seconds: Double) {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var rounds: [[[Double]]] = []
    repeat {
      rounds.append(sides.map { $0() })
    } while clock.now < end || rounds.count < 3
    self.rounds = rounds
  }

  /// The number of rounds.
  var count: Int { rounds.count }

  /// The median of a side's figure.
  func median(_ side: Int, figure: Int = 0) -> Double {
    Self.median(rounds.map { $0[side][figure] })
  }

  /// The medians of all figures of a side, each for itself.
  func medians(_ side: Int) -> [Double] {
    rounds[0][side].indices.map { median(side, figure: $0) }
  }

  /// The median of the rounds' ratios of two sides.
  func medianRatio(of side: Int, to other: Int) -> Double {
    Self.median(rounds.map { $0[side][0] / $0[other][0] })
  }

  /// The smallest figure of a side.
  func smallest(_ side: Int) -> Double {
    rounds.reduce(.infinity) { min($0, $1[side][0]) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

// MARK: Turns

extension Alternation {
  /// The seconds of a turn; a call that takes longer is a turn of its own.
  private static let turnSeconds = 0.002

  /// A turn that measures the seconds of one call of `piece`.
  static func turn(_ piece: @escaping () -> Void) -> Turn {
    let calls = callsPerTurn(piece)
    return {
      wakeUp(piece, calls)
      return [seconds(of: calls, piece) / Double(calls)]
    }
  }

  /// How many calls make a turn. They have been made once when this returns.
  static func callsPerTurn(_ piece: () -> Void) -> Int {
    guard seconds(of: 1, piece) < 10 * turnSeconds else { return 1 }
    var calls = 1
    while true {
      // The smaller of two: an interruption would make a turn too short.
      let duration = min(seconds(of: calls, piece), seconds(of: calls, piece))
      if duration >= turnSeconds / 4 {
        return max(1, Int((Double(calls) * turnSeconds / duration).rounded()))
      }
      calls *= 2
    }
  }

  /// One call before a turn's, which finds cold caches and threads that sleep; a long call does not mind.
  static func wakeUp(_ piece: () -> Void, _ calls: Int) {
    if calls > 1 { piece() }
  }

  private static func seconds(of calls: Int, _ piece: () -> Void) -> Double {
    ContinuousClock().measure { for _ in 0..<calls { piece() } } / .seconds(1)
  }
}
