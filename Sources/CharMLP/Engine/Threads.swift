// The threads of an engine: started once, called to work again and again, meeting several times in every step.
//
// The thread that calls is a member itself, number 0. What the others do is one function of the member's number;
// how work is shared out is that function's affair. If the system has fewer threads left than asked for, the team
// is smaller; if cores are busy with other work, some of its members may rest for a while.

import Glibc
internal import Posix
import Synchronization

/// A lock, and a condition to wait for under it.
///
/// It is POSIX's: the standard library's lock has no condition, and the thread sanitizer knows what this one orders.
@safe final class Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  func lock() { unsafe pthread_mutex_lock(mutex) }
  func unlock() { unsafe pthread_mutex_unlock(mutex) }

  /// Does something while nobody else holds the lock.
  func locked<Result>(_ body: () -> Result) -> Result {
    lock()
    defer { unlock() }
    return body()
  }

  /// Lets go of the lock until the next call of `wakeAll`; may return before that.
  func wait() { unsafe pthread_cond_wait(condition, mutex) }

  /// Wakes all that wait; called with the lock held.
  func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

// MARK: Meeting

/// A meeting point for the members of a team, used again and again.
///
/// A wait takes microseconds if every thread has a core, and waking a sleeper costs more than that. So a
/// wait looks again and again. If it takes milliseconds, some thread has no core: then for a while all
/// waits look briefly, offer their core to whoever wants it, and sleep if that does not help. After that
/// while one of them looks long again: the system moves a thread to a free core only if it has not run for
/// some time.
///
/// Every thread counts its own arrivals and looks at the others' counts: an arrival is one write, which
/// each of the others reads once.
@safe final class Barrier: @unchecked Sendable {
  private let capacity: Int
  /// The members that take part: those with smaller numbers.
  private let parties: Atomic<Int>
  private let arrivals: UnsafeMutablePointer<Atomic<Int>>
  private let sleepers = Atomic<Int>(0)
  private let monitor = Monitor()

  /// The time until which waits are brief, in nanoseconds; 0 if they are patient.
  private let briefUntil = Atomic<UInt64>(0)

