// This process, its threads, and the processes that it starts: signals, exit, environment, clock,
// locks, child processes.
//
// What a signal means to a command, and with what status it exits, is the caller's decision
// (CommandSupport).

import CLinux
import Glibc

/// A signal that a process can catch or ignore.
public struct Signal: Equatable, Sendable {
  /// The system's number.
  public let number: CInt

  /// What Ctrl-C sends.
  public static let interrupt = Signal(number: SIGINT)
  /// What Ctrl-\ sends. Swift's runtime takes it for a crash: unless its default is restored, a
  /// backtrace is printed and the process goes on.
  public static let quit = Signal(number: SIGQUIT)
  /// What asks a process to end: kill(1), a batch system.
  public static let terminate = Signal(number: SIGTERM)
  /// What the end of a child process sends.
  static let childEnded = Signal(number: SIGCHLD)
  /// What a terminal sends when it is closed.
  public static let hangUp = Signal(number: SIGHUP)
  /// What a limit on processor time sends (`ulimit -t`), every second once it is reached.
  public static let processorTime = Signal(number: SIGXCPU)
  /// A write to a pipe without a reader; ignored, the write fails instead.
  public static let brokenPipe = Signal(number: SIGPIPE)
  /// A write beyond the limit on file sizes; ignored, the write fails instead.
  public static let fileTooLarge = Signal(number: SIGXFSZ)

  /// Discards the signal from now on.
  public func ignore() { _ = Glibc.signal(number, SIG_IGN) }

  /// Whether this process discards it.
  public var isIgnored: Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    let ignoring = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
    return handler == ignoring
  }

  /// Restores the default action, and unblocks the signal.
  public func restoreDefault() {
    _ = Glibc.signal(number, SIG_DFL)
    unblock()
  }

  /// Calls `handler`, with the signal's number, for each signal from now on; system calls that it
  /// interrupts are repeated where they can be. The signal is unblocked too.
  public func handle(_ handler: @escaping @convention(c) (CInt) -> Void) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    unsafe sigaction(number, &action, nil)
    unblock()
  }

  /// Lets the signal reach this thread: a process inherits the mask of the thread that starts it,
  /// and some libraries' threads block everything.
  private func unblock() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}

/// Makes sure that the umask never takes permissions from the owner: a directory its owner cannot
/// enter would block all later runs.
public func keepOwnersPermissions() {
  let mask = umask(0o777)
  _ = umask(mask & ~0o700)
}

/// Ends the process after running its atexit handlers.
public func exitProcess(_ status: CInt) -> Never { exit(status) }

/// Ends the process at once: no destructor runs and no thread is waited for. Safe in a signal
/// handler.
public func exitProcessImmediately(_ status: CInt) -> Never { _exit(status) }

/// The process's arguments, its own name first, as bytes; empty if unknown (/proc is not mounted).
public func processArgumentBytes() -> [[UInt8]] {
  let words = unsafe CommandLine.unsafeArgv
  return (0..<Int(CommandLine.argc)).compactMap { index in
    guard let word = unsafe words[index] else { return nil }
    return unsafe bytes(of: word)
  }
}

/// The same as text, for records; bytes that are not UTF-8 become U+FFFD.
public func processArguments() -> [String] {
  processArgumentBytes().map { String(decoding: $0, as: UTF8.self) }
}

/// The value of an environment variable, nil if it is not set, or is not UTF-8.
public func environmentVariable(_ name: String) -> String? {
  environmentBytes(name).flatMap { String(validating: $0, as: UTF8.self) }
}

/// Sets an environment variable of this process, and of those that it starts.
public func setEnvironmentVariable(_ name: String, _ value: String) {
  unsafe setenv(name, value, 1)
}

/// The value of an environment variable as it is.
func environmentBytes(_ name: String) -> [UInt8]? {
  unsafe getenv(name).map { unsafe bytes(of: $0) }
}

/// All variables of the environment, as `NAME=value`.
public func environmentVariables() -> [String] {
  var variables: [String] = []
  var next = unsafe currentEnvironment()
  while let variable = unsafe next?.pointee {
    variables.append(String(decoding: unsafe bytes(of: variable), as: UTF8.self))
    unsafe next = next.map { unsafe $0 + 1 }
  }
  return variables
}

