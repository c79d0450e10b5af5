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
  }

  private let executable: String
  private let arguments: [String]
  private let environment: [String]
  private let directory: String?
  private let output: String
  private let messages: String

  /// Describes a program's run.
  ///
  /// - Parameters:
  ///   - environment: All of its variables, as `NAME=value`.
  ///   - directory: Where it runs; nil for the working directory.
  ///   - output: The file that its stdout goes to; nil for none. Names of files are relative to `directory`.
  ///   - messages: The file that its stderr goes to.
  public init(
    executable: String, arguments: [String], environment: [String], directory: String? = nil,
    output: String? = nil, messages: String
  ) {
    let path = { (name: String) in directory.map { "\($0)/\(name)" } ?? name }
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.output = output.map(path) ?? "/dev/null"
    self.messages = path(messages)
  }

  /// Runs the program, and kills it if it has not ended within `seconds`.
  /// - Throws: `SystemError` if it does not start.
  public func run(seconds: Double) throws(SystemError) -> End {
    let child = try start()
    var status: CInt = 0
    var waited = 0.0
    while true {
      // Without a child to wait for, its status is 0, as it was set above.
      let found = (try? calling { unsafe waitpid(child, &status, WNOHANG) }) ?? child
      if found == child { return .status(Self.code(status)) }
      guard waited < seconds else {
        kill(child, SIGKILL)
        _ = try? calling { unsafe waitpid(child, &status, 0) }
        return .tooLate
      }
      usleep(2000)
      waited += 0.002
    }
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
    // POSIX's actions cannot change the directory; coreutils' env can.
    let command = directory.map { ["/usr/bin/env", "-C", $0, executable] } ?? [executable]
    var words = unsafe (command + arguments).map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      for index in unsafe words.indices { unsafe free(words[index]) }
      for index in unsafe variables.indices { unsafe free(variables[index]) }
    }
    var child: pid_t = 0
    // It returns its error instead of setting errno.
    let code = unsafe posix_spawn(&child, command[0], &actions, nil, &words, &variables)
    guard code == 0 else { throw SystemError(executable, code: code) }
    return child
  }
}
