// Progress, warnings and errors go to stderr through here.
//
// Nothing here throws or traps: when stderr is closed there is nobody left to tell. The one thing it
// remembers is whether a moving line stands on the terminal, so that whatever is printed next, also
// on stdout, takes its place instead of being glued to its end. How often a line may move is
// ProgressDisplay's business.

import Glibc
import Synchronization

/// Unchecked writing of messages, a whole line at a time.
public final class StandardError: Sendable {
  /// The process's stderr.
  public static let shared = StandardError(
    descriptor: STDERR_FILENO, terminal: .standardError)

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

  /// Prints `text` and a line end.
  public func writeLine(_ text: String) {
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
    try? OperatingSystem.write(bytes.span, to: descriptor)
  }
}
