// Detects lists whose lines are not plain words: columns, comments, tags, flags of a spelling
// dictionary, quotes, invisible characters.
//
// Such lists can be read, and a network learns them as they are; so they cause warnings, not
// errors. One pass over the bytes counts what is plain ASCII. Characters beyond it are looked for
// in the alphabet first, and in the words only if they are there. What to do is in the commands'
// texts.

/// Examines the words of a list.
struct ListSurvey {
  private let words: WordList
  private let symbols: [Unicode.Scalar]
  private var counts = ByteCounts()

  init(_ words: WordList, symbols: [Unicode.Scalar]) {
    (self.words, self.symbols) = (words, symbols)
    let bytes = words.utf8.span
    for word in words.indices { counts.add(bytes, words.utf8Range(of: word)) }
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] {
    var warnings = structure
    let isTable = !warnings.isEmpty
    let digits = isTable ? 0 : counts.withDigits
    if counts.commentLines > 0, 2 * counts.commentLines < words.count {
      warnings.append(.comments(lines: counts.commentLines, marks: counts.commentMarks))
    }
    if counts.tags + counts.entities > 0 {
      warnings.append(.markup(words: counts.tags + counts.entities))
    }
    if !isTable, 2 * counts.quoted > words.count || 100 * counts.doubleQuoted >= words.count,
      counts.quoted + counts.doubleQuoted > 0
    {
      warnings.append(
        .quoted(words: counts.quoted, areDouble: 2 * counts.doubleQuoted >= counts.quoted))
    }
    // Digits that another warning explains need no warning of their own.
    if warnings.isEmpty, digits > 0, 20 * digits <= words.count {
      warnings.append(.digits(words: digits))
    }
    return warnings + beyondASCII + inflection
  }

