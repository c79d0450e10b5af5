// Results go to stdout through here, and through nothing else.
//
// Swift's `print` says nothing when stdout is full or closed: a command would end with status 0 and
// half its results. Here every byte is accounted for, and a failure is thrown. A file or a pipe is
// written in large pieces, a terminal line by line. For messages about the work: StandardError.

import Posix
import Synchronization

/// Checked, buffered writing of results.
public final class StandardOutput: Sendable {
  /// The process's stdout.
  public static let shared = StandardOutput(descriptor: StandardDescriptors.output)

  private let descriptor: CInt
  /// Whether people see at once what is written.
  public let isTerminal: Bool
  private let buffer = Mutex<[UInt8]>([])

  /// Above this many bytes the buffer is written.
  private static let capacity = 1 << 16

  init(descriptor: CInt) {
    self.descriptor = descriptor
    self.isTerminal = OpenFile(descriptor: descriptor).isTerminal
  }

  /// Appends `text` to the output, with no line end of its own.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func write(_ text: String) throws(CommandFailure) { try append(text.utf8) }

  /// Appends text that is UTF-8 already.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func write(_ text: [UInt8]) throws(CommandFailure) { try append(text) }

  private func append(_ text: some Collection<UInt8>) throws(CommandFailure) {
    let isDue = buffer.withLock { bytes in
      bytes.append(contentsOf: text)
      return bytes.count >= Self.capacity || (isTerminal && bytes.contains(UInt8(ascii: "\n")))
    }
    if isDue { try flush() }
  }

  /// Appends `text` and a line end.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func writeLine(_ text: String) throws(CommandFailure) {
    try write(text + "\n")
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
  /// - Throws: `CommandFailure` as `flush()` does. A stdout that was never open is no failure as
  ///   long as nothing was written.
  func close() throws(CommandFailure) {
    try flush()
    do throws(SystemError) {
      try OpenFile(descriptor: descriptor).close()
    } catch {
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

// Nothing here throws or traps: when stderr is closed there is nobody left to tell. The one thing it
// remembers is whether a moving line stands on the terminal, so that whatever is printed next, also
// on stdout, takes its place instead of being glued to its end. How often a line may move is
// ProgressDisplay's business.

/// Unchecked writing of messages, a whole line at a time.
public final class StandardError: Sendable {
  /// The process's stderr.
  public static let shared = StandardError(
    descriptor: StandardDescriptors.error, terminal: .standardError)

  /// The terminal behind it, or what stands for one.
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

  /// Prints `text` as one line, in which nothing is hidden.
  public func writeLine(_ text: String) {
    let text = text.shownPath
    state.withLock { state in
      let clearing = state.hasMovingLine ? Terminal.lineClear : ""
      state.hasMovingLine = false
      put(clearing + text + "\n")
    }
  }

  /// Prints `train: warning: …`, also for a command that was told to be quiet.
  public func warn(_ message: String) {
    report("warning: " + message)
  }

  /// Prints `sample: …`: something to know that is no reason to worry.
  public func note(_ message: String) { report(message) }

  /// Prints `train: …` on one line.
  func report(_ message: String) {
    let prefix = state.withLock { $0.commandName.map { $0 + ": " } ?? "" }
    writeLine(prefix + message.singleLine())
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

  /// Takes the moving line away, if one stands.
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
