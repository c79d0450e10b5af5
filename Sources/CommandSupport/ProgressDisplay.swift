// How a long run shows that it is alive.
//
// On a terminal: one line that moves, at most ten times a second, and is gone at the end. Anywhere
// else (a file, a pipe, a dumb terminal): only the lines that are meant to stay. What the lines say
// is the command's business. Warnings and errors are not progress; they go to StandardError.

import Synchronization

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