  /// What the lines hold besides words.
  private var structure: [DataWarning] {
    let bytes = words.utf8.span
    let startsWithNumber = words.utf8Range(of: 0).allSatisfy { bytes[$0].isDigit }
    let isFlagged =
      5 * counts.flagged > words.count || startsWithNumber && 100 * counts.flagged > words.count
    if isFlagged, counts.tags == 0 {
      return [.spellingFlags(words: counts.flagged, startsWithCount: startsWithNumber)]
    }
    if let columns { return [.columns(columns)] }
    if 2 * counts.endingInNumber > words.count {
      return [.numbers(lines: counts.endingInNumber, areLast: true)]
    }
    if 2 * counts.beginningWithNumber > words.count {
      return [.numbers(lines: counts.beginningWithNumber, areLast: false)]
    }
    let number = Int(words[0]) ?? 0
    if startsWithNumber, 2 * number >= words.count, number <= 2 * words.count,
      20 * counts.withDigits <= words.count
    {
      return [.startsWithCount]
    }
    return []
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  fileprivate var isLetter: Bool { self | 0x20 >= 0x61 && self | 0x20 <= 0x7A || self >= 0x80 }
  fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

// MARK: - One pass over the bytes

/// How many words have this and that.
private struct ByteCounts {
  /// By separator: tab, comma, semicolon, bar.
  var separated = [0, 0, 0, 0]
  var commentLines = 0
  var commentMarks: [String] = []
  var tags = 0
  var entities = 0
  /// Words with a slash and capitals or digits after it, as in `walk/DSG`.
  var flagged = 0
  var withDigits = 0
  var endingInNumber = 0
  var beginningWithNumber = 0
  /// Between double quotes, straight or curly.
  var doubleQuoted = 0
  /// Between any quotes.
  var quoted = 0

  mutating func add(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var (tabs, commas, semicolons, bars, digits, slash, opening, ampersand) =
      (false, false, false, false, false, -1, -1, -1)
    for index in word {
      let byte = bytes[index]
      if byte >= 0x61 && byte <= 0x7A || byte >= 0x80 { continue }
      switch byte {
      case 0x09: tabs = true
      case UInt8(ascii: ","): commas = true
      case UInt8(ascii: "|"): bars = true
      case UInt8(ascii: ";"):
        semicolons = true
        if ampersand >= 0, index - ampersand > 2 { entities += 1 }
        ampersand = -1
      case 0x30...0x39: digits = true
      case UInt8(ascii: "/"): slash = slash < 0 ? index : slash
      case UInt8(ascii: "<"): opening = index
      case UInt8(ascii: ">"):
        if opening >= 0, index - opening > 1 {
          let first = bytes[opening + 1]
          if first.isLetter || [UInt8(ascii: "/"), UInt8(ascii: "!")].contains(first) { tags += 1 }
        }
        opening = -1
      case UInt8(ascii: "&"): ampersand = index
      case UInt8(ascii: "#"): break
      default: if !byte.isLetter { ampersand = -1 }
      }
    }
    if tabs { separated[0] += 1 }
    if commas { separated[1] += 1 }
    if semicolons { separated[2] += 1 }
    if bars { separated[3] += 1 }
    if digits {
      withDigits += 1
      countNumbers(bytes, word)
    }
    if slash > word.lowerBound, slash + 1 < word.upperBound {
      let flags = bytes[slash + 1]
      if flags.isDigit || flags >= 0x41 && flags <= 0x5A || flags.isLetter { flagged += 1 }
    }
    countMarks(bytes, word)
  }

  private mutating func countNumbers(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var end = word.upperBound
    while end > word.lowerBound, bytes[end - 1].isDigit { end -= 1 }
    if end < word.upperBound, end > word.lowerBound, bytes[end - 1].isBlank { endingInNumber += 1 }
    var start = word.lowerBound
    while start < word.upperBound, bytes[start].isDigit { start += 1 }
    guard start > word.lowerBound, start + 1 < word.upperBound else { return }
    let hasMark = [UInt8(ascii: "."), UInt8(ascii: ")"), UInt8(ascii: ":")].contains(bytes[start])
    if bytes[hasMark ? start + 1 : start].isBlank { beginningWithNumber += 1 }
  }

  private mutating func countMarks(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    let first = bytes[word.lowerBound]
    switch first {
    case UInt8(ascii: "#"): addComment("#")
    case UInt8(ascii: ";"): addComment(";")
    case UInt8(ascii: "/"):
      if word.count > 1, bytes[word.lowerBound + 1] == first { addComment("//") }
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), 0xC2, 0xE2:
      countQuotes(bytes, word)
    default: break
    }
  }

  private mutating func addComment(_ mark: String) {
    commentLines += 1
    if !commentMarks.contains(mark) { commentMarks.append(mark) }
  }

  private mutating func countQuotes(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var end = word.upperBound
    if bytes[end - 1] == UInt8(ascii: ",") || bytes[end - 1] == UInt8(ascii: ";") { end -= 1 }
    var last = end - 1
    while last > word.lowerBound, bytes[last] & 0xC0 == 0x80 { last -= 1 }
    guard last > word.lowerBound, let opening = bytes.scalar(at: word.lowerBound)?.scalar,
      let closing = bytes.scalar(at: last)?.scalar
    else { return }
    switch (opening, closing) {
    case ("\"", "\""), ("\u{201C}", "\u{201D}"), ("\u{AB}", "\u{BB}"):
      doubleQuoted += 1
      quoted += 1
    case ("'", "'"), ("`", "`"), ("`", "'"), ("\u{2018}", "\u{2019}"): quoted += 1
    default: break
    }
  }
}

// MARK: - Columns

extension ListSurvey {
  /// The most lines that are split into columns.
  private static let columnLines = 2000

  private static let separators: [Unicode.Scalar] = ["\t", ",", ";", "|"]

