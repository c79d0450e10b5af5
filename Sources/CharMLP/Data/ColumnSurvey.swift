// Finds columns, or several words on a line, in a list that should have one word on each: lines with
// separators, with numbers, or of many words.
//
// The lines are counted by LineCounts; a sample of them is split into fields here.

/// A table in which there should be one word on each line.
package struct ColumnFinding: Equatable, Sendable {
  /// What separates the columns: tab, comma, semicolon, bar, colon, or blank for two or more.
  package let separator: Unicode.Scalar
  /// How many lines have it.
  package let lines: Int
  /// The number of the column that looks most like words, from 1.
  package let column: Int
  /// How many lines come before the values: column names, and a rule under them.
  package let headerLines: Int
  /// Whether values are in double quotes.
  package let isQuoted: Bool

  /// Whether the first line names the columns.
  package var hasHeader: Bool { headerLines > 0 }
}

extension LineSurvey {
  /// Columns, or several words a line, if most lines have a separator.
  var columns: DataWarning? {
    let separated = counts.separated
    guard let most = separated.indices.max(by: { separated[$0] < separated[$1] }),
      isMost(separated[most])
    else { return nil }
    let separator = LineCounts.separators[most]
    // HTML entities end in a semicolon.
    guard separator != ";" || counts.entities == 0 else { return nil }
    let table = ColumnTable(sample, separator)
    guard !table.isOfPhrases, !table.isOfAddresses else { return nil }
    // An array of a program.
    if separator == ",", words[0].hasSuffix("["), words[words.count - 1].hasPrefix("]") {
      return .severalPerLine(lines: separated[most], .quotes)
    }
    if table.isOfWords {
      return .severalPerLine(lines: separated[most], .separator(separator))
    }
    return .columns(table.finding(lines: separated[most]))
  }

  /// Columns separated by two blanks or more.
  var alignedColumns: DataWarning? {
    guard isMost(counts.aligned) else { return nil }
    return .columns(ColumnTable(sample, " ").finding(lines: counts.aligned))
  }

  /// Lines of many words with a blank between them, all different: sentences repeat some.
  var wrapped: DataWarning? {
    guard isMost(counts.crowded) else { return nil }
    let words = sample.flatMap { $0.utf8.split(separator: 0x20).map(Array.init) }
    return 10 * Set(words).count >= 9 * words.count
      ? .severalPerLine(lines: counts.crowded, .separator(" ")) : nil
  }

  /// A number before or after most words, if words are left without it.
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

  /// Whether most are different and have letters: HD 1234 and HD 1235 are names that need their
  /// numbers.
  private static func areDifferent(_ texts: [Substring]) -> Bool {
    2 * Set(texts).count { $0.utf8.contains(where: \.isLetter) } > texts.count
  }

  private static func withoutLastNumbers(_ line: String) -> Substring {
    var rest = line[...]
    while let blank = rest.utf8.lastIndex(where: { " \t=".utf8.contains($0) }) {
      let number = Array(rest.utf8[rest.utf8.index(after: blank)...])
      guard LineCounts.isNumber(number.span, LineCounts.inner(number.span, number.indices)) else {
        break
      }
      rest = rest[..<blank]
      while let last = rest.utf8.last, " \t:=,;".utf8.contains(last) {
        rest = rest[..<rest.utf8.index(before: rest.endIndex)]
      }
    }
    return rest
  }
}

/// Lines split into columns.
struct ColumnTable {
  private let separator: Unicode.Scalar
  private let lines: [[Field]]
  private let width: Int

  /// The most columns that are considered.
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

  /// Whether the separator belongs to names: "Doe, Jane", "Mission: Venus".
  var isOfPhrases: Bool {
    guard separator == "," || separator == ":", headerLines == 0, !hasNumbers, !isQuoted else {
      return false
    }
    let keys = different(values(0))
    return lines.allSatisfy { $0.dropFirst().allSatisfy(\.isIndented) && $0.count <= 2 }
      && (separator == "," || 10 * keys > lines.count)
  }

  /// Whether it belongs to the query of a URL.
  var isOfAddresses: Bool {
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
      separator: separator, lines: count, column: best + 1, headerLines: headerLines,
      isQuoted: isQuoted)
  }

  private var headerLines: Int {
    // A key on every line is not a header: "name: anna", "name: bert".
    let isKey = lines.count > 1 && lines[0][0].text == lines[1][0].text
    let names = isKey ? 0 : header.count { Self.headerNames.contains($0.text.lowercased()) }
    let isRuled = lines.count > 1 && lines[1].allSatisfy(\.isRule)
    if isRuled { return 2 }
    return names > 0 && 2 * names >= header.count || (0..<width).contains(where: isNamedNumber)
      ? lines.firstIndex { $0.count == header.count && $0[0].text == header[0].text }! + 1 : 0
  }

  /// The first line, or the one after Excel's hint `sep=;`.
  private var header: [Field] {
    lines.count > 1 && lines[0][0].text.hasPrefix("sep=") ? lines[1] : lines[0]
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

  /// Without blanks.
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
