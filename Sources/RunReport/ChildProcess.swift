// Another program, started and waited for: what is needed of it to draw charts.
//
// It is POSIX's posix_spawn, because Foundation's Process would bring all of Foundation into every `train`.
// Every pointer of this module lives in this file.

import Glibc

/// A program that runs in a directory, reads nothing, and writes its messages to a file there.
struct ChildProcess {
  /// How a program ended.
  enum End: Equatable {
    case status(CInt)
    case tooLate
  }

  let executable: String
  let arguments: [String]
  let environment: [String]
  let directory: String
  /// The name of the file, in the directory, that stderr goes to.
  let messages: String

  /// Runs the program; who does not end within `seconds` is killed.
  /// - Throws: `Failure` if it does not start.
  func run(seconds: Double) throws(Failure) -> End {
    let child = try start()
    var waited = 0.0
    while true {
      var status: CInt = 0
      let found = unsafe waitpid(child, &status, WNOHANG)
      if found == child || (found < 0 && errno != EINTR) { return .status(Self.code(status)) }
      guard waited < seconds else {
        kill(child, SIGKILL)
        _ = unsafe waitpid(child, &status, 0)
        return .tooLate
      }
      usleep(2000)
      waited += 0.002
    }
  }

  /// An exit code, or 128 and the signal that ended the program.
  private static func code(_ status: CInt) -> CInt {
    status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
  }

  private func start() throws(Failure) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions, 2, directory + "/" + messages, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // POSIX's actions cannot change the directory; coreutils' env can.
    let env = "/usr/bin/env"
    var words =
      unsafe ([env, "-C", directory, executable] + arguments).map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      for index in unsafe words.indices { unsafe free(words[index]) }
      for index in unsafe variables.indices { unsafe free(variables[index]) }
    }
    var child: pid_t = 0
    let code = unsafe posix_spawn(&child, env, &actions, nil, &words, &variables)
    guard code == 0 else { throw Failure(code: code) }
    return child
  }

  /// Why a program did not start: errno.
  struct Failure: Error, Equatable {
    let code: CInt
  }
}