  /// The columns of the lines, if most lines have some.
  private var columns: ColumnFinding? {
    guard
      let most = counts.separated.indices.max(by: { counts.separated[$0] < counts.separated[$1] }),
      2 * counts.separated[most] > words.count
    else { return nil }
    let separator = Self.separators[most]
    // The end of an entity of HTML is not a separator.
    guard separator != ";" || counts.entities == 0 else { return nil }
    let lines = words.prefix(Self.columnLines).map { line in
      line.unicodeScalars.split(separator: separator, omittingEmptySubsequences: false).map {
        Field(String(String.UnicodeScalarView($0)))
      }
    }
    let width = lines.map(\.count).max() ?? 1
    var (best, mostWords, hasHeader) = (0, 0, false)
    var hasNumbers = false
    for column in 0..<min(width, 100) {
      let values = lines.filter { $0.count > column }.map { $0[column] }
      let different = Set(values.filter(\.hasLetters).map(\.text)).count
      if different > mostWords { (best, mostWords) = (column, different) }
      let numbers = values.count(where: \.isNumber)
      if numbers > 0 { hasNumbers = true }
      if numbers > 1, 10 * numbers >= 9 * (values.count - 1),
        let first = lines[0].dropFirst(column).first,
        !first.isNumber, first.hasLetters
      {
        hasHeader = true
      }
    }
    let names = lines[0].count { Self.headerNames.contains($0.text.lowercased()) }
    if 2 * names >= lines[0].count { hasHeader = true }
    let isQuoted = 2 * lines.count { $0.contains(where: \.isQuoted) } > lines.count
    // "Doe, Jane" is a name.
    let isPhrase =
      separator == "," && !hasNumbers && !hasHeader && !isQuoted
      && lines.allSatisfy { $0.dropFirst().allSatisfy(\.isIndented) && $0.count <= 2 }
    // A quoted word and the comma of a list behind it.
    let isListed = isQuoted && lines.allSatisfy { $0.dropFirst().allSatisfy(\.text.isEmpty) }
    guard !isPhrase, !isListed else { return nil }
    return ColumnFinding(
      separator: separator, lines: counts.separated[most], column: best + 1, hasHeader: hasHeader,
      isQuoted: isQuoted)
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

    init(_ value: String) {
      let bytes = Array(value.utf8)
      isIndented = bytes.first == 0x20
      let inner = bytes.filter { ![0x20, 0x22].contains($0) }
      isQuoted = bytes.count { $0 == 0x22 } > 0
      isNumber =
        !inner.isEmpty && inner.allSatisfy { $0.isDigit || [0x2E, 0x2D, 0x25, 0x65].contains($0) }
        && inner.contains(where: \.isDigit)
      hasLetters = inner.contains(where: \.isLetter)
      text = String(decoding: inner, as: UTF8.self)
    }
  }
}

// MARK: - Beyond ASCII

extension ListSurvey {
  private var beyondASCII: [DataWarning] {
    var warnings: [DataWarning] = []
    if symbols.contains("\u{FFFD}") {
      warnings.append(.replacements(words: words.count { $0.unicodeScalars.contains("\u{FFFD}") }))
    }
    if symbols.contains(where: { Self.leads.contains($0.value) }),
      symbols.contains(where: { Self.isContinuation($0, strictly: false) })
    {
      let damaged = words.count(where: Self.isMisread)
      if damaged > 0 { warnings.append(.misread(words: damaged)) }
    }
    if symbols.contains(where: { Self.isInvisible($0) }), let invisible {
      warnings.append(invisible)
    }
    if let forms = NormalForms(words, symbols) {
      warnings.append(.normalForms(composed: forms.composed, decomposed: forms.decomposed))
    }
    return warnings
  }

  /// What is left of the first byte of a character of two bytes, or of a quote, that was read as
  /// windows-1252.
  private static let leads: ClosedRange<UInt32> = 0xC2...0xE2

  /// Whether this is what one of the bytes 0x80…0xBF becomes.
  private static func isContinuation(_ scalar: Unicode.Scalar, strictly: Bool) -> Bool {
    switch scalar.value {
    case 0xA1...0xA9, 0xAB...0xB4, 0xB6, 0xB8, 0xB9, 0xBB...0xBF, 0x20AC, 0x201A, 0x201E, 0x2026,
      0x2020, 0x2021, 0x2C6, 0x2030, 0x2039, 0x2022, 0x2DC, 0x2122, 0x203A, 0x201C, 0x201D:
      true
    case 0xA0, 0xAA, 0xB5, 0xBA, 0x152, 0x153, 0x160, 0x161, 0x178, 0x17D, 0x17E, 0x192, 0x2013,
      0x2014, 0x2018, 0x2019:
      !strictly
    default: false
    }
  }

  /// Whether a word has what UTF-8 becomes if it is read as windows-1252: Ã© for é.
  private static func isMisread(_ word: String) -> Bool {
    var before: Unicode.Scalar = " "
    for scalar in word.unicodeScalars {
      switch before.value {
      case 0xC2, 0xC3: if isContinuation(scalar, strictly: false) { return true }
      case 0xC4...0xD1, 0xD7...0xDB, 0xE0...0xE2:
        if isContinuation(scalar, strictly: true) { return true }
      default: break
      }
      before = scalar
    }
    return false
  }