  /// What member 0 spent in waits that a thread with a core does not cause, in nanoseconds.
  private(set) var longWaits: UInt64 = 0

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
    capacity = parties
    self.parties = Atomic(parties)
    unsafe arrivals = .allocate(capacity: parties * Self.spacing)
    for index in 0..<parties * Self.spacing {
      unsafe (arrivals + index).initialize(to: Atomic(0))
    }
    if parties > availableCores() { briefUntil.store(.max, ordering: .relaxed) }
  }

  deinit {
    unsafe arrivals.deinitialize(count: capacity * Self.spacing)
    unsafe arrivals.deallocate()
  }

  /// Returns when all members have called it, each with its own number from 0 on; what they wrote before is
  /// then visible to all. A member that no longer takes part does not wait.
  func wait(_ member: Int) {
    guard parties.load(ordering: .relaxed) > 1 || member > 0 else { return }
    precondition(member >= 0 && member < capacity, "Barrier: member \(member) of \(capacity)")
    let arrival = unsafe arrivals[member * Self.spacing].load(ordering: .relaxed) + 1
    // Either a sleeper sees this arrival, or it is seen below and woken.
    unsafe arrivals[member * Self.spacing].store(arrival, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    if look(Self.briefLooks, member, arrival) { return }
    let start = now()
    waitLong(member, arrival)
    if member == 0 { longWaits += now() - start }
  }

  private func waitLong(_ member: Int, _ arrival: Int) {
    let end = briefUntil.load(ordering: .relaxed)
    if end == 0 {
      if look(Self.patientLooks, member, arrival) { return }
      briefUntil.store(now() + Self.briefPeriod, ordering: .relaxed)
    } else if now() > end {
      briefUntil.store(0, ordering: .relaxed)
    }
    for _ in 0..<Self.offers {
      sched_yield()
      if isComplete(member, arrival) { return }
    }
    sleep(member, until: arrival)
  }

  /// Whether all came while it looked so many times.
  private func look(_ looks: Int, _ member: Int, _ arrival: Int) -> Bool {
    for _ in 0..<looks where isComplete(member, arrival) { return true }
    return false
  }

  private func isComplete(_ member: Int, _ arrival: Int) -> Bool {
    let parties = parties.load(ordering: .relaxed)
    guard member < parties else { return true }
    for other in 0..<parties where !hasArrived(other, arrival) { return false }
    return true
  }

  private func hasArrived(_ member: Int, _ arrival: Int) -> Bool {
    unsafe arrivals[member * Self.spacing].load(ordering: .sequentiallyConsistent) >= arrival
  }

  private func sleep(_ member: Int, until arrival: Int) {
    monitor.locked {
      sleepers.add(1, ordering: .sequentiallyConsistent)
      while !isComplete(member, arrival) { monitor.wait() }
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  private func wake() { monitor.locked { monitor.wakeAll() } }

  /// Returns when all other members have come to wait for member 0, which calls it.
  func awaitOthers() {
    let arrival = unsafe arrivals[0].load(ordering: .relaxed) + 1
    for member in 1..<max(1, parties.load(ordering: .relaxed)) {
      while !hasArrived(member, arrival) { sched_yield() }
    }
  }

  /// Changes who takes part, while all who do wait for member 0, which calls it.
  ///
  /// Members that take part again have arrived as often as member 0.
  func resize(parties new: Int) {
    let old = parties.load(ordering: .relaxed)
    let arrival = unsafe arrivals[0].load(ordering: .relaxed)
    for member in old..<max(old, new) {
      unsafe arrivals[member * Self.spacing].store(arrival, ordering: .sequentiallyConsistent)
    }
    parties.store(new, ordering: .sequentiallyConsistent)
    wake()
  }
}

/// The time since some moment, in nanoseconds.
private func now() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

// MARK: Working

/// Threads that do a piece of work together, each its part.
final class ThreadTeam {
  /// What a team does: a function of the member's number, from 0 to the team's count − 1.
  typealias Work = @Sendable (_ member: Int) -> Void

  private let shared = Shared()
  private let threads: [pthread_t]
  /// Where the others wait for a call, and where members may meet while they work.
  let barrier: Barrier
  private var calls = 0

  /// The number of members, the calling thread included.
  var count: Int { threads.count + 1 }

  /// The members that work at present: those with smaller numbers.
  private(set) var activeCount: Int

  /// A core for each member, if there are just as many: the system may put two threads that wake each
  /// other on one core, beside an idle one.
  private let cores: [CoreSet]
  private let allCores: CoreSet?

  /// Starts up to `limit` − 1 threads, and asks once how many members there are what they will do.
  init(upTo limit: Int, work plan: (_ count: Int, _ barrier: Barrier) -> Work) {
    precondition(limit >= 1, "ThreadTeam: \(limit) members")
    // The threads wait for this lock: they begin when their number is known.
    shared.monitor.lock()
    allCores = CoreSet.ofCallingThread
    let cores = Self.coresToHold(allCores, members: limit)
    self.cores = cores
    var threads: [pthread_t] = []
    while threads.count < limit - 1 {
      let member = threads.count + 1
      let core = cores.isEmpty ? nil : cores[member]
      let serve = { @Sendable [shared] in
        core?.holdCallingThread()
        shared.serve(member)
      }
      guard let thread = startThread(serve) else { break }
      threads.append(thread)
    }
    activeCount = threads.count + 1
    barrier = Barrier(parties: threads.count + 1)
    shared.activeCount.store(activeCount, ordering: .relaxed)
    shared.duty = (barrier, plan(threads.count + 1, barrier))
    shared.monitor.unlock()
    self.threads = threads
  }

  deinit {
    shared.lastCall.store(calls + 1, ordering: .relaxed)
    shared.recall(to: activeCount, nextCall: calls + 1)
    barrier.wait(0)
    for thread in threads { pthread_join(thread, nil) }
  }

  private static func coresToHold(_ all: CoreSet?, members: Int) -> [CoreSet] {
    guard let all, all.cores.count == members else { return [] }
    return all.cores.map { all.only($0) }
  }

  /// Keeps the calling thread to its core until `releaseCore`: nothing else that it does is to be kept there,
  /// nor a thread or a process that it starts.
  func holdCore() {
    if count > 1, activeCount == count { cores.first?.holdCallingThread() }
  }

  /// Lets the calling thread run on all cores again.
  func releaseCore() {
    if count > 1, !cores.isEmpty { allCores?.holdCallingThread() }
  }

  /// Lets every other active member work once; the calling thread does its own part next.
  func callOthers() {
    calls += 1
    barrier.wait(0)
  }

  /// Lets only so many members work from the next call on; the others rest without using a core.
  func setActiveCount(_ new: Int) {
    precondition(new >= 1 && new <= count, "ThreadTeam: \(new) of \(count) members")
    guard new != activeCount else { return }
    // Nobody is still on the way from the last call, or from a rest.
    barrier.awaitOthers()
    if new > activeCount {
      shared.waitUntilResting(count - activeCount)
      barrier.resize(parties: new)
      shared.recall(to: new, nextCall: calls + 1)
    } else {
      // A member that is to rest reads this as soon as the barrier no longer holds it.
      shared.activeCount.store(new, ordering: .sequentiallyConsistent)
      barrier.resize(parties: new)
    }
    activeCount = new
  }
}

extension ThreadTeam {
  /// What the threads hold on to: not the team itself, or it would never end.
  @safe private final class Shared: @unchecked Sendable {
    var duty: (barrier: Barrier, work: Work)?
    /// The number of the call that ends a member's service instead of being work. A number, because a member
    /// may still be on its way to the work of the call before when the team ends.
    let lastCall = Atomic(Int.max)
    let activeCount = Atomic(0)
    private var resting = 0
    private var nextCall = 1
    let monitor = Monitor()

    func serve(_ member: Int) {
      guard let (barrier, work) = monitor.locked({ duty }) else { return }
      var call = 1
      while true {
        barrier.wait(member)
        if member >= activeCount.load(ordering: .sequentiallyConsistent) {
          call = rest(member)
        } else if call < lastCall.load(ordering: .relaxed) {
          work(member)
          call += 1
          continue
        }
        if call >= lastCall.load(ordering: .relaxed) { return }
      }
    }

    /// Waits until a member is active again or the team ends; returns the number of the next call.
    private func rest(_ member: Int) -> Int {
      monitor.locked {
        resting += 1
        monitor.wakeAll()
        while member >= activeCount.load(ordering: .relaxed),
          lastCall.load(ordering: .relaxed) == .max
        {
          monitor.wait()
        }
        resting -= 1
        return nextCall
      }
    }

    func waitUntilResting(_ count: Int) {
      monitor.locked { while resting < count { monitor.wait() } }
    }

    /// Wakes members that are active again, or all if the team ends.
    func recall(to count: Int, nextCall: Int) {
      monitor.locked {
        self.nextCall = nextCall
        activeCount.store(count, ordering: .sequentiallyConsistent)
        monitor.wakeAll()
      }
    }
  }
}

/// A function on its way to the thread that runs it.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a thread, or returns nil if the system has none left.
private func startThread(_ run: @escaping @Sendable () -> Void) -> pthread_t? {
  var thread = pthread_t()
  let body = unsafe Unmanaged.passRetained(ThreadBody(run))
  let status = unsafe pthread_create(
    &thread, nil,
    { body in
      unsafe Unmanaged<ThreadBody>.fromOpaque(unsafe body!).takeRetainedValue().run()
      return nil
    }, unsafe body.toOpaque())
  if status != 0 { unsafe body.release() }
  return status == 0 ? thread : nil
}

// MARK: Cores that are busy

/// Notices when threads wait for each other because some of them have no core, and says how many to use.
///
/// Threads that share a core with other work hold each other up at every meeting, and two can be ten times
/// slower than one. The signs: more than two fifths of the time go into long waits, and the system takes cores away
/// from threads that want to run. Waits alone may come from an uneven share of the work.
/// Any number of threads computes the same bits.
struct ContentionWatch {
  /// What is read now and then, on the calling thread.
  struct Reading: Equatable {
    /// Since some moment, in nanoseconds.
    var time: UInt64
    /// What the calling thread has spent in long waits, in nanoseconds.
    var longWaits: UInt64
    /// How often the system has taken a core from a thread of this process that wanted to go on.
    var switches: Int
  }

  private var start: Reading
  private var badWindows = 0
  /// When to try the full number again, if threads rest, and how long to wait when that fails.
  private var retryTime: UInt64?
  private var pause = Self.firstPause

  /// The least length of a window: several turns of the system's scheduler.
  static let window: UInt64 = 50_000_000
  /// Windows in a row in which waits dominate, before threads rest.
  private static let patience = 4
  /// Switches in a second from which on cores count as contended.
  private static let switchesPerSecond = 40.0
  private static let firstPause: UInt64 = 2_000_000_000
  private static let longestPause: UInt64 = 32_000_000_000

  init(_ start: Reading) { self.start = start }

  /// Whether enough time has passed to judge.
  func isDue(_ time: UInt64) -> Bool { time - start.time >= Self.window }

  /// Ends a window, and returns how many threads of a team to use in the next one.
  mutating func judge(_ end: Reading, active: Int, of count: Int) -> Int {
    defer { start = end }
    if let time = retryTime, end.time >= time {
      (retryTime, badWindows) = (nil, 0)
      return count
    }
    let seconds = Double(end.time - start.time) / 1e9
    let waiting = Double(end.longWaits - start.longWaits) / 1e9
    let switches = Double(end.switches - start.switches)
    guard waiting > 0.4 * seconds, switches > Self.switchesPerSecond * seconds else {
      badWindows = 0
      if active == count { pause = max(Self.firstPause, pause / 2) }
      return active
    }
    badWindows += 1
    guard badWindows >= Self.patience, active > 1 else { return active }
    badWindows = 0
    retryTime = end.time + pause
    pause = min(2 * pause, Self.longestPause)
    return active / 2
  }
}

extension ContentionWatch.Reading {
  init(longWaits: UInt64) {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    self.init(time: now(), longWaits: longWaits, switches: usage.ru_nivcsw)
  }
}

extension ThreadTeam {
  /// Judges the time since it was last judged, if that is long enough; nil if the team is right as it is.
  func adviseActiveCount(_ watch: inout ContentionWatch) -> Int? {
    guard watch.isDue(now()) else { return nil }
    let reading = ContentionWatch.Reading(longWaits: barrier.longWaits)
    let advice = watch.judge(reading, active: activeCount, of: count)
    return advice == activeCount ? nil : advice
  }
}
