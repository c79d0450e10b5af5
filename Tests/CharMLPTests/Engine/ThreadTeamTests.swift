// Threads that work together: everybody works, nobody is left behind.

import Synchronization
import Testing

@testable import CharMLP

@Suite("Threads of an engine")
struct ThreadTeamTests {
  @Test("A barrier lets nobody go before all have come", arguments: [1, 2, 3, 8])
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
    let team = ThreadTeam(upTo: parties) { count in
      #expect(count == parties)
      return body
    }
    team.callOthers()
    body(0)
    #expect(arrivals.load(ordering: .relaxed) == rounds * parties)
    #expect(violations.load(ordering: .relaxed) == 0)
  }

  @Test("A team that is called works once for each call, and ends when it is let go")
  func calls() {
    let calls = Atomic(0)
    do {
      let done = Barrier(parties: 3)
      let team = ThreadTeam(upTo: 3) { _ in
        { member in
          calls.add(member, ordering: .relaxed)
          done.wait(member)
        }
      }
      for _ in 0..<5 {
        team.callOthers()
        done.wait(0)
      }
      #expect(team.count == 3)
    }
    // The members 1 and 2, five times.
    #expect(calls.load(ordering: .relaxed) == 15)
  }

  @Test(
    "A team that is let go as soon as it is called has worked, and ends",
    .timeLimit(.minutes(5)))
  func dismissal() {
    let calls = Atomic(0)
    // Its threads are then still on their way to the work.
    for _ in 0..<1000 {
      let team = ThreadTeam(upTo: 5) { _ in { _ in calls.add(1, ordering: .relaxed) } }
      team.callOthers()
    }
    #expect(calls.load(ordering: .relaxed) == 4000)
  }

  @Test("A team of one starts no thread")
  func alone() {
    let team = ThreadTeam(upTo: 1) { _ in { _ in Issue.record("called") } }
    team.callOthers()
    #expect(team.count == 1)
  }

  @Test("There is at least one core")
  func cores() {
    #expect(availableCores() >= 1)
  }
}
