// Detects lists whose lines are not plain words: comments, bullets, quotes, columns, several words
// on a line, flags of a spelling dictionary, source code; marks and remarks behind words; and lists
// of inflected forms.
//
// Such lists can be read, and a network learns them as they are; so they get warnings and are not
// refused. LineCounts counts the lines of each kind in one pass over the bytes; a sample is parsed
// only if most lines are of a kind. Each kind is a property below; `structure` has their order.

internal import Posix

/// What is odd about the lines and the characters of a list.
struct ListSurvey {
  let words: WordList
  let symbols: [Unicode.Scalar]
  private let counts: LineCounts

  init(_ words: WordList, symbols: [Unicode.Scalar]) {
    (self.words, self.symbols) = (words, symbols)
    counts = LineCounts(words)
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] { lineWarnings + characterWarnings + inflection }

  private var lineWarnings: [DataWarning] {
    let structure = structure
    var warnings = [structure, comments, markup, escapes].compactMap(\.self)
    // What a minority of the lines has behind its words is learned as endings, too; columns and
    // numbers can look like it.
    if structure == nil {
      warnings += [trailingComments, references, addresses, fewQuotes].compactMap(\.self)
    }
    // Another warning may already explain the digits.
    if warnings.isEmpty, counts.withDigits > 0, 20 * counts.withDigits <= words.count {
      warnings.append(.digits(words: counts.withDigits))
    }
    return warnings
  }

  /// The first of these kinds that fits most lines.
  private var structure: DataWarning? {
    let marked = spellingFlags ?? notation ?? bullets ?? quotedLines ?? commentedLines
    let numbered = columns ?? numbers ?? enumeration
    let separated = marked ?? numbered ?? alignedColumns ?? wrapped
    return separated ?? firstCount ?? header
  }

  /// The most lines that are parsed.
  private static let sampled = 2000
  private var sample: [String] { Array(words.prefix(Self.sampled)) }

  private func isMost(_ lines: Int) -> Bool { 2 * lines > words.count }
}

// MARK: - Spelling dictionaries, counts, notations

extension ListSurvey {
  private var spellingFlags: DataWarning? {
    let startsWithCount = Int(words[0]) != nil
    // Small letters may be flags or a second word, but there are few different flags.
    let areFlags = 4 * counts.flags.count <= counts.otherFlags
    let flagged = counts.capitalFlags + (areFlags ? counts.otherFlags : 0)
    guard counts.certainTags == 0,
      5 * flagged > words.count || startsWithCount && 100 * flagged > words.count
    else { return nil }
    return .spellingFlags(words: flagged, startsWithCount: startsWithCount)
  }

  private var firstCount: DataWarning? {
    guard let number = Int(words[0]), 20 * counts.withDigits <= words.count,
      10 * abs(number - words.count + 1) <= words.count
    else { return nil }
    return .startsWithCount
  }

  /// A first line that names the only column.
  private var header: DataWarning? {
    let first = words[0].lowercased().filter { $0 != " " }
    let isName = ["name", "names", "word", "words", "title"].contains { first.hasSuffix($0) }
    return isName && ColumnTable.headerNames.contains(first) ? .startsWithHeader : nil
  }

  private var notation: DataWarning? {
    let (first, last) = (words[0], words[words.count - 1])
    func isMostly(_ condition: (String) -> Bool) -> Bool {
      2 * sample.count(where: condition) > sample.count
    }
    if first == "BEGIN:VCARD" { return .notation(.vCard) }
    if first.hasPrefix("[") && last.hasSuffix("]") || (first, last) == ("{", "}") {
      let isJSON = isMostly { line in
        ["\"", "{\""].contains(where: line.hasPrefix) || ["{", "}", "},"].contains(line)
      }
      if isJSON { return .notation(.json) }
    }
    if isMostly({ $0.hasPrefix("{\"") && ($0.hasSuffix("}") || $0.hasSuffix("},")) }) {
      return .notation(.jsonLines)
    }
    let values = isMostly { line in
      let start = line.prefix(12).uppercased()
      guard start.hasPrefix("INSERT INTO ") || start.hasPrefix("('") else { return false }
      return line.utf8.contains(UInt8(ascii: "'"))
        && [")", "),", ");"].contains { line.hasSuffix($0) }
    }
    return values ? .notation(.sql) : nil
  }
}

// MARK: - Bullets, quotes, comments

