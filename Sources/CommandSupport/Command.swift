// The entry point of every command.
//
// A command declares its flags, implements `run()` with `throws`, and is marked @main; parsing,
// messages, exit statuses and the last check of stdout happen here. Commands may have subcommands,
// which are ordinary ParsableCommands. Nothing is asynchronous.

import ArgumentParser
import Glibc

/// A command whose errors end in one or two lines and in an `ExitStatus`.
///
/// `run()` throws `CommandFailure` for what went wrong in the world, ArgumentParser's
/// `ValidationError` for flags that do not fit together; `validate()` throws only the latter.
/// Results are written to `StandardOutput.shared`, which is flushed at the end.
public protocol Command: ParsableCommand {}

extension Command {
  /// Runs the command with the process's own arguments, and exits.
  public static func main() {
    main(nil)
  }

  /// Runs the command with `arguments`, or the process's own, and exits.
  public static func main(_ arguments: [String]?) {
    StandardDescriptors.takeMissing()
    Signals.reportFailedWritesAsErrors()
    StandardError.shared.setCommandName(_commandName)
    StackSpace.requireEnough()
    AddressSpace.requireRoomForBLAS()
    let arguments = arguments ?? Array(CommandLine.arguments.dropFirst())
    Glibc.exit(outcome(arguments).report().rawValue)
  }

  private static func outcome(_ arguments: [String]) -> Outcome {
    do {
      var command = try parseAsRoot(joiningNegativeNumbers(arguments))
      try command.run()
      return Outcome(status: .success)
    } catch {
      return Outcome(of: error, in: Self.self)
    }
  }
}

extension Outcome {
  /// Writes what is left for stdout, then the message, and gives the status to exit with: that of a
  /// failing stdout only if nothing failed before.
  fileprivate func report() -> ExitStatus {
    do throws(CommandFailure) {
      try StandardOutput.shared.write(output)
      try StandardOutput.shared.close()
    } catch {
      if status == .success { return Outcome(of: error).reportMessage() }
    }
    return reportMessage()
  }

  private func reportMessage() -> ExitStatus {
    StandardError.shared.clearMovingLine()
    if let message { StandardError.shared.report(message) }
    if let hint { StandardError.shared.writeLine(hint.singleLine()) }
    return status
  }
}
