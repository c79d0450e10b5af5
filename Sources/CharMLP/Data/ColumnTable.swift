// Lines split into columns: which column looks most like words, and whether the first line names them.
//
// The columns are those of the command that a warning prints: of cut(1), or, where values are between
// quotes, of Python's csv.reader.

/// Lines split into columns, as the command splits them that prints one.
struct ColumnTable {
  let separator: Unicode.Scalar
  /// Whether a quote at the beginning of a value protects separators.
  private let hasQuotes: Bool
  private let lines: [[Field]]
  private let width: Int

  /// The most columns that are considered.
  private static let widest = 100

  /// Columns with a separator between them.
  init(_ words: WordList, sample: [String], _ separator: Unicode.Scalar) {
    let hasQuotes = ValueReader.hasQuotes(words, separator)
    let lines =
      hasQuotes
      ? ValueReader.rows(sample, separator)
      : sample.map {
        $0.unicodeScalars.split(separator: separator, omittingEmptySubsequences: false)
          .map { String(String.UnicodeScalarView($0)) }
      }
    self.init(lines, separator, hasQuotes: hasQuotes)
  }

  /// Columns with two blanks or more between them.
  init(aligned sample: [String]) {
    let lines = sample.map { line in
      line.utf8.split(separator: "  ".utf8).map { String(Substring($0.drop { $0 == 0x20 })) }
    }
    self.init(lines, " ", hasQuotes: false)
  }

  private init(_ lines: [[String]], _ separator: Unicode.Scalar, hasQuotes: Bool) {
    (self.separator, self.hasQuotes) = (separator, hasQuotes)
    self.lines = lines.map { $0.map(Field.init) }
    width = min(lines.map(\.count).max() ?? 1, Self.widest)
  }

  /// Whether the separator stands outside of quotes, too.
  var hasColumns: Bool { !hasQuotes || 2 * lines.count { $0.count > 1 } > lines.count }

  private func values(_ column: Int) -> [Field] {
    lines.compactMap { $0.indices.contains(column) ? $0[column] : nil }
  }

  private func different(_ values: [Field]) -> Int {
    Set(values.filter(\.hasLetters).map(\.text)).count
  }

  private var hasNumbers: Bool { lines.contains { $0.contains(where: \.isNumber) } }

  private var isQuoted: Bool { 2 * lines.count { $0.contains(where: \.isQuoted) } > lines.count }

  /// Whether the separator belongs to names: "Doe, Jane", "Mission: Venus".
  var isOfPhrases: Bool {
    guard separator == "," || separator == ":", headerLines == 0, !hasNumbers, !isQuoted else {
      return false
    }
    let keys = different(values(0))
    return lines.allSatisfy { $0.dropFirst().allSatisfy(\.isIndented) && $0.count <= 2 }
      && (separator == "," || 10 * keys > lines.count)
  }

  /// Whether most lines are URLs, whose queries have the separator.
  var isOfURLs: Bool {
    2 * lines.count { $0.first?.text.contains("://") == true } > lines.count
  }

  /// Whether all columns hold the same kind of words: a wrapped list.
  var isOfWords: Bool {
    guard width >= 3, headerLines == 0, !hasNumbers, !isQuoted else { return false }
    let columns = (0..<width).map { values($0).filter { !$0.text.isEmpty } }
    let all = columns.reduce(0) { $0 + $1.count }
    return different(columns.flatMap(\.self)) * 10 >= all * 9 && all >= 3 * lines.count
  }

  func finding(lines count: Int) -> ColumnFinding {
    var (best, mostWords) = (0, 0)
    for column in 0..<width {
      let different = different(values(column))
      if different > mostWords { (best, mostWords) = (column, different) }
    }
    return ColumnFinding(
      separator: separator, lines: count, column: best + 1,
      headerLines: headerLines(aboveWords: best), isQuoted: hasQuotes)
  }

  private var headerLines: Int { headerLines(aboveWords: nil) }

  /// How many lines name the columns, where one name is enough in the column of the words.
  private func headerLines(aboveWords column: Int?) -> Int {
    // A key on every line is not a header: "name: anna", "name: bert".
    let isKey = lines.count > 1 && lines[0][0].text == lines[1][0].text
    let names = isKey ? 0 : header.count { Self.headerNames.contains($0.text.lowercased()) }
    let isRuled = lines.count > 1 && lines[1].allSatisfy(\.isRule)
    if isRuled { return 2 }
    return names > 0 && 2 * names >= header.count || (0..<width).contains(where: isNamedNumber)
      || !isKey && column.map(isNamed) == true
      ? lines.firstIndex { $0.count == header.count && $0[0].text == header[0].text }! + 1 : 0
  }

  /// The first line, or the one after Excel's hint `sep=;`.
  private var header: [Field] {
    lines.count > 1 && lines[0][0].text.hasPrefix("sep=") ? lines[1] : lines[0]
  }