/// The path of this process's program; nil if the system does not tell (/proc is not mounted).
public func executablePath() -> String? {
  var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
  guard unsafe readlink("/proc/self/exe", &path, path.count - 1) > 0 else { return nil }
  return text(of: path)
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

/// The monotonic clock, in nanoseconds since some moment.
public func monotonicNanoseconds() -> Int {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

// MARK: - Another program, started and waited for
//
// By posix_spawn, because Foundation's Process would bring all of Foundation into every `train`.

/// A program with no input, whose stderr and optionally stdout go to files.
public struct ChildProcess {
  /// How a program ended.
  public enum Outcome: Equatable, Sendable {
    /// An exit status, or 128 plus the number of the signal that ended it.
    case status(CInt)
    /// It was killed because it took too long.
    case timedOut
    /// It was killed because it was no longer wanted.
    case cancelled
  }

  private let executable: String
  private let arguments: [String]
  private let environment: [String]
  private let directory: String?
  private let output: String
  private let messages: String
  private let fileLimit: Int?

  /// Describes a program's run.
  ///
  /// - Parameters:
  ///   - environment: All of its variables, as `NAME=value`.
  ///   - directory: Where it runs; nil for the working directory.
  ///   - output: The file that its stdout goes to; nil for none. Names of files are relative to
  ///     `directory`.
  ///   - messages: The file that its stderr goes to.
  ///   - fileLimit: The most bytes of any file that it writes; exceeding it kills the program
  ///     (SIGXFSZ). In whole blocks of 512 bytes.
  public init(
    executable: String, arguments: [String], environment: [String], directory: String? = nil,
    output: String? = nil, messages: String, fileLimit: Int? = nil
  ) {
    let path = { (name: String) in directory.map { "\($0)/\(name)" } ?? name }
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.output = output.map(path) ?? "/dev/null"
    self.messages = path(messages)
    self.fileLimit = fileLimit
  }

  /// Runs the program, and kills it with its descendants if it has not ended within `seconds` or is
  /// cancelled.
  /// - Throws: `SystemError` if it does not start.
  public func run(
    seconds: Double, isCancelled: () -> Bool = { false }
  ) throws(SystemError) -> Outcome {
    // Where SIGCHLD is ignored, as a parent may leave it, the status is lost.
    if Signal.childEnded.isIgnored { Signal.childEnded.restoreDefault() }
    let child = try start()
    let start = monotonicNanoseconds()
    var outcome: Outcome?
    while outcome == nil, !Self.hasEnded(child) {
      if isCancelled() {
        outcome = .cancelled
      } else if Double(monotonicNanoseconds() - start) > seconds * 1e9 {
        outcome = .timedOut
      } else {
        usleep(2000)
      }
    }
    // Its group's number cannot be reused before waitpid, so this kills nobody else.
    kill(-child, SIGKILL)
    var status: CInt = 0
    try calling(executable) { unsafe waitpid(child, &status, 0) }
    return outcome ?? .status(Self.code(status))
  }

  /// Whether the program has ended; it can still be waited for.
  private static func hasEnded(_ child: pid_t) -> Bool {
    var information = unsafe siginfo_t()
    let status = unsafe waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT)
    let signal = unsafe information.si_signo
    return status != 0 || signal != 0
  }

  private static func code(_ status: CInt) -> CInt {
    status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
  }

  private func start() throws(SystemError) -> pid_t {
    // Checked here, because a shell that starts it would report failure by a status of its own.
    guard case .file = try FileSystem.kind(of: executable) else {
      throw SystemError(executable, code: EACCES)
    }
    try calling(executable) { unsafe access(executable, X_OK) }
    // If it is missing, the spawn's error would look like one about the program.
    try calling("/dev/null") { unsafe access("/dev/null", R_OK) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, messages, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var words = unsafe (command + arguments).map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      for index in unsafe words.indices { unsafe free(words[index]) }
      for index in unsafe variables.indices { unsafe free(variables[index]) }
    }
    var child: pid_t = 0
    // posix_spawn returns its error instead of setting errno.
    var attributes = try Attributes()
    let code = unsafe posix_spawn(
      &child, command[0], &actions, &attributes.value, &words, &variables)
    guard code == 0 else { throw SystemError(executable, code: code) }
    return child
  }

  /// The command line up to the arguments. posix_spawn can set neither a directory nor a limit; the
  /// shell can, before the program writes a byte. Where a lower limit holds already, it stays.
  private var command: [String] {
    if directory == nil && fileLimit == nil { return [executable] }
    let script = #"cd -- "$1" && { ulimit -f "$2" 2>/dev/null || :; } && shift 2 && exec "$@""#
    let blocks = fileLimit.map { String($0 / 512) } ?? "unlimited"
    return [
      "/bin/sh", "-c", script, "sh", directory ?? ".", blocks, FileSystem.absolute(executable),
    ]
  }
}

/// Spawn attributes: a process group of its own, so that descendants can be killed with it; no
/// blocked signals (some libraries' threads block them); default actions for the signals that this
/// process ignores.
private struct Attributes: ~Copyable {
  var value = posix_spawnattr_t()

  init() throws(SystemError) {
    let code = unsafe posix_spawnattr_init(&value)
    guard code == 0 else { throw SystemError(code: code) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&value, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe sigaddset(&signals, SIGXFSZ)
    unsafe posix_spawnattr_setsigdefault(&value, &signals)
    unsafe posix_spawnattr_setpgroup(&value, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&value, Int16(flags))
  }

  deinit {
    var value = value
    unsafe posix_spawnattr_destroy(&value)
  }
}

// MARK: - Threads
//
// The standard library cannot start a thread, and its lock has no condition variable; the thread
// sanitizer understands these. Who works together, and how, is the caller's business.

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
