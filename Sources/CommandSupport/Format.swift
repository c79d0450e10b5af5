// What people read: numbers, lines, curves and tables, the same in every locale; and text from
// users, made safe to print.
//
// People get thousands separators, units and few digits; programs get JSONValue, with every digit.
// Rounding is to nearest on the value times a power of ten, which may differ from printf in the
// last digit of an exact tie.

public import CharMLP
public import OrderedJSON
import Posix
import RealModule

/// Numbers as text for people.
public enum Format {
  /// A count with thousands separators: 12,297.
  public static func count(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A number with a fixed number of decimals: 2.1043. Beyond 2⁵³ units of the last decimal, where
  /// a Double has no decimals left to round, it is Swift's shortest form.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    precondition((0...15).contains(decimals), "fixed: \(decimals) decimals")
    let scale = powerOfTen(decimals)
    let units = (value.magnitude * scale).rounded()
    guard units < 0x1p53 else { return value.description }
    let digits = String(Int(units))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && units > 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A rate to three significant digits: 13,500 steps/s, 8.12 steps/s.
  public static func rate(_ perSecond: Double, _ unit: String) -> String {
    significant(perSecond) + " " + unit + "/s"
  }

  /// A number to three significant digits with thousands separators: 13,500, 812, 8.12, 0.0812.
  public static func significant(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : value.description }
    let magnitude = orderOfMagnitude(value)
    guard (-6...14).contains(magnitude) else { return scientific(value) }
    if magnitude < 2 { return fixed(value, decimals: 2 - magnitude) }
    let step = powerOfTen(magnitude - 2)
    return count(Int((value / step).rounded() * step))
  }

  /// The exponent of `value` in scientific notation once it is rounded to three digits: 2 for
  /// 999.4, 3 for 999.6.
  private static func orderOfMagnitude(_ value: Double) -> Int {
    var exponent = 0
    var mantissa = value.magnitude
    while mantissa >= 9.995, exponent < 20 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 0.9995, exponent > -20 {
      mantissa *= 10
      exponent -= 1
    }
    return exponent
  }

  private static func powerOfTen(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  // MARK: Lines

  /// A line of prose as lines of at most so many columns, broken at blanks; those after the first
  /// are indented.
  ///
  /// What is to be pasted or begins with blanks stays whole, however long: the subject of a message
  /// up to its first colon, which may be a file's name, words in single quotes, and what follows a
  /// colon and two blanks.
  /// - Parameter prefix: What stands before the message, such as the command's name.
  public static func wrapped(
    _ line: String, after prefix: String = "", columns: Int = 80
  ) -> [String] {
    guard prefix.columnCount + line.columnCount > columns, !line.begins(with: "  ") else {
      return [prefix + line]
    }
    if let command = line.firstRange(of: ":  ") {
      let prose = String(line[..<command.lowerBound]) + ":"
      return wrapped(prose, after: prefix, columns: columns)
        + ["  " + line[command.upperBound...]]
    }
    return filled(unbreakable(line, columns: columns), first: prefix, columns: columns)
  }

  /// A line of prose as text: lines of at most so many columns, each with its end.
  package static func paragraph(_ line: String, columns: Int) -> String {
    wrapped(line, columns: columns).map { $0 + "\n" }.joined()
  }

  /// The pieces between which a line may be broken.
  private static func unbreakable(_ line: String, columns: Int) -> [String] {
    let words = line.pieces(separatedBy: UInt8(ascii: " "), omittingEmpty: false)
    let subject = words.firstIndex { $0.ends(with: ":") }.map { words[...$0] } ?? []
    var pieces: [String] = []
    // A sentence with a colon has no subject to keep.
    let kept = subject.reduce(0) { $0 + String($1).columnCount + 1 } < columns ? subject.count : 0
    if kept > 0 { pieces.append(subject.joined(separator: " ")) }
    var isOpen = false
    for word in words.dropFirst(kept) {
      if isOpen, let last = pieces.popLast() {
        pieces.append(last + " " + word)
      } else {
        pieces.append(String(word))
        isOpen = word.begins(with: "'")
      }
      let quotes = word.utf8.count { $0 == UInt8(ascii: "'") }
      if word.begins(with: "'") ? quotes > 1 : quotes > 0 { isOpen = false }
    }
    return pieces
  }

  /// Pieces in lines of at most so many columns, with blanks between them; lines after the first
  /// are indented, and the first begins with `first`.
  public static func filled(
    _ pieces: [String], first: String = "  ", indent: Int = 2, columns: Int
  ) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    for piece in pieces {
      if let last = lines.last, last.columnCount + 1 + piece.columnCount <= columns {
        lines[lines.count - 1] = last + " " + piece
      } else {
        lines.append((lines.isEmpty ? first : margin) + piece)
      }
    }
    return lines
  }

