// What the tests of ranks share: ranks as threads of one process, so that everything but MPI itself
// can be tested without MPI, and a whole training to be compared with another.

import Foundation
import LinearAlgebra

@testable import CharMLP

/// Ranks that are threads of this process.
///
/// What they share is guarded by a lock that the thread sanitizer knows, unlike a Mutex.
final class ThreadRanks: @unchecked Sendable {
  private let count: Int
  private let condition = NSCondition()
  private var arrived = 0
  private var meetings = 0
  private var floats: [Matrix<Float>]
  private var bytes: [[UInt8]]

  private init(_ count: Int) {
    self.count = count
    floats = Array(repeating: .zeros(0, 0), count: count)
    bytes = Array(repeating: [], count: count)
  }

  /// Calls a function on so many ranks at a time; returns what each of them has to say.
  static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (any Communicator) -> Result
  ) -> [Result] {
    let ranks = ThreadRanks(count)
    let results = Results<Result>()
    let done = DispatchGroup()
    for rank in 0..<count {
      done.enter()
      let thread = Thread {
        let result = body(Member(rank, ranks))
        ranks.condition.withLock { results.ofRanks[rank] = result }
        done.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    done.wait()
    return ranks.condition.withLock { (0..<count).map { results.ofRanks[$0]! } }
  }

  private final class Results<Result>: @unchecked Sendable { var ofRanks: [Int: Result] = [:] }

  /// Waits for all ranks. There may be more of them than cores, so nobody spins.
  private func meet() {
    condition.withLock {
      let meeting = meetings
      arrived += 1
      if arrived == count {
        (arrived, meetings) = (0, meetings + 1)
        condition.broadcast()
      }
      while meetings == meeting { condition.wait() }
    }
  }

  private final class Member: Communicator {
    let rank: Int
    let ranks: ThreadRanks
    var count: Int { ranks.count }
    var secondsInSums: Double { 0 }

    init(_ rank: Int, _ ranks: ThreadRanks) { (self.rank, self.ranks) = (rank, ranks) }

    func sum(_ values: inout MutableSpan<Float>) {
      let elements = unsafe values.span.withUnsafeBufferPointer { unsafe Array($0) }
      let own = Matrix(rows: 1, columns: elements.count, elements: elements)
      ranks.condition.withLock { ranks.floats[rank] = own }
      ranks.meet()
      let all = ranks.condition.withLock { ranks.floats }
      // In the ranks' order; by the library, which is optimized in debug builds as well.
      let sum = all.dropFirst().reduce(all[0], +).elements
      unsafe values.withUnsafeMutableBufferPointer { unsafe _ = $0.update(fromContentsOf: sum) }
      ranks.meet()
    }

    func broadcast(_ bytes: inout [UInt8]) { bytes = gather(bytes)[0] }

    func gather(_ bytes: [UInt8]) -> [[UInt8]] {
      ranks.condition.withLock { ranks.bytes[rank] = bytes }
      ranks.meet()
      let all = ranks.condition.withLock { ranks.bytes }
      ranks.meet()
      return all
    }
  }
}

/// Where a run stands after its steps, and the loss of each.
struct TrainedRun: Equatable, Sendable {
  var losses: [Float] = []
  var parameters: Parameters<Float>

  init(_ trainer: Trainer) {
    while !trainer.isFinished {
      try? trainer.advance(to: trainer.step + 1)
      losses.append(trainer.minibatchLoss)
    }
    parameters = trainer.parameters
  }
}

extension TrainedRun {
  /// The largest difference of two runs' losses; infinite if they have not as many.
  func distance(to other: TrainedRun) -> Float {
    guard losses.count == other.losses.count else { return .infinity }
    return zip(losses, other.losses).map { abs($0 - $1) }.max() ?? .infinity
  }
}
