// Where the threads of an engine wait for each other, several times in every step.
//
// A wait takes microseconds if every thread has a core, so it looks again and again, for about as long as
// the system takes to move a thread to a free core. Waking a sleeper costs more than a step. Where there
// are fewer cores than threads, a wait offers its core to whoever wants it instead. If that does not help,
// it sleeps.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A meeting point for a fixed number of threads, used again and again.
@safe final class Barrier: @unchecked Sendable {
  private let parties: Int
  private let arrived = Atomic<Int>(0)
  private let generation = Atomic<UInt>(0)
  private let sleepers = Atomic<Int>(0)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Whether each thread can have a core of its own.
  private let hasCores: Bool

  /// How often a wait looks before it sleeps: for about a millisecond.
  private static let looks = 2_000_000
  /// How often a wait offers its core before it sleeps.
  private static let offers = 100

  init(parties: Int) {
    precondition(parties >= 1, "Barrier: \(parties) threads")
    self.parties = parties
    hasCores = parties <= availableCores()
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Returns when all threads have called it; what they wrote before is then visible to all.
  func wait() {
    guard parties > 1 else { return }
    let current = generation.load(ordering: .acquiring)
    if arrived.add(1, ordering: .acquiringAndReleasing).newValue == parties {
      arrived.store(0, ordering: .relaxed)
      open(current &+ 1)
    } else {
      awaitEnd(of: current)
    }
  }

  /// Lets all threads go. Either a sleeper sees the new generation, or it is seen here and woken.
  private func open(_ next: UInt) {
    generation.store(next, ordering: .sequentiallyConsistent)
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    unsafe pthread_mutex_lock(mutex)
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  private func awaitEnd(of current: UInt) {
    for _ in 0..<(hasCores ? Self.looks : 0)
    where generation.load(ordering: .acquiring) != current {
      return
    }
    for _ in 0..<(hasCores ? 0 : Self.offers) {
      sched_yield()
      if generation.load(ordering: .acquiring) != current { return }
    }
    sleep(untilEndOf: current)
  }

  private func sleep(untilEndOf current: UInt) {
    unsafe pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == current {
      unsafe pthread_cond_wait(condition, mutex)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    unsafe pthread_mutex_unlock(mutex)
  }
}
