// What the terminal behind stderr can do, and the few styles the commands use.
//
// The rules are the usual ones: no escape sequence to what is not a terminal or calls itself dumb,
// no style when NO_COLOR is set to anything (no-color.org). No terminal database: every terminal of
// the last thirty years knows the six sequences used here.

import Glibc

/// A place where messages are printed: how wide it is and what it understands.
public struct Terminal: Sendable {
  /// The terminal behind stderr, as the environment describes it.
  public static let standardError = Terminal(
    descriptor: STDERR_FILENO, environment: OperatingSystem.environment)

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
    let isTerminal = isTerminal ?? OperatingSystem.isTerminal(descriptor)
    self.descriptor = descriptor
    canMoveCursor = isTerminal && !name.isEmpty && name != "dumb"
    isStyled = canMoveCursor && (environment("NO_COLOR") ?? "").isEmpty
    declaredColumns = environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The width in columns: what the terminal says now (a window may be resized), else COLUMNS,
  /// else 80.
  public var width: Int {
    OperatingSystem.columns(of: descriptor) ?? declaredColumns ?? 80
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
