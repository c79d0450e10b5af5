// Everything a command prints: results on stdout; progress, warnings and errors on stderr.
//
// Swift's `print` says nothing when stdout is full or closed: a command would end with status 0 and
// half its results. Here every byte of a result is accounted for, and a failure is thrown. A file
// or a pipe is written in large pieces, a terminal line by line. On stderr nothing throws: when it
// is closed there is nobody left to tell.

import OrderedJSON
import Posix
import Synchronization

// MARK: - Results on stdout

/// Checked, buffered writing of results. All of it throws as `flush()` does, if it has to write.
public final class StandardOutput: Sendable {
  /// The process's stdout.
  public static let shared = StandardOutput(descriptor: StandardDescriptors.output)

  private let descriptor: CInt
  /// Whether people see at once what is written.
  public let isTerminal: Bool
  /// The width of its lines: the terminal's, and 80 elsewhere.
  public var columns: Int { isTerminal ? OpenFile(descriptor: descriptor).columns ?? 80 : 80 }
  private let buffer = Mutex<[UInt8]>([])

  /// Above this many bytes the buffer is written.
  private static let capacity = 1 << 16

  init(descriptor: CInt) {
    self.descriptor = descriptor
    self.isTerminal = OpenFile(descriptor: descriptor).isTerminal
  }

  /// Appends `text` to the output, with no line end of its own.
  public func write(_ text: String) throws(CommandFailure) { try write(text.utf8) }

  /// Appends text that is UTF-8 already.
  public func write(_ text: some Collection<UInt8>) throws(CommandFailure) {
    let isDue = buffer.withLock { bytes in
      bytes.append(contentsOf: text)
      return bytes.count >= Self.capacity || (isTerminal && bytes.contains(UInt8(ascii: "\n")))
    }
    if isDue { try flush() }
  }

  /// Appends `text` and a line end.
  public func writeLine(_ text: String) throws(CommandFailure) { try write(text + "\n") }

  /// Writes a result: one object of JSON on a line, or text as it is.
  package func write(
    _ text: @autoclosure () -> String, orJSON json: @autoclosure () -> JSONValue, if isJSON: Bool
  ) throws(CommandFailure) {
    try write(isJSON ? json().encoded() + "\n" : text())
  }

  /// Hands everything written so far to the operating system.
  /// - Throws: `CommandFailure`: `.inputOutput` if stdout is closed, full or broken, `.brokenPipe`
  ///   if its reader is gone. What could not be written is dropped, so that no later call repeats
  ///   the failure.
  public func flush() throws(CommandFailure) {
    do throws(SystemError) {
      try buffer.withLock { bytes throws(SystemError) in
        defer { bytes.removeAll(keepingCapacity: true) }
        if bytes.isEmpty { return }
        if isTerminal { StandardError.shared.clearMovingLine() }
        try OpenFile(descriptor: descriptor).write(bytes.span)
      }
    } catch {
      throw Self.failure(error)
    }
  }

  /// Flushes and closes: some file systems report a full disk only then.
  /// A stdout that was never open is no failure as long as nothing was written.
  func close() throws(CommandFailure) {
    try flush()
    do throws(SystemError) { try OpenFile(descriptor: descriptor).close() } catch {
      if !error.isBadDescriptor { throw Self.failure(error) }
    }
  }

  private static func failure(_ error: SystemError) -> CommandFailure {
    if error.isBrokenPipe { return CommandFailure(.brokenPipe, "stdout: \(error)") }
    let reason = error.isBadDescriptor ? "closed (\(error))" : "\(error)"
    return CommandFailure(.inputOutput, "stdout: \(reason)")
  }
}

// MARK: - Progress, warnings and errors go to stderr through here

// Nothing here throws or traps: when stderr is closed there is nobody left to tell. The one thing
// it remembers is whether a moving line is on the terminal, so that whatever is printed next,
// also on stdout, takes its place instead of being glued to its end. How often a line may move is
// ProgressDisplay's business.

/// Unchecked writing of messages, a whole line at a time.
public final class StandardError: Sendable {
  /// The process's stderr.
  public static let shared = StandardError(
    descriptor: StandardDescriptors.error, terminal: .standardError)

  /// The terminal behind it, if it is one.
  public let terminal: Terminal

  private struct State {
    var commandName: String?
    var hasMovingLine = false
  }

  private let descriptor: CInt
  private let state = Mutex(State())

  init(descriptor: CInt, terminal: Terminal) {
    self.descriptor = descriptor
    self.terminal = terminal
  }

  /// The name that stands before warnings and errors.
  func setCommandName(_ name: String) {
    state.withLock { $0.commandName = name }
  }

  /// Prints `text` as one line, with hidden characters spelled out. On a terminal it is wrapped at
  /// blanks, so that no word is broken; a file or a pipe gets one line.
  public func writeLine(_ text: String) { writeLine(text, after: "") }

  private func writeLine(_ text: String, after prefix: String) {
    let text = text.shownPath
    let lines =
      terminal.isTerminal
      ? Format.wrapped(text, after: prefix, columns: terminal.width) : [prefix + text]
    state.withLock { state in
      let clearing = state.hasMovingLine ? Terminal.lineClear : ""
      state.hasMovingLine = false
      put(clearing + lines.map { $0 + "\n" }.joined())
    }
  }

