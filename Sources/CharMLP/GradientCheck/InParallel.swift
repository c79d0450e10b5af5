// Independent pieces of work on several threads, their results in the order of the pieces.
//
// A piece is computed whole by one thread, so results do not depend on how many there are. The threads are
// a team's, not Dispatch's: that waits for ever where the system has no thread left, and traps where it
// has no descriptor left.

import Synchronization

/// The results of `work(0)`, …, `work(count - 1)`.
func inParallel<Result: Sendable>(
  _ count: Int, threads: Int, _ work: @escaping @Sendable (Int) -> Result
) -> [Result] {
  let pieces = Pieces(count, work)
  pieces.compute(threads: max(1, min(threads, count)))
  return pieces.results
}

/// Pieces of work, each taken by the first thread that is free.
private final class Pieces<Result: Sendable>: Sendable {
  private let count: Int
  private let work: @Sendable (Int) -> Result
  private let next = Atomic(0)
  private let found: Mutex<[Result?]>

  init(_ count: Int, _ work: @escaping @Sendable (Int) -> Result) {
    self.count = count
    self.work = work
    found = Mutex(Array(repeating: nil, count: count))
  }

  /// Computes all of them; the end of a team waits for its members.
  func compute(threads: Int) {
    let team = ThreadTeam(upTo: threads) { _ in { _ in self.takeAll() } }
    team.callOthers()
    withExtendedLifetime(team) { takeAll() }
  }

  /// Takes one piece after the other, until none is left.
  private func takeAll() {
    while true {
      let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard piece < count else { return }
      let result = work(piece)
      found.withLock { $0[piece] = result }
    }
  }

  var results: [Result] { found.withLock { $0.compactMap(\.self) } }
}