  /// Whether a column has a usual name at its top, and not again.
  private func isNamed(_ column: Int) -> Bool {
    guard let name = header.dropFirst(column).first?.text.lowercased() else { return false }
    return Self.headerNames.contains(name)
      && values(column).count { $0.text.lowercased() == name } == 1
  }

  /// Whether a column has numbers under a name.
  private func isNamedNumber(_ column: Int) -> Bool {
    let values = values(column)
    let numbers = values.count(where: \.isNumber)
    guard numbers > 1, 10 * numbers >= 9 * (values.count - 1),
      let first = header.dropFirst(column).first
    else { return false }
    return !first.isNumber && first.hasLetters
  }

  /// Usual names of columns, in small letters and without blanks.
  static let headerNames: Set<String> = [
    "name", "names", "word", "words", "firstname", "first_name", "lastname", "last_name", "surname",
    "givenname", "given_name", "familyname", "fullname", "username", "city", "town", "place",
    "title", "page_title", "term", "label", "id", "rank", "count", "counts", "freq", "frequency",
    "number", "n", "year", "sex", "gender", "lemma", "form", "pos", "lang", "language", "country",
    "code", "type", "date", "email", "e-mail", "phone",
  ]

  /// A value of a table.
  private struct Field {
    let text: String
    let isQuoted: Bool
    let isNumber: Bool
    let hasLetters: Bool
    /// Whether a blank stands before it.
    let isIndented: Bool
    /// Whether it is part of a rule: `---`.
    let isRule: Bool

    init(_ value: String) {
      let bytes = Array(value.utf8)
      isIndented = bytes.first == 0x20
      let inner = bytes.filter { ![0x20, 0x22].contains($0) }
      isQuoted = bytes.contains(0x22)
      isNumber =
        !inner.isEmpty && inner.allSatisfy { $0.isDigit || [0x2E, 0x2D, 0x25, 0x65].contains($0) }
        && inner.contains(where: \.isDigit)
      hasLetters = inner.contains(where: \.isLetter)
      isRule = inner.allSatisfy { [0x2D, 0x3D, 0x3A, 0x2B].contains($0) }
      text = String(decoding: inner, as: UTF8.self)
    }
  }
}

/// Splits lines into values as Python's csv.reader does with `skipinitialspace`: a value that begins
/// with a quote goes on to the next one, whatever stands between them, and a doubled quote is one.
private struct ValueReader {
  private enum Place { case start, plain, quoted, closed }
  private let separator: UInt8
  private var place = Place.start
  /// Whether a value began with a quote.
  private var hasQuotes = false
  /// How many lines the value has ended, and whether text followed the quotes of such a value.
  private var (openLines, isAmbiguous) = (0, false)

  private init(_ separator: Unicode.Scalar) { self.separator = UInt8(separator.value) }

  private var isOpen: Bool { place == .quoted }

  /// Reads a byte; whether it ends a value.
  private mutating func isEnd(_ byte: UInt8) -> Bool {
    let quote = UInt8(ascii: "\"")
    switch (place, byte) {
    case (.quoted, quote): place = .closed
    case (.quoted, _): break
    case (_, separator):
      (place, openLines) = (.start, 0)
      return true
    case (.start, quote), (.closed, quote):
      place = .quoted
      hasQuotes = true
    case (.start, UInt8(ascii: " ")): break
    default:
      if place == .closed, openLines > 0 { isAmbiguous = true }
      place = .plain
    }
    return false
  }

  private mutating func endLine() {
    if isOpen { openLines += 1 } else { (place, openLines) = (.start, 0) }
  }

  /// The most lines of a value.
  private static let longestValue = 20

  /// Whether some values of a list are between quotes. If one goes on for too long, or if text
  /// follows one of several lines, a quote is a character like others.
  static func hasQuotes(_ words: WordList, _ separator: Unicode.Scalar) -> Bool {
    var reader = ValueReader(separator)
    for byte in words.utf8 {
      if byte == UInt8(ascii: "\n") { reader.endLine() } else { _ = reader.isEnd(byte) }
      if reader.isAmbiguous || reader.openLines >= longestValue { return false }
    }
    return reader.hasQuotes && !reader.isOpen
  }

  /// The values of each row, with their quotes.
  static func rows(_ lines: [String], _ separator: Unicode.Scalar) -> [[String]] {
    var reader = ValueReader(separator)
    var (rows, row): ([[String]], [String]) = ([], [])
    var value: [UInt8] = []
    for line in lines {
      for byte in line.utf8 {
        if reader.isEnd(byte) {
          row.append(String(decoding: value, as: UTF8.self))
          value.removeAll()
        } else {
          value.append(byte)
        }
      }
      reader.endLine()
      guard !reader.isOpen else { continue }
      rows.append(row + [String(decoding: value, as: UTF8.self)])
      row.removeAll()
      value.removeAll()
    }
    return rows
  }
}
