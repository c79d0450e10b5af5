// The threads of an engine: started once, called to work again and again, synchronized several
// times in every step.
//
// The thread that calls is a member itself, number 0. What the others do is one function of the
// member's number, which decides how work is divided. If the system cannot start as many threads as
// requested, the team is smaller; if cores are busy with other work, some of its members may rest
// for a while.

internal import Posix
import Synchronization

// MARK: Barrier

/// A barrier for the members of a team, used again and again.
///
/// A wait takes microseconds if every thread has a core, and waking a sleeper costs more than that.
/// So a wait spins. If one takes milliseconds, some thread lacks a core; for 50 ms all waits then
/// spin briefly, yield, and finally sleep. After that one wait spins long again, so that a thread
/// that shares its core stays idle: the system moves only such threads to a free core.
///
/// Every thread counts its own arrivals and reads the others' counts: an arrival is one write,
/// which each of the others reads once.
@safe final class Barrier: @unchecked Sendable {
  private let capacity: Int
  /// The members that take part: those with smaller numbers.
  private let parties: Atomic<Int>
  private let arrivals: UnsafeMutablePointer<Atomic<Int>>
  private let sleepers = Atomic<Int>(0)
  private let monitor = Monitor()

  /// The time until which waits spin briefly, in nanoseconds; 0 if they spin long.
  private let spinBrieflyUntil = Atomic<Int>(0)

  /// What member 0 spent in waits longer than they are if every thread has a core, in nanoseconds.
  private(set) var longWaits = 0

  /// The counts lie this many places apart: two cache lines, which processors fetch together.
  private static let spacing = 16
  /// Spins of a long wait: some milliseconds.
  private static let longSpins = 8_000_000
  /// Spins of a brief one: some microseconds.
  private static let shortSpins = 4000
  /// How often a brief wait yields its core before it sleeps.
  private static let yields = 200
  /// How long waits stay brief: fifty milliseconds.
  private static let briefPeriod = 50_000_000

  init(parties: Int) {
    precondition(parties >= 1, "Barrier: \(parties) threads")
    capacity = parties
    self.parties = Atomic(parties)
    unsafe arrivals = .allocate(capacity: parties * Self.spacing)
    for index in 0..<parties * Self.spacing {
      unsafe (arrivals + index).initialize(to: Atomic(0))
    }
    if parties > availableCores() { spinBrieflyUntil.store(.max, ordering: .relaxed) }
  }

  deinit {
    unsafe arrivals.deinitialize(count: capacity * Self.spacing)
    unsafe arrivals.deallocate()
  }

