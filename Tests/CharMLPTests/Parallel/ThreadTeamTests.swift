// Threads that work together: every member works, and none is left behind.

import Glibc
import Posix
import Synchronization
import Testing

@testable import CharMLP

@Suite("Threads of an engine")
struct ThreadTeamTests {
  @Test("A barrier releases no member before all have arrived", arguments: [1, 2, 3, 8])
  func barrier(parties: Int) {
    let rounds = 200
    let barrier = Barrier(parties: parties)
    let arrivals = Atomic(0)
    let violations = Atomic(0)
    let body: @Sendable (Int) -> Void = { member in
      for round in 1...rounds {
        arrivals.add(1, ordering: .sequentiallyConsistent)
        barrier.wait(member)
        let seen = arrivals.load(ordering: .sequentiallyConsistent)
        if seen < round * parties { violations.add(1, ordering: .relaxed) }
        barrier.wait(member)
      }
    }
    let team = ThreadTeam(upTo: parties) { count, _ in
      #expect(count == parties)
      return body
    }
    team.startOthers()
    body(0)
    #expect(arrivals.load(ordering: .relaxed) == rounds * parties)
    #expect(violations.load(ordering: .relaxed) == 0)
  }

  @Test("A team works once for each call, and ends when it is released")
  func calls() {
    let calls = Atomic(0)
    do {
      let done = Barrier(parties: 3)
      let team = ThreadTeam(upTo: 3) { _, _ in
        { member in
          calls.add(member, ordering: .relaxed)
          done.wait(member)
        }
      }
      for _ in 0..<5 {
        team.startOthers()
        done.wait(0)
      }
      #expect(team.count == 3)
    }
    // The members 1 and 2, five times.
    #expect(calls.load(ordering: .relaxed) == 15)
  }

  // In a process of its own, which a signal ends if the team waits for a member that never comes.
  @Test("A late thread finishes a pending call after the team ends, or exits if there is none")
  func dismissal() async {
    await #expect(processExitsWith: .success) {
      alarm(60)
      for lateness in Lateness.allCases { ThreadTeamTests.dismiss(lateness) }
    }
  }

  /// Where members are held until their team has been dismissed.
  private enum Lateness: CaseIterable { case beforeFirstCall, betweenCallAndWork }

  private static func dismiss(_ lateness: Lateness) {
    let calls = Atomic(0)
    for _ in 0..<20 {
      let isDismissed = Atomic(false)
      let moments = Atomic(0)
      do {
        let team = ThreadTeam(
          upTo: 5,
          observer: { moment in
            switch moment {
            case .dismissed: isDismissed.store(true, ordering: .sequentiallyConsistent)
            case .begun where lateness == .betweenCallAndWork: break
            case .begun, .called:
              moments.add(1, ordering: .relaxed)
              while !isDismissed.load(ordering: .sequentiallyConsistent) { yieldCore() }
            }
          }, work: { _, _ in { _ in calls.add(1, ordering: .relaxed) } })
        if lateness == .betweenCallAndWork { team.startOthers() }
      }
      // Each member comes to two of them, and is held at the first.
      #expect(moments.load(ordering: .relaxed) == 8)
    }
    #expect(calls.load(ordering: .relaxed) == (lateness == .betweenCallAndWork ? 80 : 0))
  }

  @Test("A team of one starts no thread")
  func alone() {
    let team = ThreadTeam(upTo: 1) { _, _ in { _ in Issue.record("called") } }
    team.startOthers()
    #expect(team.count == 1)
  }

  @Test(
    "A team works with any number of its members, which rest, come back, and end from either state")
  func activeMembers() {
    let limit = 4
    let calls = (0..<limit).map { _ in Counter() }
    do {
      let team = ThreadTeam(upTo: limit) { _, barrier in
        { member in
          calls[member].add()
          barrier.wait(member)
        }
      }
      // Every change of number there is, each followed by some calls.
      var expected = [Int](repeating: 0, count: limit)
      for round in 0..<200 {
        let active = [4, 1, 2, 4, 3, 1, 3, 2, 1, 4][round % 10]
        team.setActiveCount(active)
        #expect(team.activeCount == active)
        for _ in 0..<round % 3 {
          team.startOthers()
          team.barrier.wait(0)
          for member in 1..<max(active, 1) { expected[member] += 1 }
        }
      }
      team.setActiveCount(2)
      #expect(calls.dropFirst().map(\.count) == Array(expected.dropFirst()))
    }
    #expect(calls[0].count == 0)
  }

  private final class Counter: Sendable {
    private let value = Atomic(0)
    var count: Int { value.load(ordering: .sequentiallyConsistent) }
    func add() { value.add(1, ordering: .sequentiallyConsistent) }
  }
}

@Suite("Contention for cores")
struct ContentionWatchTests {
  private typealias Reading = ContentionWatch.Reading

  /// Windows of a tenth of a second, each with a share of long waits and some switches; the threads
  /// used after each.
  private func judged(
    _ windows: [(waiting: Double, switches: Int)], of count: Int, repeated: Int = 1
  ) -> [Int] {
    var reading = Reading(time: 0, longWaits: 0, switches: 0)
    var watch = ContentionWatch(reading)
    var active = count
    return (0..<repeated).flatMap { _ in windows }.map { window in
      reading.time += 100_000_000
      reading.longWaits += Int(window.waiting * 1e8)
      reading.switches += window.switches
      #expect(watch.isDue(reading.time))
      active = watch.judge(reading, active: active, of: count)
      return active
    }
  }

  @Test("Half of the threads rest after four windows of waiting in a row, down to one")
  func rest() {
    let busy = (waiting: 0.5, switches: 30)
    #expect(judged([busy], of: 4, repeated: 9) == [4, 4, 4, 2, 2, 2, 2, 1, 1])
    #expect(judged([busy, busy, busy, (0, 30)], of: 2, repeated: 3).allSatisfy { $0 == 2 })
  }

  @Test("Waiting alone, or switches alone, change nothing")
  func oneSign() {
    #expect(judged([(0.9, 0)], of: 4, repeated: 10).allSatisfy { $0 == 4 })
    #expect(judged([(0.1, 100)], of: 4, repeated: 10).allSatisfy { $0 == 4 })
  }

  @Test("All threads are tried again after a while, and after longer ones while that fails")
  func retry() {
    let used = judged([(0.5, 30)], of: 2, repeated: 400)
    let tries = used.indices.dropFirst().filter { used[$0] == 2 && used[$0 - 1] == 1 }
    let pauses = zip(tries, tries.dropFirst()).map { $1 - $0 }
    #expect(pauses.count >= 3)
    #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 })
    // Of 40 seconds of contention all but four are spent with one thread.
    #expect(used.count { $0 == 2 } <= 40)
  }

  @Test("A window is not judged before it is long enough")
  func due() {
    let watch = ContentionWatch(Reading(time: 7, longWaits: 0, switches: 0))
    #expect(!watch.isDue(7 + ContentionWatch.window - 1))
    #expect(watch.isDue(7 + ContentionWatch.window))
  }
}
