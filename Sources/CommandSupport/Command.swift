// The entry point of every command.
//
// A command declares its flags and implements `run()` with `throws`; a program calls its `main()`.
// Parsing, messages, exit statuses and the last check of stdout happen here. Commands may have
// subcommands, which are ordinary ParsableCommands. Nothing is asynchronous.

import ArgumentParser
public import CharMLP
import Posix

/// A command whose errors end in one or two lines and in an `ExitStatus`.
///
/// `run()` throws `CommandFailure` for what went wrong in the world, ArgumentParser's
/// `ValidationError` for flags that do not fit together; `validate()` throws only the latter.
/// Results are written to `StandardOutput.shared`, which is flushed at the end.
public protocol Command: ParsableCommand {
  /// The process's arguments in the order in which they are parsed.
  static func reordered(_ arguments: [String]) throws -> [String]

  /// What the user may have meant by a first word that is not a subcommand, as typed after the
  /// command; nil if nothing is likely.
  static func suggestion(forUnknown word: String) -> String?
}

extension Command {
  public static func reordered(_ arguments: [String]) throws -> [String] { arguments }

  public static func suggestion(forUnknown word: String) -> String? { nil }

  /// Runs the command with the process's own arguments, and exits.
  public static func main() {
    main(nil)
  }

  /// Runs the command with `arguments`, or the process's own, and exits.
  public static func main(_ arguments: [String]?) {
    StandardDescriptors.takeMissing()
    settleSignals()
    keepOwnersPermissions()
    StandardError.shared.setCommandName(_commandName)
    allowForNarrowTerminals()
    Host.requireStack()
    AddressSpace.requireRoomForBLAS()
    exitProcess(outcome(arguments).report().rawValue)
  }

  /// A write that fails comes back as an error instead of ending the process, since a training run
  /// must outlive the reader of its output and a limit on file sizes. SIGQUIT ends it without a
  /// backtrace, unless it is a background job. For SIGINT and the like, see Interruption.
  private static func settleSignals() {
    Signal.brokenPipe.ignore()
    Signal.fileTooLarge.ignore()
    if !Signal.quit.isIgnored { Signal.quit.restoreDefault() }
  }

  /// ArgumentParser traps when it has fewer than 27 columns for help, so it is told of 40.
  private static func allowForNarrowTerminals() {
    let declared = environmentVariable("COLUMNS").flatMap { Int($0) }
    let output = OpenFile(descriptor: StandardDescriptors.output)
    if let columns = declared ?? output.columns, columns < 40 {
      setEnvironmentVariable("COLUMNS", "40")
    }
  }

  private static func outcome(_ arguments: [String]?) -> Outcome {
    var words: [String] = []
    do {
      words = try arguments ?? reordered(CommandLineWords.arguments())
      try requireSubcommand(words)
      var command = try parsed(words)
      try command.run()
      return Outcome(status: .success)
    } catch {
      return Outcome(of: error, in: Self.self, arguments: words)
    }
  }

  /// The command that arguments ask for. A value may begin with a hyphen; a flag may not be given
  /// twice.
  static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    do {
      let command = try parseAsRoot(arguments)
      if ParsedCommandLine.mayRepeat(arguments) {
        try ParsedCommandLine(arguments, of: DeclaredCommand(Self.self)).requireEachOnce()
      }
      return command
    } catch  where exitCode(for: error).rawValue == ExitStatus.usage.rawValue {
      let joined = ParsedCommandLine(arguments, of: DeclaredCommand(Self.self)).joined
      guard joined != arguments else { throw error }
      return try parsed(joined)
    }
  }
}

// MARK: - The words that the process was started with

// Swift reads them from /proc, and finds none where that is not mounted: `train --version` would
// train. Bytes that are not UTF-8 would become U+FFFD, and so name another file.

enum CommandLineWords {
  /// The words after the program's name.
  /// - Throws: `CommandFailure`: 69 if not even the name is there, 66 for a word that is not UTF-8.
  static func arguments(of words: [[UInt8]] = processArgumentBytes()) throws(CommandFailure)
    -> [String]
  {
    guard !words.isEmpty else {
      throw CommandFailure(
        .unavailable, "the command line cannot be read",
        advice: "Mount /proc.")
    }
    var arguments: [String] = []
    for (number, word) in words.enumerated().dropFirst() {
      guard let argument = String(validating: word, as: UTF8.self) else {
        throw CommandFailure(
          .noInput, "argument \(number) is not UTF-8: \(String(decoding: word, as: UTF8.self))",
          advice: "Give the file a name in UTF-8.")
      }
      arguments.append(argument)
    }
    return arguments
  }
}

