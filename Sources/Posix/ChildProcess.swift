// Another program, started and waited for.
//
// By posix_spawn, because Foundation's Process would bring all of Foundation into every `train`.

import Glibc

/// A program that reads nothing, and writes its messages, and perhaps its results, to files.
public struct ChildProcess {
  /// How a program ended.
  public enum End: Equatable, Sendable {
    /// An exit status, or 128 and the number of the signal that ended it.
    case status(CInt)
    /// It was killed because it took too long.
    case tooLate
    /// It was killed because it was no longer wanted.
    case stopped
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
  ///   - output: The file that its stdout goes to; nil for none. Names of files are relative to `directory`.
  ///   - messages: The file that its stderr goes to.
  ///   - fileLimit: The most bytes of any file that it writes; a longer one is its end (SIGXFSZ).
  ///     In whole blocks of 512 bytes.
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

  /// Runs the program, and kills it, and what it has started itself, if it has not ended within `seconds`
  /// or is no longer wanted.
  /// - Throws: `SystemError` if it does not start.
  public func run(
    seconds: Double, isStopped: () -> Bool = { false }
  ) throws(SystemError) -> End {
    let child = try start()
    let start = monotonicNanoseconds()
    var end: End?
    while end == nil, !Self.hasEnded(child) {
      if isStopped() {
        end = .stopped
      } else if Double(monotonicNanoseconds() - start) > seconds * 1e9 {
        end = .tooLate
      } else {
        usleep(2000)
      }
    }
    // Its group has its number as long as nobody has waited for it.
    kill(-child, SIGKILL)
    var status: CInt = 0
    _ = try? calling { unsafe waitpid(child, &status, 0) }
    return end ?? .status(Self.code(status))
  }

  /// Whether the program has ended; it stays to be waited for.
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
    // It returns its error instead of setting errno.
    var attributes = try Attributes()
    let code = unsafe posix_spawn(
      &child, command[0], &actions, &attributes.value, &words, &variables)
    guard code == 0 else { throw SystemError(executable, code: code) }
    return child
  }

  /// The words that start the program. Spawning can set neither a directory nor a limit; the shell can, before the
  /// program has written a byte.
  private var command: [String] {
    if directory == nil && fileLimit == nil { return [executable] }
    let script = #"cd -- "$1" && ulimit -f "$2" && shift 2 && exec "$@""#
    let blocks = fileLimit.map { String($0 / 512) } ?? "unlimited"
    return ["/bin/sh", "-c", script, "sh", directory ?? ".", blocks, executable]
  }
}

/// How a child begins: the leader of a group, so that what it starts itself can be ended with it; with no
/// signal blocked, as some libraries' threads have them; and with those at work that this process ignores.
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
