// What the terminal behind stderr can do.
//
// No escape sequence goes to what is not a terminal or calls itself dumb. Nothing is coloured, so NO_COLOR has
// nothing to turn off. No terminal database: every terminal of the last thirty years knows the two sequences
// used here.

import Posix
import Synchronization

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

  /// Progress on stderr, or none at all if `isQuiet`.
  public convenience init(isQuiet: Bool) {
    self.init(isQuiet: isQuiet, output: .shared, interval: .milliseconds(100))
  }

  init(isQuiet: Bool, output: StandardError, interval: Duration) {
    self.output = output
    self.isQuiet = isQuiet
    self.interval = interval
  }

  /// The width of its lines.
  public var columns: Int { output.terminal.width }

  /// Prints a line that stays.
  public func line(_ text: @autoclosure () -> String) {
    if !isQuiet { output.writeLine(text()) }
  }

  /// Replaces the moving line, unless the last one is too young. `text` is not evaluated when
  /// nothing is shown, and is cut to the terminal's width; styles do not belong in it.
  public func update(_ text: @autoclosure () -> String) {
    guard !isQuiet, output.terminal.canMoveCursor, isDue() else { return }
    output.showMovingLine(text())
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
