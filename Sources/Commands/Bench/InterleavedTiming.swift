// Timing on a machine that others use too: the pieces of work take turns, and medians of rounds count.
//
// A round is one turn of every piece, and a turn is as many calls as the clock needs to see. A slow
// moment of the machine then falls on all of them; a ratio of two is taken round by round for the
// same reason.

/// The figures of several pieces of work that took turns.
import CharMLP

struct InterleavedTiming {
  /// One turn of a piece of work, which returns its figures: seconds, one or several.
  typealias Turn = () -> [Double]

  /// For each round, for each piece of work: its figures.
  private let rounds: [[[Double]]]

  /// Times pieces of work in turns for about `seconds` in all, and at least three rounds.
  init(_ turns: [Turn], seconds: Double) {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var rounds: [[[Double]]] = []
    repeat {
      rounds.append(turns.map { $0() })
    } while clock.now < end || rounds.count < 3
    self.rounds = rounds
  }

  /// The number of rounds.
  var count: Int { rounds.count }

  /// The median of a figure of one piece of work.
  func median(_ index: Int, figure: Int = 0) -> Double {
    Self.median(rounds.map { $0[index][figure] })
  }

  /// The median of each figure of one piece of work.
  func medians(_ index: Int) -> [Double] {
    rounds[0][index].indices.map { median(index, figure: $0) }
  }

  /// The median of the rounds' ratios of two pieces of work.
  func medianRatio(of index: Int, to other: Int) -> Double {
    Self.median(rounds.map { $0[index][0] / $0[other][0] })
  }

  /// The smallest figure of one piece of work.
  func smallest(_ index: Int) -> Double {
    rounds.reduce(.infinity) { min($0, $1[index][0]) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

// MARK: - Turns

extension InterleavedTiming {
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

  /// A turn that measures the seconds of one step, with the cores that training has.
  static func turn(_ engine: any Engine, _ minibatch: Minibatch) -> Turn {
    let turn = turn { _ = engine.step(minibatch, learningRate: 0) }
    return {
      var figures: [Double] = []
      engine.steps { figures = turn() }
      return figures
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

  /// One call ahead of a turn's, to warm caches and wake threads; a long call does not need it.
  static func wakeUp(_ piece: () -> Void, _ calls: Int) {
    if calls > 1 { piece() }
  }

  private static func seconds(of calls: Int, _ piece: () -> Void) -> Double {
    ContinuousClock().measure { for _ in 0..<calls { piece() } } / .seconds(1)
  }
}
