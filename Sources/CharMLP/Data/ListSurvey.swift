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