extension ListSurvey {
  private var bullets: DataWarning? {
    let lines = counts.bullets.values.reduce(0, +)
    guard isMost(lines + counts.commentLines), 4 * lines > words.count else { return nil }
    let marks = counts.bullets.keys.sorted()
    let texts = sample.compactMap { line -> Substring? in
      guard let mark = marks.first(where: { line.hasPrefix($0 + " ") }) else { return nil }
      return line.dropFirst(mark.count).drop { $0 == " " }
    }
    let keys = Set(texts.map { $0.prefix { $0.isLetter || $0 == "_" } })
    let key = keys.count == 1 ? keys.first.map { String($0) } : nil
    let isSetting =
      key.map { key in !key.isEmpty && texts.allSatisfy { $0.hasPrefix(key + ": ") } } == true
    let links = texts.count { $0.hasPrefix("[") && ($0.contains("](") || $0.contains("]]")) }
    return .bullets(
      BulletFinding(
        lines: lines, marks: marks, key: isSetting ? key : nil,
        hasLinks: 2 * links > texts.count,
        isComplete: 20 * (words.count - lines) <= words.count))
  }

  /// Quoted words, if most lines are quoted.
  private var quotedLines: DataWarning? {
    isMost(counts.quoted.reduce(0, +)) ? quotes(counts.quoted.indices.map(\.self)) : nil
  }

  /// Quoted words, by marks that have hardly any other use.
  private var fewQuotes: DataWarning? {
    quotes(
      counts.quoted.indices.filter {
        !QuotePair.all[$0].isWeak && 100 * counts.quoted[$0] >= words.count
      })
  }

  private func quotes(_ pairs: [Int]) -> DataWarning? {
    let pairs = pairs.filter { counts.quoted[$0] > 0 }
    let quoted = pairs.reduce(0) { $0 + counts.quoted[$1] }
    guard quoted > 0 else { return nil }
    // A program's brackets around the words.
    let others = words.count - quoted
    let isBracket = { (line: String) in
      line.last { !",;".contains($0) }.map { "[](){}".contains($0) } == true
    }
    let brackets = others <= 5 ? words.count(where: isBracket) : 0
    return .quoted(
      words: quoted, pairs: pairs.map { QuotePair.all[$0] },
      isComplete: others > 0 && others == brackets)
  }

  private var comments: DataWarning? {
    guard counts.commentLines > 0, !isMost(counts.commentLines) else { return nil }
    return .comments(lines: counts.commentLines, marks: counts.commentMarks)
  }

  /// Comments or remarks, of which there are few different ones: `anna (f)`.
  private var commentedLines: DataWarning? {
    if isMost(counts.remarked), 10 * counts.remarks.count <= counts.remarked {
      return .trailingComments(lines: counts.remarked, marks: [])
    }
    // Semicolons in most lines separate columns.
    let lines = counts.trailingComments.reduce(0) { $0 + ($1.key == ";" ? 0 : $1.value) }
    return isMost(lines) ? trailingComments : nil
  }

  private var markup: DataWarning? {
    let isMarkup = counts.certainTags + counts.entities > 0
    return isMarkup ? .markup(words: counts.tags + counts.entities) : nil
  }
}

// MARK: - Escaped characters

extension ListSurvey {
  private var escapes: DataWarning? {
    for form in EscapeForm.allCases {
      let found = counts.escaped[form, default: 0]
      if found > 0, form != .utf7 || isUTF7 { return .escaped(words: found, form) }
    }
    return nil
  }

  /// Whether most words that look like UTF-7 are.
  private var isUTF7: Bool {
    let candidates = counts.escaped[.utf7, default: 0]
    guard 100 * candidates >= words.count, candidates >= 3 else { return false }
    let some = words.lazy.filter { LineCounts.hasUTF7($0) }.prefix(200)
    let decoded = some.count { word in
      TextConversion.utf8(Array(word.utf8), from: "UTF-7").map { text in
        String(decoding: text, as: UTF8.self).unicodeScalars.contains {
          !$0.isASCII && $0.properties.isAlphabetic
        }
      } == true
    }
    return 10 * decoded >= 9 * some.count
  }
}

// MARK: - Behind words

extension ListSurvey {
  private var trailingComments: DataWarning? {
    let lines = counts.trailingComments.values.reduce(0, +)
    guard lines > 0, 100 * lines >= words.count else { return nil }
    return .trailingComments(lines: lines, marks: counts.trailingComments.keys.sorted())
  }

  private var references: DataWarning? {
    let marks = ReferenceMark.allCases.filter { mark in
      let found = counts.references[mark, default: 0]
      return found >= 3 && 100 * found >= words.count
        && (mark == .bracketed || !isMost(found))
        && (mark != .superscript || counts.hasFirstSuperscript && !hasInnerSuperscripts)
    }
    if marks.isEmpty { return nil }
    return .references(words: marks.reduce(0) { $0 + counts.references[$1]! }, marks)
  }

  /// Whether numbers stand within words, as tones do in transcriptions.
  private var hasInnerSuperscripts: Bool {
    words.contains { word in
      let scalars = word.unicodeScalars
      return zip(scalars, scalars.dropFirst()).contains { scalar, next in
        ReferenceMark(scalar) == .superscript && next.properties.isAlphabetic
      }
    }
  }

