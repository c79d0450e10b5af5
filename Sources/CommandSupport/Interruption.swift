// What SIGINT and SIGTERM mean to a command that has something to save.
//
// While they are caught, the first one is noted, and the command looks for it between two steps of its
// work; the second one ends the process at once. A command that never asks is ended by the first, as
// ever. A signal that was ignored when the process started (nohup, a shell's background job) stays so.

import Glibc
import Synchronization

/// Signals that ask a command to stop.
public enum Interruption {
  /// Notes the first signal from now on instead of ending the process.
  public static func startCatching() {
    noted.store(0, ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM] where !OperatingSystem.isIgnored(signal: number) {
      OperatingSystem.handle(signal: number, noteOrExit)
    }
  }

  /// The status with which to exit, if a signal was caught.
  public static var pending: ExitStatus? {
    let number = noted.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : status(of: number)
  }

  /// Lets the next signal end the process again; gives what was caught until now.
  public static func stopCatching() -> ExitStatus? {
    let pending = pending
    noted.store(SIGTERM, ordering: .sequentiallyConsistent)
    return pending
  }

  private static func status(of number: CInt) -> ExitStatus {
    number == SIGINT ? .interrupted : .terminated
  }
}

/// The number of the first signal caught, or 0.
private let noted = Atomic<CInt>(0)

/// The handler: it may only do what is safe between any two instructions of the process.
private func noteOrExit(_ number: CInt) {
  let first = noted.compareExchange(expected: 0, desired: number, ordering: .sequentiallyConsistent)
  if !first.exchanged { _exit(128 + number) }
}
