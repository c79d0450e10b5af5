// Text from users, made safe to print: on one line, bounded, with nothing hidden in it.
//
// Messages quote what users typed and what files hold. A line end would break the promise of one or
// two lines, an escape character would speak to the terminal, a direction mark would turn a line
// around, and a value of a million digits, or a letter under a million accents, would scroll
// everything away. Whatever is printed for people goes through `singleLine`. What is printed for
// programs (JSON, words a line) has rules of its own.

import CharMLP
import Posix

extension String {
  /// This text on one line: a stretch of blanks with a line end in it becomes one blank, characters
  /// that do not show are spelled out (`\u{1b}`), and what takes more than `limit` columns, or four
  /// bytes for each of them, loses its middle, because a message has its subject in front and its
  /// reason behind.
  public func singleLine(limit: Int = 400) -> String {
    joiningLines().spellingOutHidden().withoutMiddle(limit: limit)
  }

  /// As much room as a path needs that the system takes, each of its bytes spelled out.
  static let pathLimit = 1 << 15

  /// This path, or a text with one, on one line: never cut, since the system limits its length.
  public var shownPath: String { singleLine(limit: Self.pathLimit) }

  private func joiningLines() -> String {
    let lines = unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: \.isLineEnd)
    guard lines.count > 1 else { return self }
    let pieces = lines.enumerated().map { index, line in
      var piece = line
      if index > 0 { piece = piece.drop(while: \.properties.isWhitespace) }
      if index < lines.count - 1 {
        while let last = piece.last, last.properties.isWhitespace { piece.removeLast() }
      }
      return String(piece)
    }
    return pieces.filter { !$0.isEmpty }.joined(separator: " ")
  }

  private func spellingOutHidden() -> String {
    guard unicodeScalars.contains(where: \.isHidden) else { return self }
    var line = ""
    for scalar in unicodeScalars {
      if scalar.isHidden {
        line += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  private func withoutMiddle(limit: Int) -> String {
    guard utf8.count > limit else { return self }
    guard columnCount > limit || utf8.count > 4 * limit else { return self }
    let half = (limit - 1) / 2
    let front = Self.prefix(of: unicodeScalars, half)
    let back = Self.prefix(of: unicodeScalars.reversed(), limit - 1 - half)
    return String(String.UnicodeScalarView(front)) + "…"
      + String(String.UnicodeScalarView(back.reversed()))
  }

  /// The first scalars that fit into so many columns and four times as many bytes.
  private static func prefix(
    of scalars: some Sequence<Unicode.Scalar>, _ columns: Int
  ) -> [Unicode.Scalar] {
    var (taken, bytes, found) = (0, 0, [Unicode.Scalar]())
    for scalar in scalars {
      taken += scalar.columnCount
      bytes += UTF8.width(scalar)
      if taken > columns || bytes > 4 * columns { break }
      found.append(scalar)
    }
    return found
  }
}

extension Unicode.Scalar {
  fileprivate var isLineEnd: Bool {
    switch value {
    case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// Whether it does something to a terminal or a line instead of showing: controls, line ends,
  /// direction marks and other format characters. The joiners of Persian, of Indian scripts and of
  /// emoji stay.
  var isHidden: Bool {
    if value >= 0x20, value < 0x7F { return false }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    case .format: return value != 0x200C && value != 0x200D
    default: return false
    }
  }

  /// The symbol itself if it shows alone; blanks, marks, the parts of a syllable that follow its
  /// first one, and invisible ones by their number: U+00A0.
  ///
  /// For a symbol that stands alone: it should be seen, and put no mark on its neighbour.
  public var visible: String { showsAlone ? String(self) : codePoint }

  private var showsAlone: Bool {
    if isLaterJamo || isBlankOfBraille || properties.isDefaultIgnorableCodePoint { return false }
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate,
      .privateUse, .unassigned, .nonspacingMark, .spacingMark, .enclosingMark:
      return false
    default: return true
    }
  }

  /// A vowel or a last consonant of Hangul, which joins the consonant before it.
  fileprivate var isLaterJamo: Bool {
    (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value)
  }

  private var isBlankOfBraille: Bool { value == 0x2800 }
}

// MARK: - Columns

// Names are in every script, and a moving line that is one column too long leaves a trail down the
// screen. The widths are those of Unicode's East Asian Width in broad ranges (UAX #11), which err
// on the wide side: a line cut early is harmless. C's wcwidth depends on the locale, this does not.

extension Unicode.Scalar {
  /// The columns that it adds on a terminal: 2 for East Asian and pictographic ones, 0 for marks
  /// and what joins the character before it, else 1.
  fileprivate var columnCount: Int {
    if value < 0x300 { return 1 }
    switch value {
    // An emoji may be an ordinary symbol followed by this selector, which makes it wide.
    case 0xFE0F: return 1
    // Fillers of Hangul, which are letters.
    case 0x3164, 0xFFA0: return 0
    default: break
    }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: if isLaterJamo { return 0 }
    }
    switch value {
    case 0x1100...0x115F, 0x2E80...0x302F, 0x3030...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F000...0x3FFFD:
      return 2
    default: return properties.isEmojiPresentation ? 2 : 1
    }
  }
}

extension String {
  /// The columns that this text takes on a terminal, or a few less.
  var columnCount: Int { unicodeScalars.reduce(0) { $0 + $1.columnCount } }

  /// As many characters from the front as fit into `columns`.
  func cut(toColumns columns: Int) -> String {
    var used = 0
    var end = startIndex
    for index in indices {
      used += String(self[index]).columnCount
      if used > columns { break }
      end = self.index(after: index)
    }
    return String(self[..<end])
  }
}

// MARK: - Quoting for a shell

/// A text as one word for the shell, in which nothing is hidden.
public func shellWord(_ text: String) -> String {
  if text.unicodeScalars.contains(where: \.isHidden) { return escapedShellWord(text) }
  let isPlain = text.unicodeScalars.allSatisfy {
    $0.properties.isAlphabetic || ("0"..."9").contains($0)
      || "-_./+,:@%".unicodeScalars.contains($0)
  }
  if isPlain, !text.isEmpty { return text }
  let pieces = text.pieces(separatedBy: UInt8(ascii: "'"), omittingEmpty: false)
  return "'" + pieces.joined(separator: "'\\''") + "'"
}

/// `$'…'`, which POSIX has since 2024 and bash, zsh and ksh had before: bytes in octal.
private func escapedShellWord(_ text: String) -> String {
  var word = ""
  for scalar in text.unicodeScalars {
    if scalar.isHidden || scalar == "'" || scalar == "\\" {
      for byte in String(scalar).utf8 {
        let digits = String(byte, radix: 8)
        word += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    } else {
      word.unicodeScalars.append(scalar)
    }
  }
  return "$'" + word + "'"
}
