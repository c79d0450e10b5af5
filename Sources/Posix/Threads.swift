// Threads as POSIX has them, and a lock with a condition to wait for.
//
// The standard library has no thread to start, and its lock has no condition; the thread sanitizer
// knows what these order. Who works together, and how, is the caller's affair.

import Glibc

/// A lock, and a condition to wait for under it.
@safe public final class Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  public init() {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Waits until no other thread holds the lock, then holds it.
  public func lock() { unsafe pthread_mutex_lock(mutex) }

  /// Releases the lock.
  public func unlock() { unsafe pthread_mutex_unlock(mutex) }

  /// Runs `body` while holding the lock.
  public func locked<Result>(_ body: () -> Result) -> Result {
    lock()
    defer { unlock() }
    return body()
  }

  /// Releases the lock until the next call of `wakeAll`; may return before that.
  public func wait() { unsafe pthread_cond_wait(condition, mutex) }

  /// Wakes all that wait; called with the lock held.
  public func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

/// A thread that was started, and has to be joined.
public struct StartedThread {
  private let id: pthread_t

  /// Starts a thread; nil if the system has none left.
  public init?(_ run: @escaping @Sendable () -> Void) {
    var id = pthread_t()
    let body = unsafe Unmanaged.passRetained(ThreadBody(run))
    let status = unsafe pthread_create(
      &id, nil,
      { body in
        unsafe Unmanaged<ThreadBody>.fromOpaque(unsafe body!).takeRetainedValue().run()
        return nil
      }, unsafe body.toOpaque())
    guard status == 0 else {
      unsafe body.release()
      return nil
    }
    self.id = id
  }

  /// Waits until the thread has ended; called once.
  public func join() { pthread_join(id, nil) }
}

/// A function on its way to the thread that runs it.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Lets another thread that is ready have the calling thread's core.
public func yieldCore() { sched_yield() }

/// How often the system has taken a core from a thread of this process that wanted to go on.
public func involuntarySwitches() -> Int {
  var usage = rusage()
  unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_nivcsw
}