  /// Prints `train: warning: …`, also for a command that was told to be quiet.
  public func warn(_ message: String) { report(message, after: "warning: ") }

  /// Prints `sample: …`: an error, or something worth knowing that is not a problem.
  public func note(_ message: String) { report(message, after: "") }

  private func report(_ message: String, after kind: String) {
    let name = state.withLock { $0.commandName.map { $0 + ": " } ?? "" }
    writeLine(message.singleLine(), after: (name + kind).shownPath)
  }

  /// Replaces the moving line. Only for terminals that can take it back.
  func showMovingLine(_ text: String) {
    // A terminal wraps what fills its last column, and a wrapped line cannot be taken back.
    let line = text.singleLine().cut(toColumns: terminal.width - 1)
    state.withLock { state in
      state.hasMovingLine = true
      put("\r" + line + Terminal.clearToEndOfLine)
    }
  }

  /// Takes the moving line away, if there is one.
  func clearMovingLine() {
    state.withLock { state in
      guard state.hasMovingLine else { return }
      state.hasMovingLine = false
      put(Terminal.lineClear)
    }
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    try? OpenFile(descriptor: descriptor).write(bytes.span)
  }
}

/// A place where messages are printed: how wide it is and what it understands.
public struct Terminal: Sendable {
  /// The terminal behind stderr, as the environment describes it.
  public static let standardError = Terminal(
    descriptor: StandardDescriptors.error, environment: environmentVariable)

  /// Whether it is a terminal on which a line can be replaced.
  public let canMoveCursor: Bool
  /// Whether it is a terminal at all.
  let isTerminal: Bool

  private let descriptor: CInt
  private let declaredColumns: Int?

  init(
    descriptor: CInt, isTerminal: Bool? = nil, environment: (String) -> String?
  ) {
    let name = environment("TERM") ?? ""
    let isTerminal = isTerminal ?? OpenFile(descriptor: descriptor).isTerminal
    (self.descriptor, self.isTerminal) = (descriptor, isTerminal)
    canMoveCursor = isTerminal && !name.isEmpty && name != "dumb"
    declaredColumns = environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The width in columns: what the terminal says now (a window may be resized), else COLUMNS,
  /// else 80.
  public var width: Int {
    OpenFile(descriptor: descriptor).columns ?? declaredColumns ?? 80
  }

  static let clearToEndOfLine = "\u{1B}[K"
  static let lineClear = "\r" + clearToEndOfLine
}

// MARK: - How a long run shows that it is alive

// On a terminal: one line that moves, at most ten times a second, and is gone at the end. Anywhere
// else (a file, a pipe, a dumb terminal): only the lines that are meant to stay. What the lines say
// is the command's business. Warnings and errors are not progress; they go to StandardError.

/// Lines about the work, silenced by `--quiet`.
public final class ProgressDisplay: Sendable {
  private let output: StandardError
  private let isQuiet: Bool
  private let interval: Duration
  private let lastUpdate = Mutex<ContinuousClock.Instant?>(nil)
  private let start = ContinuousClock.now
  /// When the next line is due where none can move.
  private let nextReport: Mutex<Duration>

  /// Progress on stderr, or none at all if `isQuiet`.
  public convenience init(isQuiet: Bool) {
    self.init(isQuiet: isQuiet, output: .shared, interval: .milliseconds(100))
  }

  init(
    isQuiet: Bool, output: StandardError, interval: Duration,
    firstReport: Duration = .seconds(5)
  ) {
    self.output = output
    self.isQuiet = isQuiet
    self.interval = interval
    nextReport = Mutex(firstReport)
  }

  /// The width of its lines.
  public var columns: Int { output.terminal.width }

  /// Prints a line that stays.
  public func line(_ text: @autoclosure () -> String) {
    if !isQuiet { output.writeLine(text()) }
  }

  /// Replaces the moving line, unless it moved less than `interval` ago. `text` is not evaluated
  /// when nothing is shown. It is cut to the terminal's width, so escape sequences do not belong in
  /// it.
  public func update(_ text: @autoclosure () -> String) {
    guard !isQuiet, output.terminal.canMoveCursor, isDue() else { return }
    output.showMovingLine(text())
  }

  /// Shows the progress of work that prints no lines of its own: as `update` on a terminal;
  /// elsewhere with a line that stays, after five seconds, ten, twenty and so on.
  public func report(_ text: @autoclosure () -> String) {
    if output.terminal.canMoveCursor { return update(text()) }
    let passed = ContinuousClock.now - start
    let isDue = nextReport.withLock { next in
      guard passed >= next else { return false }
      while next <= passed { next *= 2 }
      return true
    }
    if isDue, !isQuiet { output.note(text()) }
  }

  /// Takes the moving line away.
  public func finish() {
    output.clearMovingLine()
  }

  private func isDue() -> Bool {
    let now = ContinuousClock.now
    return lastUpdate.withLock { last in
      if let last, now - last < interval { return false }
      last = now
      return true
    }
  }
}