  // MARK: Counts and shares

  /// A number and its noun: 1 word, 2 words.
  public static func counted(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// A share as a percentage: 13.0 %.
  public static func percent(_ share: Double, decimals: Int = 1) -> String {
    fixed(100 * share, decimals: decimals) + " %"
  }

  /// A part of a whole: 13.0 %.
  public static func percent(_ part: Int, of whole: Int) -> String {
    percent(Double(part) / Double(max(whole, 1)))
  }

  /// A part of a whole, and what share that is: 416 (13.0 %).
  public static func share(_ part: Int, of whole: Int) -> String {
    "\(count(part)) (\(percent(part, of: whole)))"
  }

  // MARK: Losses

  /// A loss with its perplexity: 2.1043 (8.20).
  public static func loss(_ loss: Double) -> String {
    "\(fixed(loss, decimals: 4)) (\(fixed(SplitLosses.perplexity(loss), decimals: 2)))"
  }
}

extension SplitLosses {
  /// The three losses under their keys.
  public var json: [(key: String, value: JSONValue)] {
    [("train", .number(train)), ("val", .number(validation)), ("test", .number(test))]
  }
}

// MARK: Durations

// A value is rounded to the precision it is shown with before its unit is chosen: 59.7 s is a
// minute, and 9.96 s is not "10.0 s".

extension Format {
  /// A duration: 4.2 ms, 48 ms, 0.8 s, 42 s, 1 min 12 s, 2 h 5 min, 3 d 4 h; "unknown" if it
  /// is negative or not finite.
  public static func duration(seconds: Double) -> String {
    switch seconds {
    case 0..<0.00995: return fixed(seconds * 1000, decimals: 1) + " ms"
    case 0..<0.0995: return fixed(seconds * 1000, decimals: 0) + " ms"
    case 0..<9.95: return fixed(seconds, decimals: 1) + " s"
    case 0..<0x1p53: return duration(wholeSeconds: Int(seconds.rounded()))
    default: return "unknown"
    }
  }

  private static func duration(wholeSeconds seconds: Int) -> String {
    // From an hour on the seconds are not shown, so they are rounded into the minutes, and so on.
    let minutes = (seconds + 30) / 60
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if minutes < 24 * 60 { return "\(minutes / 60) h \(minutes % 60) min" }
    let hours = (seconds + 1800) / 3600
    return "\(count(hours / 24)) d \(hours % 24) h"
  }

  // MARK: Scientific notation

  /// A number in scientific notation with two digits: 1.2e-07; 0, inf and nan as they are.
  public static func scientific(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : value.description }
    var exponent = Int(Double.log10(value.magnitude).rounded(.down))
    // In two steps, because a Double cannot hold 10³²³.
    let half = exponent / 2
    let scaled = value.magnitude * .pow(10, Double(-half)) * .pow(10, Double(half - exponent))
    var tenths = (scaled * 10).rounded()
    if tenths >= 100 {
      tenths /= 10
      exponent += 1
    }
    let digits = String(exponent.magnitude)
    let padded = (digits.count < 2 ? "0" : "") + digits
    let mantissa = fixed(tenths / 10, decimals: 1)
    return (value < 0 ? "-" : "") + mantissa + (exponent < 0 ? "e-" : "e+") + padded
  }
}

// MARK: Sparklines

/// A curve in one line of text: ▇▅▃▂▂▁
///
/// It shows a whole run in a fixed width: when it is full, neighbours are averaged in pairs, and
/// from then on each block holds twice as many values.
public struct Sparkline: Sendable {
  private let width: Int
  private var means: [Double] = []
  private var valuesPerMean = 1
  private var pending: [Double] = []

