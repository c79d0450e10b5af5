// From the error that ended a command to what its user sees.
//
// ArgumentParser prints three or four lines for a wrong flag; here it is the first of them and a
// hint. Help, versions and completion scripts arrive as errors too, and are results: they belong on
// stdout. This computes the outcome and prints nothing, so that it can be tested without a process.

import ArgumentParser

/// How a command ends: the status, what goes to stdout and the one or two lines for stderr.
struct Outcome: Equatable {
  var status: ExitStatus
  var output = ""
  var message: String?
  var hint: String?
}

extension Outcome {
  /// The outcome of a command whose parsing or whose run ended with `error`.
  init(of error: any Error, in command: (some ParsableCommand).Type) {
    if let known = error as? any CommandFailureConvertible {
      self.init(of: known.commandFailure)
      return
    }
    let code = command.exitCode(for: error)
    let message = command.message(for: error)
    switch ExitStatus(rawValue: code.rawValue) {
    case .success:
      let text = command.fullMessage(for: error, columns: nil)
      self.init(status: .success, output: text.isEmpty || text.hasSuffix("\n") ? text : text + "\n")
    case .usage:
      self.init(status: .usage, message: message, hint: Self.hint(for: error, in: command))
    case let status:
      self.init(status: status ?? .failure, message: message.isEmpty ? nil : message)
    }
  }

  /// The outcome of a failure; that the reader of stdout is gone is told by the status alone.
  init(of failure: CommandFailure) {
    self.init(status: failure.status)
    guard failure.status != .brokenPipe else { return }
    message = failure.message
    hint = failure.advice
  }

  /// ArgumentParser names the subcommand in its last line; it is found there, not guessed.
  private static func hint(
    for error: any Error, in command: (some ParsableCommand).Type
  ) -> String {
    let lastLine = command.fullMessage(for: error, columns: nil).split(separator: "\n").last ?? ""
    let pieces = lastLine.split(separator: "'")
    let request =
      pieces.count == 3 && pieces[0] == "  See "
      ? String(pieces[1]) : "\(command._commandName) --help"
    return "See '\(request)'."
  }
}