  private var addresses: DataWarning? {
    guard counts.addresses > 0 else { return nil }
    return .addresses(words: counts.addresses, areMost: isMost(counts.addresses))
  }
}

// MARK: - Columns, or several words on a line

extension ListSurvey {
  /// Columns, or several words a line, if most lines have a separator.
  private var columns: DataWarning? {
    let separated = counts.separated
    // Of two separators, one may stand only within quotes.
    let candidates = separated.indices.filter { isMost(separated[$0]) }
      .sorted { (separated[$1], $0) < (separated[$0], $1) }
    let tables = candidates.lazy.map { candidate in
      (
        lines: separated[candidate],
        table: ColumnTable(words, sample: sample, LineCounts.separators[candidate])
      )
    }
    guard let (lines, table) = tables.first(where: \.table.hasColumns) else { return nil }
    let separator = table.separator
    // HTML entities end in a semicolon.
    guard separator != ";" || counts.entities == 0 else { return nil }
    guard !table.isOfPhrases, !table.isOfURLs else { return nil }
    // An array of a program.
    if separator == ",", words[0].hasSuffix("["), words[words.count - 1].hasPrefix("]") {
      return .severalPerLine(lines: lines, .quotes)
    }
    if table.isOfWords {
      return .severalPerLine(lines: lines, .separator(separator))
    }
    return .columns(table.finding(lines: lines))
  }

  /// Columns separated by two blanks or more.
  private var alignedColumns: DataWarning? {
    guard isMost(counts.aligned) else { return nil }
    return .columns(ColumnTable(aligned: sample).finding(lines: counts.aligned))
  }

  /// Lines of many words with a blank between them, all different: sentences repeat some.
  private var wrapped: DataWarning? {
    guard isMost(counts.crowded) else { return nil }
    let words = sample.flatMap { $0.utf8.split(separator: 0x20).map(Array.init) }
    return 10 * Set(words).count >= 9 * words.count
      ? .severalPerLine(lines: counts.crowded, .separator(" ")) : nil
  }

  /// A number before or after most words, if words are left without it.
  private var numbers: DataWarning? {
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

  /// Lines in the order of letters or of Roman numerals before them.
  private var enumeration: DataWarning? {
    let sample = sample
    let numbered = sample.indices.count { index in
      let mark = sample[index].prefix { $0 != " " && $0 != "\t" }
      guard let last = mark.last, last == ")" || last == "." else { return false }
      let number = mark.dropLast().drop { $0 == "(" }.lowercased()
      return number == Self.romanNumeral(index + 1)
        || index < 26 && number.unicodeScalars.elementsEqual([Unicode.Scalar(UInt8(97 + index))])
    }
    return 10 * numbered >= 9 * sample.count ? .enumeration(lines: numbered) : nil
  }

  private static func romanNumeral(_ number: Int) -> String {
    let parts = [
      (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
      (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
    ]
    var (rest, numeral) = (number, "")
    for (value, letters) in parts {
      while rest >= value {
        numeral += letters
        rest -= value
      }
    }
    return numeral
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

/// Lines split into columns, as the command splits them that prints one.
private struct ColumnTable {
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

// MARK: - Inflected forms

extension ListSurvey {
  /// A sorted list in which many words are another word with an ending.
  ///
  /// Stems stand beside their forms there, so some stretches of the list are enough.
  private var inflection: [DataWarning] {
    guard words.count >= 300 else { return [] }
    let bytes = words.utf8.span
    func isAscending(_ word: Int) -> Bool {
      let (left, right) = (words.utf8Range(of: word), words.utf8Range(of: word + 1))
      for (a, b) in zip(left, right) where bytes[a] | 0x20 != bytes[b] | 0x20 {
        return bytes[a] | 0x20 < bytes[b] | 0x20
      }
      return left.count <= right.count
    }
    let (stretches, length) = words.count <= 5000 ? (1, words.count) : (20, 250)
    var (pairs, ascending, seen, derived) = (0, 0, 0, 0)
    for stretch in 0..<stretches {
      let first = stretch * (words.count - length) / max(1, stretches - 1)
      var stems: Set<String> = []
      for word in first..<first + length {
        if word > first {
          pairs += 1
          if isAscending(word - 1) { ascending += 1 }
        }
        let text = words[word]
        seen += 1
        let scalars = text.unicodeScalars
        let isForm = (1...4).contains { ending in
          scalars.count - ending >= 5
            && stems.contains(String(scalars.dropLast(ending)))
        }
        if isForm { derived += 1 }
        stems.insert(text)
      }
    }
    guard 10 * ascending >= 8 * pairs else { return [] }
    let share = Double(derived) / Double(seen)
    return share >= 0.33 ? [.inflected(share: share)] : []
  }
}
