// How a command that has something to save or to clear away reacts to a signal that asks it to end.
//
// While signals are caught, the first one is noted, and the command checks for it between two steps
// of its work; a second SIGINT or SIGTERM ends the process at once, and so does the first after the
// last save. A shell may send SIGHUP twice, and the kernel sends SIGXCPU every second, so repeats
// of these are ignored. A command that catches none is ended by the first signal, as usual.
// A signal that was ignored when the process started (nohup, a shell's background job) stays
// ignored.

import Posix
import Synchronization

/// Signals that ask a command to stop.
public enum Interruption {
  private static let signals = [Signal.interrupt, .terminate, .hangUp, .processorTime]

  /// Notes the first signal from now on instead of ending the process.
  public static func startCatching() {
    noted.store(0, ordering: .sequentiallyConsistent)
    isCatching.store(true, ordering: .sequentiallyConsistent)
    for signal in signals where !signal.isIgnored { signal.handle(noteOrExit) }
  }

  /// The status with which to exit, if a signal was caught.
  public static var pending: ExitStatus? {
    ExitStatus(signal: noted.load(ordering: .sequentiallyConsistent))
  }

  /// Lets the next signal end the process again; returns what was caught so far.
  public static func stopCatching() -> ExitStatus? {
    ExitStatus(signal: noted.exchange(caughtNoMore, ordering: .sequentiallyConsistent))
  }

  /// Runs work that would leave something behind if it were cut short: a temporary folder, a
  /// half-written file, another process. A signal that comes meanwhile ends the process after
  /// `work`, which may check `pending`.
  public static func deferring<Result, Failure: Error>(
    _ work: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // A caller that already catches signals ends after the work anyway.
    guard noted.load(ordering: .sequentiallyConsistent) <= 0, !isDeferring.load(ordering: .relaxed)
    else { return try work() }
    let wasCatching = isCatching.load(ordering: .sequentiallyConsistent)
    let before = noted.load(ordering: .sequentiallyConsistent)
    if before == 0, wasCatching { return try work() }
    isDeferring.store(true, ordering: .sequentiallyConsistent)
    startCatching()
    defer {
      let pending = stopCatching()
      isDeferring.store(false, ordering: .sequentiallyConsistent)
      if let pending { end(pending) }
      if !wasCatching {
        // The defaults first: a signal that was noted now would be lost.
        for signal in signals where !signal.isIgnored { signal.restoreDefault() }
        isCatching.store(false, ordering: .sequentiallyConsistent)
        noted.store(0, ordering: .sequentiallyConsistent)
      }
    }
    return try work()
  }

  private static func end(_ status: ExitStatus) -> Never {
    StandardError.shared.clearMovingLine()
    try? StandardOutput.shared.flush()
    exitProcessImmediately(status.rawValue)
  }
}

extension ExitStatus {
  /// The status that a shell reports for a signal; nil for 0.
  fileprivate init?(signal number: CInt) {
    guard number > 0 else { return nil }
    self = ExitStatus(rawValue: 128 + number) ?? .terminated
  }

  /// Whether it reports a signal that asks a process to end.
  public var isSignal: Bool {
    [.hungUp, .interrupted, .terminated, .processorTimeSpent].contains(self)
  }
}

/// The number of the first signal caught, 0, or `caughtNoMore`.
private let noted = Atomic<CInt>(0)
private let caughtNoMore: CInt = -1
private let isCatching = Atomic<Bool>(false)
private let isDeferring = Atomic<Bool>(false)

/// The signal handler: it may only do what is async-signal-safe.
private func noteOrExit(_ number: CInt) {
  let first = noted.compareExchange(expected: 0, desired: number, ordering: .sequentiallyConsistent)
  if first.exchanged { return }
  if first.original > 0 {
    if isDeferring.load(ordering: .sequentiallyConsistent) { return }
    if number == Signal.hangUp.number || number == Signal.processorTime.number { return }
  }
  exitProcessImmediately(128 + number)
}

// MARK: - A directory for what another program reads and writes

/// A temporary directory, deleted with its last reference.
///
/// A signal would leave it behind: hold it within `Interruption.deferring`.
public final class TemporaryDirectory {
  public let path: String

  /// Makes a new directory.
  public init() throws(SystemError) {
    path = try FileSystem.makeTemporaryDirectory(prefix: "charmlp-")
  }

  deinit { FileSystem.removeTree(path) }

  /// The path of a file in it.
  public func path(_ name: String) -> String { path + "/" + name }

  public func write(_ text: String, to name: String) throws(SystemError) {
    try FileSystem.create(path(name), with: Array(text.utf8))
  }

  /// The text of a file in it, which has at most `limit` bytes.
  public func read(_ name: String, limit: Int) throws(SystemError) -> String {
    String(decoding: try FileSystem.read(path(name), limit: limit), as: UTF8.self)
  }
}
