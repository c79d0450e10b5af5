// What the terminal behind stderr can do, and the few styles the commands use.
//
// The rules are the usual ones: no escape sequence to what is not a terminal or calls itself dumb,
// no style when NO_COLOR is set to anything (no-color.org). No terminal database: every terminal of
// the last thirty years knows the six sequences used here.

import Posix
import Synchronization

/// A place where messages are printed: how wide it is and what it understands.
public struct Terminal: Sendable {
  /// The terminal behind stderr, as the environment describes it.
  public static let standardError = Terminal(
    descriptor: StandardDescriptors.error, environment: environmentVariable)

  /// Whether it is a terminal on which a line can be replaced.
  public let canMoveCursor: Bool
  /// Whether it shows bold, dim and coloured text.
  public let isStyled: Bool

  private let descriptor: CInt
  private let declaredColumns: Int?

  init(
    descriptor: CInt, isTerminal: Bool? = nil, environment: (String) -> String?
  ) {
    let name = environment("TERM") ?? ""
    let isTerminal = isTerminal ?? OpenFile(descriptor: descriptor).isTerminal
    self.descriptor = descriptor
    canMoveCursor = isTerminal && !name.isEmpty && name != "dumb"
    isStyled = canMoveCursor && (environment("NO_COLOR") ?? "").isEmpty
    declaredColumns = environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The width in columns: what the terminal says now (a window may be resized), else COLUMNS,
  /// else 80.
  public var width: Int {
    OpenFile(descriptor: descriptor).columns ?? declaredColumns ?? 80
  }

  static let clearToEndOfLine = "\u{1B}[K"
  static let lineClear = "\r" + clearToEndOfLine

  public func bold(_ text: String) -> String { styled(text, 1) }
  public func dim(_ text: String) -> String { styled(text, 2) }
  public func red(_ text: String) -> String { styled(text, 31) }
  public func green(_ text: String) -> String { styled(text, 32) }
  public func yellow(_ text: String) -> String { styled(text, 33) }

  private func styled(_ text: String, _ code: Int) -> String {
    isStyled ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
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

// MARK: - How many terminal columns a text takes, and how to cut it to a number of them

// Names are in every script, and a moving line that is one column too long leaves a trail down the
// screen. The widths are those of Unicode's East Asian Width in broad ranges (UAX #11), which err on
// the wide side: a line cut early is harmless. C's wcwidth depends on the locale, this does not.

extension Character {
  /// The columns this character takes on a terminal: 2 for East Asian and pictographic ones, else 1.
  var columnWidth: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F000...0x3FFFD:
      return 2
    default:
      // An emoji may be an ordinary symbol followed by a selector.
      return unicodeScalars.contains("\u{FE0F}") ? 2 : 1
    }
  }
}

extension String {
  /// As many characters from the front as fit into `columns`.
  func cut(toColumns columns: Int) -> String {
    var used = 0
    return String(
      prefix { character in
        used += character.columnWidth
        return used <= columns
      })
  }
}

// MARK: - A symbol where it stands alone, so that nobody overlooks it or the mark that it would put on its neighbour

extension Unicode.Scalar {
  /// The symbol itself if it shows alone; blanks, marks and invisible ones by their number: U+00A0.
  public var visible: String {
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate,
      .privateUse, .unassigned, .nonspacingMark, .spacingMark, .enclosingMark:
      let digits = String(value, radix: 16, uppercase: true)
      return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    default: return String(self)
    }
  }
}

// MARK: - Any text as a single line that is safe to print

// Messages quote what users typed and what files hold: a line end would break the promise of one or
// two lines, an escape character would speak to the terminal, and a value of a million digits would
// scroll everything away. This is for messages; results and JSON have their own rules.

extension String {
  /// This text on one line: a stretch of blanks with a line end in it becomes one blank, other
  /// control characters are spelled out (`\u{1b}`), and what is longer than `limit` characters
  /// loses its middle, because a message has its subject in front and its reason behind.
  public func singleLine(limit: Int = 400) -> String {
    let line = joiningLines().spellingOutControls()
    guard line.count > limit else { return line }
    let half = (limit - 1) / 2
    return line.prefix(half) + "…" + line.suffix(limit - 1 - half)
  }

  private func joiningLines() -> String {
    split(whereSeparator: \.isNewline)
      .map { $0.trimming(while: \.isWhitespace) }
      .filter { !$0.isEmpty }
      .joined(separator: " ")
  }

  private func spellingOutControls() -> String {
    var line = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.properties.generalCategory == .control {
        line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        line.append(scalar)
      }
    }
    return String(line)
  }
}

extension Substring {
  fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
    var rest = drop(while: isTrimmed)
    while let last = rest.last, isTrimmed(last) { rest.removeLast() }
    return rest
  }
}

// MARK: - Command lines that are told, so that they can be pasted

/// A text as one word for the shell.
public func shellWord(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy { byte in
    byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter
      || Character(Unicode.Scalar(byte)).isNumber || "-_./+,:@%".utf8.contains(byte)
  }
  return isPlain
    ? text
    : "'"
      + text.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
}