extension Outcome {
  /// Writes the rest of stdout, then the message, and returns the status to exit with. A failure to
  /// write stdout counts only if nothing failed before.
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
    if let message { StandardError.shared.note(message) }
    if let hint { StandardError.shared.writeLine(hint) }
    return status
  }
}

// MARK: - Failures
//
// A status for scripts and one or two lines for people.
//
// The first line says what was expected and what was found, the second what to do about it. The
// command's name is not part of it; whoever prints the failure puts that in front. Flags that do
// not fit together are ArgumentParser's ValidationError, not this.

/// A failure in words for people, with the status to exit with.
public struct CommandFailure: Error, Equatable, CustomStringConvertible {
  /// The status the process exits with.
  public var status: ExitStatus
  /// What went wrong, beginning with the file or the flag it is about: `names.txt:17: …`.
  public var message: String
  /// What to do about it, as a sentence of its own.
  public var advice: String?

  /// Creates a failure; line ends in `message` or `advice` become blanks when it is printed.
  public init(_ status: ExitStatus, _ message: String, advice: String? = nil) {
    self.status = status
    self.message = message
    self.advice = advice
  }

  public var description: String { message }
}

/// An error that knows how it should be reported.
///
/// The library's errors know nothing of exit statuses; a command says here which one they mean:
/// `extension WordListError: @retroactive CommandFailureConvertible { … }`.
public protocol CommandFailureConvertible: Error {
  var commandFailure: CommandFailure { get }
}

extension CommandFailure: CommandFailureConvertible {
  public var commandFailure: CommandFailure { self }
}

// MARK: - How a command ended, as the number its caller sees

// The numbers from 64 to 76 are those of BSD's <sysexits.h>, so that a script can tell a wrong flag
// from a full disk without reading the message; 128 + n is what a shell reports for a program that
// signal n ended. This is only the list: CommandFailure carries one to the place that exits.

/// The exit statuses of all commands.
public enum ExitStatus: Int32, CaseIterable, Sendable {
  case success = 0
  /// A failure that none of the others describes.
  case failure = 1
  /// A flag or a value that the command does not take (EX_USAGE).
  case usage = 64
  /// Input that was read and is not what it should be (EX_DATAERR).
  case badData = 65
  /// Input that is missing or cannot be read (EX_NOINPUT).
  case noInput = 66
  /// Something that this machine or this build does not offer (EX_UNAVAILABLE).
  case unavailable = 69
  /// The loss is no longer finite (EX_SOFTWARE).
  case diverged = 70
  /// More memory, threads or files than the machine gives (EX_OSERR).
  case resources = 71
  /// Output that cannot be created, or whose place is taken (EX_CANTCREAT).
  case cannotCreate = 73
  /// Reading or writing that failed midway (EX_IOERR).
  case inputOutput = 74
  /// Another process is at work in the same place (EX_TEMPFAIL: try again later).
  case locked = 75
  /// A checkpoint of another architecture or a newer version (EX_PROTOCOL).
  case incompatible = 76
  /// 128 + SIGHUP: the terminal is gone.
  case hungUp = 129
  /// 128 + SIGINT.
  case interrupted = 130
  /// 128 + SIGPIPE: the reader of the results is gone. Reported by the status alone.
  case brokenPipe = 141
  /// 128 + SIGTERM.
  case terminated = 143
  /// 128 + SIGXCPU: the limit on processor time is reached.
  case processorTimeSpent = 152
}

// MARK: - From the error that ended a command to what its user sees

// ArgumentParser prints three or four lines for a wrong flag; here it is the first of them and a
// hint. Help, versions and completion scripts arrive as errors too, and are results: they belong on
// stdout. This computes the outcome and prints nothing, so that it can be tested without a process.

/// How a command ends: the status, what goes to stdout and the one or two lines for stderr.
struct Outcome: Equatable {
  var status: ExitStatus
  var output = ""
  var message: String?
  var hint: String?
}

extension Outcome {
  /// The outcome of a command whose parsing or whose run ended with `error`.
  init(
    of error: any Error, in command: (some ParsableCommand).Type, arguments: [String] = []
  ) {
    if let known = error as? any CommandFailureConvertible {
      self.init(of: known.commandFailure)
      return
    }
    let code = command.exitCode(for: error)
    let message = command.message(for: error)
    switch ExitStatus(rawValue: code.rawValue) {
    case .success:
      var text = command.fullMessage(for: error, columns: nil)
      if text == version { text = Program.description(of: command._commandName) }
      self.init(status: .success, output: text.isEmpty || text.hasSuffix("\n") ? text : text + "\n")
    case .usage:
      let line = ParsedCommandLine(arguments, of: DeclaredCommand(command))
      self.init(
        status: .usage, message: Self.explained(message, line),
        hint: "See '\(line.path.joined(separator: " ")) --help'.")
    case let status:
      self.init(status: status ?? .failure, message: message.isEmpty ? nil : message)
    }
  }

