// Where the threads of an engine wait for each other, several times in every step.
//
// A wait takes microseconds if every thread has a core, and waking a sleeper costs more than that. So a
// wait looks again and again. If it takes milliseconds, some thread has no core: then for a while all
// waits look briefly, offer their core to whoever wants it, and sleep if that does not help. After that
// while one of them looks long again: the system moves a thread to a free core only if it has not run for
// some time.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A meeting point for a fixed number of threads, used again and again.
///
/// Every thread counts its own arrivals and looks at the others' counts: an arrival is one write, which
/// each of the others reads once.
@safe final class Barrier: @unchecked Sendable {
  private let parties: Int
  private let arrivals: UnsafeMutablePointer<Atomic<Int>>
  private let sleepers = Atomic<Int>(0)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// The time until which waits are brief, in nanoseconds; 0 if they are patient.
  private let briefUntil = Atomic<UInt64>(0)

  /// The counts lie this many places apart: two cache lines, which processors fetch together.
  private static let spacing = 16
  /// Looks of a patient wait: some milliseconds.
  private static let patientLooks = 8_000_000
  /// Looks of a brief one: some microseconds.
  private static let briefLooks = 4000
  /// Offers of the core in a brief wait, before it sleeps.
  private static let offers = 200
  /// How long waits stay brief: fifty milliseconds.
  private static let briefPeriod: UInt64 = 50_000_000

  init(parties: Int) {
    precondition(parties >= 1, "Barrier: \(parties) threads")
    self.parties = parties
    unsafe arrivals = .allocate(capacity: parties * Self.spacing)
    for index in 0..<parties * Self.spacing {
      unsafe (arrivals + index).initialize(to: Atomic(0))
    }
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
    if parties > availableCores() { briefUntil.store(.max, ordering: .relaxed) }
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
    unsafe arrivals.deinitialize(count: parties * Self.spacing)
    unsafe arrivals.deallocate()
  }

  /// Returns when all threads have called it, each with its own number from 0 to `parties` − 1; what
  /// they wrote before is then visible to all.
  func wait(_ member: Int) {
    guard parties > 1 else { return }
    precondition(member >= 0 && member < parties, "Barrier: member \(member) of \(parties)")
    let arrival = unsafe arrivals[member * Self.spacing].load(ordering: .relaxed) + 1
    // Either a sleeper sees this arrival, or it is seen below and woken.
    unsafe arrivals[member * Self.spacing].store(arrival, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    awaitAll(arrival)
  }

  private func awaitAll(_ arrival: Int) {
    if briefUntil.load(ordering: .relaxed) == 0 {
      if look(Self.patientLooks, arrival) { return }
      briefUntil.store(now() + Self.briefPeriod, ordering: .relaxed)
    } else {
      if now() > briefUntil.load(ordering: .relaxed) { briefUntil.store(0, ordering: .relaxed) }
      if look(Self.briefLooks, arrival) { return }
    }
    for _ in 0..<Self.offers {
      sched_yield()
      if isComplete(arrival) { return }
    }
    sleep(until: arrival)
  }

  /// Whether all came while it looked so many times.
  private func look(_ looks: Int, _ arrival: Int) -> Bool {
    for _ in 0..<looks where isComplete(arrival) { return true }
    return false
  }

  private func isComplete(_ arrival: Int) -> Bool {
    for member in 0..<parties {
      let count = unsafe arrivals[member * Self.spacing].load(ordering: .sequentiallyConsistent)
      if count < arrival { return false }
    }
    return true
  }

  private func sleep(until arrival: Int) {
    unsafe pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !isComplete(arrival) { unsafe pthread_cond_wait(condition, mutex) }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    unsafe pthread_mutex_unlock(mutex)
  }

  private func wake() {
    unsafe pthread_mutex_lock(mutex)
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  private func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

// MARK: - How many cores this process may run on: what `taskset` or a container's set of cores left it

/// The number of cores that this process may run on; 1 if the system does not tell.
///
/// Linux tells it as a mask in hexadecimal, the line `Cpus_allowed` of /proc/self/status.
public func availableCores() -> Int {
  guard let bytes = try? FileSystem.read("/proc/self/status") else { return 1 }
  let lines = bytes.split(separator: UInt8(ascii: "\n"))
  let name = Array("Cpus_allowed:".utf8)
  guard let line = lines.first(where: { $0.starts(with: name) }) else { return 1 }
  let mask = line.dropFirst(name.count).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
  return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
}
