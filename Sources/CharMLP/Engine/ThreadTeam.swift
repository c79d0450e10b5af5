// The threads of an engine: started once, then called to work again and again.
//
// The thread that calls is a member itself, number 0. What the others do is one function of the member's
// number; how work is shared out, and where members meet before it is done, is that function's affair. If
// the system has fewer threads left than asked for, the team is smaller.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Threads that do a piece of work together, each its part.
final class ThreadTeam {
  /// What a team does: a function of the member's number, from 0 to the team's count − 1.
  typealias Work = @Sendable (_ member: Int) -> Void

  private let shared = Shared()
  private let threads: [pthread_t]
  private let gate: Barrier
  private var calls = 0

  /// The number of members, the calling thread included.
  var count: Int { threads.count + 1 }

  /// Starts up to `limit` − 1 threads, and asks once how many members there are what they will do.
  init(upTo limit: Int, work plan: (_ count: Int) -> Work) {
    precondition(limit >= 1, "ThreadTeam: \(limit) members")
    // The threads wait for this lock: they begin when their number is known.
    shared.lock()
    var threads: [pthread_t] = []
    while threads.count < limit - 1 {
      let member = threads.count + 1
      guard let thread = startThread({ [shared] in shared.serve(member) }) else { break }
      threads.append(thread)
    }
    gate = Barrier(parties: threads.count + 1)
    shared.duty = (gate, plan(threads.count + 1))
    shared.unlock()
    self.threads = threads
  }

  deinit {
    shared.lastCall.store(calls + 1, ordering: .relaxed)
    gate.wait(0)
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Lets every other member work once; the calling thread does its own part next.
  func callOthers() {
    calls += 1
    gate.wait(0)
  }
}

extension ThreadTeam {
  /// What the threads hold on to: not the team itself, or it would never end.
  ///
  /// The lock is POSIX's, not the standard library's: the thread sanitizer knows what it orders.
  @safe private final class Shared: @unchecked Sendable {
    var duty: (gate: Barrier, work: Work)?
    /// The number of the call that ends a member's service instead of being work. A number, because a member
    /// may still be on its way from the gate to the work of the call before when the team ends.
    let lastCall = Atomic(Int.max)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { unsafe pthread_mutex_init(mutex, nil) }

    deinit {
      unsafe pthread_mutex_destroy(mutex)
      unsafe mutex.deallocate()
    }

    func lock() { unsafe pthread_mutex_lock(mutex) }
    func unlock() { unsafe pthread_mutex_unlock(mutex) }

    func serve(_ member: Int) {
      lock()
      let duty = duty
      unlock()
      guard let (gate, work) = duty else { return }
      var call = 1
      gate.wait(member)
      while call < lastCall.load(ordering: .relaxed) {
        work(member)
        call += 1
        gate.wait(member)
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