  /// The outcome of a failure; for a reader of stdout that is gone, the status alone.
  init(of failure: CommandFailure) {
    self.init(status: failure.status)
    guard failure.status != .brokenPipe else { return }
    message = failure.message
    hint = failure.advice
  }

  /// ArgumentParser's message, with what was meant or how to write it in place of its own
  /// suggestion, which is whatever flag looks similar.
  private static func explained(_ message: String, _ line: ParsedCommandLine) -> String {
    let quoted = message.pieces(separatedBy: UInt8(ascii: "'")).dropFirst().first.map(String.init)
    let advice: String?
    if let quoted, message.begins(with: "Unknown option ") {
      let unknown = "Unknown option '\(quoted)'"
      if let flag = line.suggestion(for: quoted) { return unknown + ". Did you mean '\(flag)'?" }
      return (line.explanation(of: quoted) ?? line.adviceOnWords).map { "\(unknown); \($0)" }
        ?? unknown
    } else if let quoted, message.begins(with: "Unexpected argument ") {
      let flag = quoted.ends(with: ".safetensors") ? "--reference" : "--data"
      advice = line.flag(flag).map { _ in "to read the file, write:  \(flag) \(shellWord(quoted))" }
    } else if let quoted, message.begins(with: "Missing value ") {
      let flag = quoted.pieces(separatedBy: UInt8(ascii: " ")).first.map(String.init)
      advice = line.adviceOnValue(of: flag ?? "")
    } else if message.begins(with: "Missing expected argument ") {
      advice = line.adviceOnWords
    } else {
      advice = nil
    }
    return message + (advice.map { "; " + $0 } ?? "")
  }
}

// MARK: - Which exit status the library's errors mean

// The library knows nothing of exit statuses; all commands read them here, so that one mistake has
// one status whichever command meets it.

extension WordListError {
  /// The failure as it is reported for a list that came from `source`.
  /// - Parameter line: The shell command that reads the list as it should be, if there is one.
  public func commandFailure(in source: String, instead line: String? = nil) -> CommandFailure {
    let status: ExitStatus =
      switch kind {
      case .noInput: .noInput
      case .badData: .badData
      case .inputOutput: .inputOutput
      }
    return CommandFailure(
      status, message(in: source, withRemedy: line == nil), advice: line.map { "Try:  " + $0 })
  }
}

extension DatasetError {
  /// The failure as it is reported for a list that came from `source`.
  public func commandFailure(in source: String) -> CommandFailure {
    switch self {
    case .tooFewWords, .emptyPart, .blockSize: CommandFailure(.badData, "\(source): \(self)")
    case .tooLarge: CommandFailure(.resources, "\(source): \(self)")
    }
  }
}

extension Dataset {
  /// A data set that fits into the memory.
  /// - Throws: `CommandFailure`, which calls the list `name`: 65 if it is too small, 71 if it is
  ///   too large.
  package init(
    _ words: WordList, _ recipe: Recipe, named name: String,
    communicator: (any Communicator)? = nil
  ) throws(CommandFailure) {
    do throws(DatasetError) {
      try self.init(
        words, recipe, communicator: communicator, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: name)
    }
  }
}

extension ModelFileError {
  /// The failure as it is reported for a model that came from `path`.
  /// - Parameter bytes: The file, whose format is named if it is not a model.
  public func commandFailure(in path: String, of bytes: [UInt8] = []) -> CommandFailure {
    if case .notSafetensors(let error) = self,
      let kind = FileFormat.name(ofFileStartingWith: bytes)
    {
      return CommandFailure(.badData, "\(path): \(error.problem(of: "a model file", in: kind))")
    }
    return CommandFailure(isIncompatible ? .incompatible : .badData, "\(path): \(self)")
  }
}

extension Divergence: CommandFailureConvertible {
  public var commandFailure: CommandFailure { CommandFailure(.diverged, description) }
}

extension RecipeError: CommandFailureConvertible {
  public var commandFailure: CommandFailure { CommandFailure(.usage, description) }
}

extension SamplingError: CommandFailureConvertible {
  public var commandFailure: CommandFailure {
    switch self {
    case .searchTooLarge, .searchTooLong: CommandFailure(.resources, description)
    case .exhausted, .budgetSpent, .tooRare: CommandFailure(.unavailable, description)
    }
  }
}
