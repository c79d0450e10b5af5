// This process: its signals, its end, its environment, its clock and the name of its machine.
//
// It decides nothing: what a signal means to a command, and with what status it ends, is the caller's
// business (CommandSupport).

import Glibc

/// A signal that a process can catch or ignore.
public struct Signal: Equatable, Sendable {
  public let number: CInt

  /// What Ctrl-C sends.
  public static let interrupt = Signal(number: SIGINT)
  public static let terminate = Signal(number: SIGTERM)
  /// What a terminal sends that is closed.
  public static let hangUp = Signal(number: SIGHUP)
  /// What a limit on processor time sends (`ulimit -t`), every second once it is reached.
  public static let processorTime = Signal(number: SIGXCPU)
  /// A write to a pipe that nobody reads; ignored, the write fails instead.
  public static let brokenPipe = Signal(number: SIGPIPE)
  /// A write beyond the limit on file sizes; ignored, the write fails instead.
  public static let fileTooLarge = Signal(number: SIGXFSZ)

  public func ignore() { _ = Glibc.signal(number, SIG_IGN) }

  public var isIgnored: Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    let ignoring = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
    return handler == ignoring
  }

  /// Lets it do again what it does to every process.
  public func restoreDefault() { _ = Glibc.signal(number, SIG_DFL) }

  /// Calls `handler`, with the signal's number, for each signal from now on; system calls that it
  /// interrupts are repeated where they can be.
  ///
  /// A thread that starts a process hands down its mask, and some libraries' threads block everything:
  /// so the signal is let through too.
  public func handle(_ handler: @escaping @convention(c) (CInt) -> Void) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    unsafe sigaction(number, &action, nil)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}

/// Lets the owner of what this process makes use it, whatever the shell's umask says: a directory that its
/// owner cannot enter would be in the way of all later runs.
public func keepOwnersPermissions() {
  let mask = umask(0o777)
  _ = umask(mask & ~0o700)
}

/// Ends the process, after what was registered for its end.
public func exitProcess(_ status: CInt) -> Never { exit(status) }

/// Ends the process at once: no destructor runs and no thread is waited for. Safe in a signal handler.
public func exitProcessImmediately(_ status: CInt) -> Never { _exit(status) }

/// The words that the process was started with, its own name first, each as the bytes that it was given;
/// none where the system does not tell (/proc is not mounted).
public func processWords() -> [[UInt8]] {
  let words = unsafe CommandLine.unsafeArgv
  return (0..<Int(CommandLine.argc)).compactMap { index in
    guard let word = unsafe words[index] else { return nil }
    return unsafe bytes(of: word)
  }
}

/// The same as text, for records; bytes that are not UTF-8 become U+FFFD.
public func processArguments() -> [String] {
  processWords().map { String(decoding: $0, as: UTF8.self) }
}

/// The value of an environment variable, nil if it is not set, or is not UTF-8.
public func environmentVariable(_ name: String) -> String? {
  environmentBytes(name).flatMap { String(validating: $0, as: UTF8.self) }
}

/// The value of an environment variable as it is.
func environmentBytes(_ name: String) -> [UInt8]? {
  unsafe getenv(name).map { unsafe bytes(of: $0) }
}

/// The name of this machine.
public func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown" }
  return text(of: name)
}

/// The current time in UTC, as ISO 8601 writes it: 2026-01-31T12:00:00Z.
public func timestamp() -> String {
  var seconds = time_t()
  var parts = unsafe tm()
  unsafe time(&seconds)
  unsafe gmtime_r(&seconds, &parts)
  var characters = [CChar](repeating: 0, count: 32)
  unsafe strftime(&characters, characters.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return text(of: characters)
}

/// A time that only ever grows, in nanoseconds since some moment.
public func monotonicNanoseconds() -> Int {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