  /// A curve of at most `width` blocks.
  public init(width: Int = 24) {
    precondition(width >= 2, "Sparkline: width \(width)")
    self.width = width
  }

  /// Adds the next value, ignoring one that is not finite.
  public mutating func add(_ value: Double) {
    guard value.isFinite else { return }
    pending.append(value)
    guard pending.count == valuesPerMean else { return }
    means.append(Self.mean(pending[...]))
    pending = []
    if means.count > width { halve() }
  }

  private mutating func halve() {
    let whole = means.count / 2 * 2
    let rest = Array(means[whole...])
    means = stride(from: 0, to: whole, by: 2).map { Self.mean(means[$0..<$0 + 2]) }
    // A last mean without a neighbour waits for one, with its full weight.
    pending = rest.flatMap { Array(repeating: $0, count: valuesPerMean) }
    valuesPerMean *= 2
  }

  private static func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// The curve so far, empty before the first value; the lowest block is the smallest value.
  public var text: String {
    guard let lowest = means.min(), let highest = means.max() else { return "" }
    let blocks = Array("▁▂▃▄▅▆▇█")
    let scale = highest > lowest ? Double(blocks.count - 1) / (highest - lowest) : 0
    return String(means.map { blocks[Int((($0 - lowest) * scale).rounded())] })
  }
}

// MARK: Tables

/// A table of text whose columns are as wide as their widest cell.
public struct Table {
  private var rows: [[String]]
  private let leftAligned: Set<Int>

  /// Makes a table with a heading for each column.
  /// - Parameter leftAligned: The columns that hold words; the others are aligned right.
  public init(_ headings: [String], leftAligned: Set<Int> = [0]) {
    rows = [headings]
    self.leftAligned = leftAligned
  }

  /// Adds a row with a cell for each column; hidden characters are spelled out.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == rows[0].count, "Table: \(cells.count) cells")
    rows.append(cells.map { $0.singleLine() })
  }

  /// The table, each row on a line.
  public var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].columnCount }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].columnCount)
        return leftAligned.contains(column) ? row[column] + padding : padding + row[column]
      }
      let line = cells.joined(separator: "  ")
      let blanks = line.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count
      return String(line.unicodeScalars.dropLast(blanks)) + "\n"
    }.joined()
  }
}

// MARK: - Text from users, on one line, bounded, with nothing hidden in it
//
// Messages quote what users typed and what files hold. A line end would break the promise of one or
// two lines, an escape character would speak to the terminal, a direction mark would turn a line
// around, and a value of a million digits, or a letter under a million accents, would scroll
// everything away. Whatever is printed for people goes through `singleLine`. What is printed for
// programs (JSON, words a line) has rules of its own.

extension String {
  /// This text on one line: a stretch of blanks with a line end in it becomes one blank, characters
  /// that do not show are spelled out (`\u{1b}`), and what takes more than `limit` columns, or four
  /// bytes for each of them, loses its middle, because a message has its subject in front and its
  /// reason behind.
  public func singleLine(limit: Int = 400) -> String {
    joiningLines().spellingOutHidden().withoutMiddle(limit: limit)
  }

  /// Room for the longest path that the system accepts, with each of its bytes spelled out.
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
    (0x0A...0x0D).contains(value) || [0x85, 0x2028, 0x2029].contains(value)
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
  public var visible: String {
    let isBlankOfBraille = value == 0x2800
    if isLaterJamo || isBlankOfBraille || properties.isDefaultIgnorableCodePoint {
      return codePoint
    }
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate,
      .privateUse, .unassigned, .nonspacingMark, .spacingMark, .enclosingMark:
      return codePoint
    default: return String(self)
    }
  }

  /// A vowel or a last consonant of Hangul, which joins the consonant before it.
  fileprivate var isLaterJamo: Bool {
    (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value)
  }

  // MARK: - Columns

  // Names are in every script, and a moving line that is one column too long leaves a trail down
  // the screen. The widths are those of Unicode's East Asian Width in broad ranges (UAX #11), which
  // err on the wide side: a line cut early is harmless. C's wcwidth depends on the locale, this
  // does not.

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
  /// The columns that this text takes on a terminal, or a few more.
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
