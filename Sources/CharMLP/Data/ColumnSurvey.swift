// Lines that are rows of a table, or several words, or a word and a number: which column has the words,
// and whether the first line names the columns.
//
// Only some lines are taken apart, and only if most lines have a separator. It reads no CSV: what stands
// between quotes is a matter of the command that is printed.

/// A table in which there should be one word on each line.
package struct ColumnFinding: Equatable, Sendable {
  /// What stands between the columns: tab, comma, semicolon, bar, colon, or blank for two or more.
  package let separator: Unicode.Scalar
  /// How many lines have it.
  package let lines: Int
  /// The number of the column that looks most like words, from 1.
  package let column: Int
  /// How many lines come before the values: the names of the columns, and a rule under them.
  package let headerLines: Int
  /// Whether values stand between double quotes.
  package let isQuoted: Bool

  /// Whether the first line names the columns.
  package var hasHeader: Bool { headerLines > 0 }
}

extension LineSurvey {
  /// The columns of the lines, or the words, if most lines have a separator.
  var columns: DataWarning? {
    let separated = counts.separated
    guard let most = separated.indices.max(by: { separated[$0] < separated[$1] }),
      isMost(separated[most])
    else { return nil }
    let separator = LineCounts.separators[most]
    // What ends an entity of HTML is no separator.
    guard separator != ";" || counts.entities == 0 else { return nil }
    let table = Table(sample, separator)
    guard !table.isOfPhrases, !table.isOfAddresses else { return nil }
    if table.isOfWords { return .severalPerLine(lines: separated[most], separator: separator) }
    return .columns(table.finding(lines: separated[most]))
  }

  /// Columns between which there are two blanks or more.
  var alignedColumns: DataWarning? {
    guard isMost(counts.aligned) else { return nil }
    return .columns(Table(sample, " ").finding(lines: counts.aligned))
  }

  /// A number before or behind most words, if what is left are words.
  var numbers: DataWarning? {
    if isMost(counts.endingInNumber) {
      let rest = sample.map(Self.withoutLastNumbers)
      let areAligned = 2 * rest.count { $0.contains("  ") } > rest.count
      if Self.areDifferent(rest), !areAligned {
        return .numbers(lines: counts.endingInNumber, areLast: true)
      }
    }
    if isMost(counts.beginningWithNumber) {
      let rest = sample.map { $0.drop { $0 != " " && $0 != "\t" } }
      if Self.areDifferent(rest) {
        return .numbers(lines: counts.beginningWithNumber, areLast: false)
      }
    }
    return nil
  }

  /// Whether most of them are there once: HD 1234 and HD 1235 are names that need their numbers.
  private static func areDifferent(_ texts: [Substring]) -> Bool {
    2 * Set(texts).count > texts.count
  }

  private static func withoutLastNumbers(_ line: String) -> Substring {
    var rest = line[...]
    while let blank = rest.utf8.lastIndex(where: { $0 == 0x20 || $0 == 0x09 }) {
      let number = Array(rest.utf8[rest.utf8.index(after: blank)...])
      guard LineCounts.isNumber(number.span, number.indices) else { break }
      rest = rest[..<blank]
      while let last = rest.utf8.last, " \t:=,;".utf8.contains(last) {
        rest = rest[..<rest.utf8.index(before: rest.endIndex)]
      }
    }
    return rest
  }
}

/// Lines taken apart.
private struct Table {
  private let separator: Unicode.Scalar
  private let lines: [[Field]]
  private let width: Int

  /// At most so many columns are looked at.
  private static let widest = 100

  init(_ lines: [String], _ separator: Unicode.Scalar) {
    self.separator = separator
    self.lines = lines.map { line in
      separator == " "
        ? Self.aligned(line)
        : line.unicodeScalars.split(separator: separator, omittingEmptySubsequences: false)
          .map { Field(String(String.UnicodeScalarView($0))) }
    }
    width = min(self.lines.map(\.count).max() ?? 1, Self.widest)
  }

  private static func aligned(_ line: String) -> [Field] {
    let pieces = line.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
    var fields: [String] = []
    var isOpen = false
    for piece in pieces {
      if piece.isEmpty {
        isOpen = false
      } else if isOpen {
        fields[fields.count - 1] += " \(Substring(piece))"
      } else {
        fields.append(String(Substring(piece)))
        isOpen = true
      }
    }
    return fields.map { Field($0) }
  }

  private func values(_ column: Int) -> [Field] {
    lines.compactMap { $0.indices.contains(column) ? $0[column] : nil }
  }

  private func different(_ values: [Field]) -> Int {
    Set(values.filter(\.hasLetters).map(\.text)).count
  }

  private var hasNumbers: Bool { lines.contains { $0.contains(where: \.isNumber) } }

  private var isQuoted: Bool { 2 * lines.count { $0.contains(where: \.isQuoted) } > lines.count }

  /// Whether the separator is a part of names: "Doe, Jane", "Mission: Venus".
  var isOfPhrases: Bool {
    guard separator == "," || separator == ":", headerLines == 0, !hasNumbers, !isQuoted else {
      return false
    }
    let keys = different(values(0))
    return lines.allSatisfy { $0.dropFirst().allSatisfy(\.isIndented) && $0.count <= 2 }
      && (separator == "," || 10 * keys > lines.count)
  }

  /// Whether it is a part of what an address asks for.
  var isOfAddresses: Bool {
    2 * lines.count { $0.first?.text.contains("://") == true } > lines.count
  }

  /// Whether each value is a word like the others: a list that has been wrapped.
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
      separator: separator, lines: count, column: best + 1, headerLines: headerLines,
      isQuoted: isQuoted)
  }

  private var headerLines: Int {
    // A key that each line has is no header: "name: anna", "name: bert".
    let isKey = lines.count > 1 && lines[0][0].text == lines[1][0].text
    let names = isKey ? 0 : lines[0].count { Self.headerNames.contains($0.text.lowercased()) }
    let isRuled = lines.count > 1 && lines[1].allSatisfy(\.isRule)
    if isRuled { return 2 }
    return names > 0 && 2 * names >= lines[0].count || (0..<width).contains(where: isNamedNumber)
      ? 1 : 0
  }

  /// Whether a column has numbers under a name.
  private func isNamedNumber(_ column: Int) -> Bool {
    let values = values(column)
    let numbers = values.count(where: \.isNumber)
    guard numbers > 1, 10 * numbers >= 9 * (values.count - 1),
      let first = lines[0].dropFirst(column).first
    else { return false }
    return !first.isNumber && first.hasLetters
  }

  private static let headerNames: Set<String> = [
    "name", "names", "word", "words", "first name", "first_name", "firstname", "last name",
    "last_name", "surname", "given name", "given_name", "city", "town", "place", "title", "term",
    "label", "id", "rank", "count", "counts", "freq", "frequency", "number", "n", "year", "sex",
    "gender", "lemma", "form", "pos", "lang", "language", "country", "code", "type", "date",
  ]

  /// A value of a table.
  private struct Field {
    let text: String
    let isQuoted: Bool
    let isNumber: Bool
    let hasLetters: Bool
    /// Whether a blank stands before it.
    let isIndented: Bool
    /// Whether it is part of a line that is drawn: `---`.
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