  /// Returns when all members have called it, each with its own number from 0 on; what they wrote
  /// before is then visible to all. A member that no longer takes part does not wait.
  func wait(_ member: Int) {
    guard parties.load(ordering: .relaxed) > 1 || member > 0 else { return }
    precondition(member >= 0 && member < capacity, "Barrier: member \(member) of \(capacity)")
    let arrival = unsafe arrivals[member * Self.spacing].load(ordering: .relaxed) + 1
    // Either a sleeper sees this arrival, or it is seen below and woken.
    unsafe arrivals[member * Self.spacing].store(arrival, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    if spin(Self.shortSpins, member, arrival) { return }
    let start = monotonicNanoseconds()
    waitLong(member, arrival)
    if member == 0 { longWaits += monotonicNanoseconds() - start }
  }

  private func waitLong(_ member: Int, _ arrival: Int) {
    let end = spinBrieflyUntil.load(ordering: .relaxed)
    if end == 0 {
      if spin(Self.longSpins, member, arrival) { return }
      spinBrieflyUntil.store(monotonicNanoseconds() + Self.briefPeriod, ordering: .relaxed)
    } else if monotonicNanoseconds() > end {
      spinBrieflyUntil.store(0, ordering: .relaxed)
    }
    for _ in 0..<Self.yields {
      yieldCore()
      if isComplete(member, arrival) { return }
    }
    sleep(member, until: arrival)
  }

  /// Spins up to `count` times; returns whether all arrived.
  private func spin(_ count: Int, _ member: Int, _ arrival: Int) -> Bool {
    for _ in 0..<count where isComplete(member, arrival) { return true }
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

  /// Returns when all other members are waiting for member 0, which calls it.
  func awaitOthers() {
    let arrival = unsafe arrivals[0].load(ordering: .relaxed) + 1
    for member in 1..<max(1, parties.load(ordering: .relaxed)) {
      while !hasArrived(member, arrival) { yieldCore() }
    }
  }

  /// Changes who takes part, while all who do wait for member 0, which calls it.
  ///
  /// Members that rejoin are counted as having arrived as often as member 0.
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

// MARK: Team

/// Threads that do a piece of work together, each its part.
final class ThreadTeam {
  /// What a team does: a function of the member's number, from 0 to the team's count − 1.
  typealias Work = @Sendable (_ member: Int) -> Void

  private let shared = Shared()
  private let threads: [StartedThread]
  /// Where the others wait for a call, and where members may synchronize while they work.
  let barrier: Barrier
  private var calls = 0

  /// The number of members, the calling thread included.
  var count: Int { threads.count + 1 }

  /// The members that work at present: those with smaller numbers.
  private(set) var activeCount: Int

  /// A core for each member, if there are exactly as many: left to itself, the system may put two
  /// threads that wake each other on one core while another is idle.
  private let cores: [CoreSet]
  private let allCores: CoreSet?

  /// Starts up to `limit` − 1 threads, and calls `plan` once, with the number of members, for their
  /// work.
  ///
  /// - Parameter observer: Called by each thread at the moments where it may be late; for tests,
  ///   which can hold it there.
  init(
    upTo limit: Int, observer: (@Sendable (Moment) -> Void)? = nil,
    work plan: (_ count: Int, _ barrier: Barrier) -> Work
  ) {
    precondition(limit >= 1, "ThreadTeam: \(limit) members")
    // The threads wait for this lock: they begin when their number is known.
    shared.monitor.lock()
    shared.observer = observer
    allCores = CoreSet.ofCallingThread
    let cores = Self.coresToHold(allCores, members: limit)
    self.cores = cores
    var threads: [StartedThread] = []
    while threads.count < limit - 1 {
      let member = threads.count + 1
      let core = cores.isEmpty ? nil : cores[member]
      let thread = StartedThread { [shared] in
        core?.pinCallingThread()
        shared.run(member)
      }
      guard let thread else { break }
      threads.append(thread)
    }
    activeCount = threads.count + 1
    barrier = Barrier(parties: threads.count + 1)
    shared.activeCount.store(activeCount, ordering: .relaxed)
    shared.job = (barrier, plan(threads.count + 1, barrier))
    shared.monitor.unlock()
    self.threads = threads
  }

  deinit {
    shared.lastCall.store(calls + 1, ordering: .relaxed)
    shared.observer?(.dismissed)
    shared.wake(to: activeCount, nextCall: calls + 1)
    barrier.wait(0)
    for thread in threads { thread.join() }
  }

  private static func coresToHold(_ all: CoreSet?, members: Int) -> [CoreSet] {
    guard let all, all.cores.count == members else { return [] }
    return all.cores.map { all.only($0) }
  }

  /// Pins the calling thread to its core until `unpin`; not for longer, because threads and
  /// processes that it starts inherit the pin.
  func pinToCore() {
    if count > 1, activeCount == count { cores.first?.pinCallingThread() }
  }

  /// Lets the calling thread run on all cores again.
  func unpin() {
    if count > 1, !cores.isEmpty { allCores?.pinCallingThread() }
  }

  /// Lets every other active member work once; the calling thread does its own part next.
  func startOthers() {
    calls += 1
    barrier.wait(0)
  }

  /// Lets only `new` members work from the next call on; the others rest without using a core.
  func setActiveCount(_ new: Int) {
    precondition(new >= 1 && new <= count, "ThreadTeam: \(new) of \(count) members")
    guard new != activeCount else { return }
    // After this no member is still at work on the last call, or on its way back from a rest.
    barrier.awaitOthers()
    if new > activeCount {
      shared.waitUntilResting(count - activeCount)
      barrier.resize(parties: new)
      shared.wake(to: new, nextCall: calls + 1)
    } else {
      // A member that is to rest reads this as soon as the barrier no longer holds it.
      shared.activeCount.store(new, ordering: .sequentiallyConsistent)
      barrier.resize(parties: new)
    }
    activeCount = new
  }
}

extension ThreadTeam {
  /// A moment in the life of a team: a member's, or the team's own.
  enum Moment: Equatable {
    /// The thread was started, and has not yet come to the barrier.
    case begun(member: Int)
    /// The barrier has let the thread through, and it does not know yet for what.
    case called(member: Int)
    /// The team ends: from here on members find that there are no more calls.
    case dismissed
  }

  /// State that the threads retain instead of the team, which would otherwise never be released.
  @safe private final class Shared: @unchecked Sendable {
    var job: (barrier: Barrier, work: Work)?
    var observer: (@Sendable (Moment) -> Void)?
    /// The number of the call that ends the threads instead of being work. A number and not a flag,
    /// because a member may not even have begun the call before it when the team ends.
    let lastCall = Atomic(Int.max)
    let activeCount = Atomic(0)
    private var resting = 0
    private var nextCall = 1
    let monitor = Monitor()

    func run(_ member: Int) {
      guard let (barrier, work) = monitor.locked({ job }) else { return }
      observer?(.begun(member: member))
      var call = 1
      while true {
        barrier.wait(member)
        observer?(.called(member: member))
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
    func wake(to count: Int, nextCall: Int) {
      monitor.locked {
        self.nextCall = nextCall
        activeCount.store(count, ordering: .sequentiallyConsistent)
        monitor.wakeAll()
      }
    }
  }
}

// MARK: Cores that are busy

/// Notices when threads wait for each other because some of them have no core, and says how many to
/// use.
///
/// Threads that share a core with other work hold each other up at every barrier, and two can be
/// ten times slower than one. The signs: more than two fifths of the time go into long waits, and
/// the system takes cores away from threads that want to run. Waits alone may come from an uneven
/// share of the work. Any number of threads computes the same bits.
struct ContentionWatch {
  /// What is read now and then, on the calling thread.
  struct Reading: Equatable {
    /// Since some moment, in nanoseconds.
    var time: Int
    /// What the calling thread has spent in long waits, in nanoseconds.
    var longWaits: Int
    /// How often the system has taken a core from a thread of this process that wanted to go on.
    var switches: Int
  }

  private var start: Reading
  private var badWindows = 0
  /// When to try the full number again, if threads rest, and how long to wait when that fails.
  private var retryTime: Int?
  private var pause = Self.firstPause

  /// The least length of a window: several turns of the system's scheduler.
  static let window = 50_000_000
  /// Windows in a row in which waits dominate, before threads rest.
  private static let patience = 4
  /// Switches in a second from which on cores count as contended.
  private static let switchesPerSecond = 40.0
  private static let firstPause = 2_000_000_000
  private static let longestPause = 32_000_000_000

  init(_ start: Reading) { self.start = start }

  /// Whether enough time has passed to judge.
  func isDue(_ time: Int) -> Bool { time - start.time >= Self.window }

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
  init(longWaits: Int) {
    self.init(
      time: monotonicNanoseconds(), longWaits: longWaits, switches: involuntarySwitches())
  }
}

extension ThreadTeam {
  /// Judges the time since it was last judged, if that is long enough; nil if the team is right as
  /// it is.
  func adviseActiveCount(_ watch: inout ContentionWatch) -> Int? {
    guard watch.isDue(monotonicNanoseconds()) else { return nil }
    let reading = ContentionWatch.Reading(longWaits: barrier.longWaits)
    let advice = watch.judge(reading, active: activeCount, of: count)
    return advice == activeCount ? nil : advice
  }
}

// MARK: - How work is cut: among threads, and among ranks

extension Range<Int> {
  /// Part `index` of `total` things that are cut into `count` parts, as equal as they can be.
  static func part(_ index: Int, of count: Int, from total: Int) -> Range {
    // This is index · total / count, computed so that it cannot overflow.
    let (quotient, remainder) = total.quotientAndRemainder(dividingBy: count)
    func start(_ index: Int) -> Int { index * quotient + index * remainder / count }
    return start(index)..<start(index + 1)
  }
}

// MARK: - Parallel pieces
//
// Independent pieces of work on several threads, their results in the order of the pieces.
//
// A piece is computed whole by one thread, so results do not depend on how many there are. The
// threads are a team's, not Dispatch's: that hangs where the system has no thread left, and traps
// where it has no descriptor left.

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

  /// Computes all of them; releasing the team waits for its members.
  func compute(threads: Int) {
    let team = ThreadTeam(upTo: threads) { _, _ in { _ in self.takeAll() } }
    team.startOthers()
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