  /// Whether this character is invisible, whatever stands beside it.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xAD, 0x34F, 0x61C, 0x180E, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F,
      0xFFF9...0xFFFB:
      true
    default: false
    }
  }

  /// Whether a script, or a picture, needs joiners and non-joiners.
  private static func usesJoiners(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x590...0x10FF, 0x1780...0x18AF, 0x1980...0x1CFF, 0x20E3, 0x2190...0x2BFF, 0xA840...0xABFF,
      0xFB50...0xFDFF, 0xFE00...0xFEFE, 0x1_0A00...0x1_1FFF, 0x1_F000...0x1_FAFF:
      true
    default: false
    }
  }

  private var invisible: DataWarning? {
    var (found, affected, first): ([Unicode.Scalar: Int], Int, Int?) = ([:], 0, nil)
    for (index, word) in words.enumerated() {
      let scalars = Array(word.unicodeScalars)
      guard scalars.contains(where: Self.isInvisible) else { continue }
      var isAffected = false
      for (place, scalar) in scalars.enumerated() where Self.isInvisible(scalar) {
        let neighbours = [place - 1, place + 1].filter(scalars.indices.contains).map { scalars[$0] }
        let isNeeded =
          switch scalar.value {
          case 0x200C, 0x200D: neighbours.contains(where: Self.usesJoiners)
          // Scripts without blanks mark the ends of words by it.
          case 0x200B: neighbours.contains { (0xE00...0x17FF).contains($0.value) }
          case 0x180E: neighbours.contains { (0x1800...0x18AF).contains($0.value) }
          default: false
          }
        if isNeeded { continue }
        found[scalar, default: 0] += 1
        isAffected = true
      }
      if isAffected {
        affected += 1
        first = first ?? index
      }
    }
    guard let first else { return nil }
    let characters = found.map { InvisibleCharacter(scalar: $0.key, count: $0.value) }
    return .invisible(
      characters.sorted { ($1.count, $0.scalar) < ($0.count, $1.scalar) }, words: affected,
      first: first, line: words.line(of: first))
  }
}

/// Words with letters and their marks in one character, and words with the same kind in two.
private struct NormalForms {
  let composed: Int
  let decomposed: Int

  /// Nil unless there are both.
  ///
  /// Which characters are equal is the standard library's judgement: equal strings.
  init?(_ words: WordList, _ symbols: [Unicode.Scalar]) {
    let marks = symbols.filter(Self.isComposing)
    guard !marks.isEmpty else { return nil }
    let singles = Set(Self.composites.map { String(Unicode.Scalar($0) ?? "a") })
    let usual =
      (0x300...0x304).map { $0 } + [0x306, 0x307, 0x308, 0x309, 0x30A, 0x30B, 0x30C, 0x31B]
      + [0x323, 0x326, 0x327, 0x328, 0x342, 0x3099, 0x309A, 0x653, 0x654, 0x655]
    let bases = Set(symbols).union("aeiouycnszrtldghjkwAEIOUYCNSZRTLDGHJKWâêôăơư".unicodeScalars)
    var pairs: Set<String> = []
    for mark in usual.compactMap({ Unicode.Scalar(UInt32($0)) }) {
      for base in bases { pairs.insert(String(base) + String(mark)) }
    }
    let together = Set(
      symbols.filter { symbol in
        !symbol.isASCII
          && ((0xAC00...0xD7A3).contains(symbol.value)
            || Self.composites.contains(symbol.value) && pairs.contains(String(symbol)))
      })
    guard !together.isEmpty else { return nil }
    var known: [String: Bool] = [:]
    var (composed, decomposed) = (0, 0)
    for word in words where word.utf8.contains(where: { $0 >= 0x80 }) {
      var (isComposed, isDecomposed) = (false, false)
      var before: Unicode.Scalar = " "
      for scalar in word.unicodeScalars {
        if together.contains(scalar) { isComposed = true }
        if Self.isComposing(scalar), before != " " {
          let cluster = String(before) + String(scalar)
          let isOne =
            known[cluster]
            ?? ((0x1161...0x1175).contains(scalar.value) || singles.contains(cluster))
          known[cluster] = isOne
          if isOne { isDecomposed = true }
        }
        before = scalar
      }
      if isComposed { composed += 1 }
      if isDecomposed { decomposed += 1 }
    }
    guard composed > 0, decomposed > 0 else { return nil }
    (self.composed, self.decomposed) = (composed, decomposed)
  }

  /// Where the characters are that can also be written as a letter and marks, in the scripts in
  /// which both are met.
  private static let composites: [UInt32] =
    Array(0xC0...0x24F) + Array(0x386...0x3CE) + Array(0x400...0x4F9) + Array(0x622...0x626)
    + [0x6C0, 0x6C2, 0x6D3] + Array(0x1E00...0x1FFC) + Array(0x304C...0x30FE)

  private static func isComposing(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x300...0x345, 0x3099, 0x309A, 0x653...0x655, 0x1161...0x1175: true
    default: false
    }
  }
}

// MARK: - Inflected forms

extension ListSurvey {
  /// A list in the order of the alphabet in which many words are another one and an ending.
  ///
  /// Stems stand beside their forms there, so that some stretches of the list are enough.
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
