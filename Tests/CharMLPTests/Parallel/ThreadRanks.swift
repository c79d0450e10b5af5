// What the tests of ranks share: ranks as threads of one process, so that everything but MPI itself
// can be tested without MPI, and a whole training to be compared with another.

import Foundation
import LinearAlgebra
import Synchronization

@testable import CharMLP

/// Ranks that are threads of this process.
final class ThreadRanks: Sendable {
  private let count: Int
  private let arrived = Mutex(0)
  private let gates: [DispatchSemaphore]
  private let floats: Mutex<[Matrix<Float>]>
  private let bytes: Mutex<[[UInt8]]>

  private init(_ count: Int) {
    self.count = count
    gates = (0..<count).map { _ in DispatchSemaphore(value: 0) }
    floats = Mutex(Array(repeating: .zeros(0, 0), count: count))
    bytes = Mutex(Array(repeating: [], count: count))
  }

  /// Calls a function on so many ranks at a time; returns what each of them has to say.
  static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (any Communicator) -> Result
  ) -> [Result] {
    let ranks = ThreadRanks(count)
    let results = Mutex<[Int: Result]>([:])
    let done = DispatchGroup()
    for rank in 0..<count {
      done.enter()
      let thread = Thread {
        let result = body(Member(rank, ranks))
        results.withLock { $0[rank] = result }
        done.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    done.wait()
    return results.withLock { results in (0..<count).map { results[$0]! } }
  }

  /// Waits for all ranks. There may be more of them than cores, so nobody spins.
  private func meet(_ rank: Int) {
    let isLast = arrived.withLock { arrived in
      arrived = (arrived + 1) % count
      return arrived == 0
    }
    guard isLast else { return gates[rank].wait() }
    for other in gates.indices where other != rank { gates[other].signal() }
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
      ranks.floats.withLock { $0[rank] = own }
      ranks.meet(rank)
      let all = ranks.floats.withLock { $0 }
      // In the ranks' order; by the library, which is optimized in debug builds as well.
      let sum = all.dropFirst().reduce(all[0], +).elements
      unsafe values.withUnsafeMutableBufferPointer { unsafe _ = $0.update(fromContentsOf: sum) }
      ranks.meet(rank)
    }

    func broadcast(_ bytes: inout [UInt8]) { bytes = gather(bytes)[0] }

    func gather(_ bytes: [UInt8]) -> [[UInt8]] {
      ranks.bytes.withLock { $0[rank] = bytes }
      ranks.meet(rank)
      let all = ranks.bytes.withLock { $0 }
      ranks.meet(rank)
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
