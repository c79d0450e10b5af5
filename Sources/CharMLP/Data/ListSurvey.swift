// Detects lists whose lines are not plain words: comments, bullets, quotes, flags of a spelling
// dictionary, source code, and what ColumnSurvey finds; and lists of inflected forms.
//
// Such lists can be read, and a network learns them as they are; so they get warnings and are not
// refused. LineCounts counts the lines of each kind in one pass over the bytes; only if most lines
// are of a kind, a sample is parsed. Each kind is a property below; `structure` has their order.

internal import Posix

/// The warnings about a list's spelling.
struct ListSurvey {
  private let words: WordList
  private let symbols: [Unicode.Scalar]

  init(_ words: WordList, symbols: [Unicode.Scalar]) {
    (self.words, self.symbols) = (words, symbols)
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] {
    LineSurvey(words).warnings + CharacterSurvey(words, symbols: symbols).warnings + inflection
  }
}

// MARK: - Lines

/// What lines have beside their words.
struct LineSurvey {
  let words: WordList
  let counts: LineCounts

  init(_ words: WordList) {
    self.words = words
    var counts = LineCounts()
    let bytes = words.utf8.span
    for word in words.indices { counts.add(bytes, words.utf8Range(of: word)) }
    self.counts = counts
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] {
    let structure = structure
    var warnings = [structure, comments, markup, escapes].compactMap(\.self)
    if structure == nil { warnings += behindWords }
    // Another warning may already explain the digits.
    if warnings.isEmpty, counts.withDigits > 0, 20 * counts.withDigits <= words.count {
      warnings.append(.digits(words: counts.withDigits))
    }
    return warnings
  }

  /// The first of these kinds that most lines are of.
  private var structure: DataWarning? {
    let kinds: [KeyPath<LineSurvey, DataWarning?>] = [
      \.spellingFlags, \.notation, \.bullets, \.quotedLines, \.commentedLines, \.columns, \.numbers,
      \.alignedColumns, \.wrapped, \.firstCount, \.header,
    ]
    for kind in kinds {
      if let warning = self[keyPath: kind] { return warning }
    }
    return nil
  }

  /// The most lines that are parsed.
  private static let sampled = 2000
  var sample: [String] { Array(words.prefix(Self.sampled)) }

  func isMost(_ lines: Int) -> Bool { 2 * lines > words.count }
}

// MARK: - Spelling dictionaries, counts, notations

/// How a program writes a list of words.
package enum ListNotation: Equatable, Sendable {
  /// One JSON value for the whole list: `[`, `"anna",`, `]`.
  case json
  /// A JSON object on each line.
  case jsonLines
  /// SQL that inserts the values into a table.
  case sql
  /// The contacts of a telephone.
  case vCard
}

extension LineSurvey {
  private var spellingFlags: DataWarning? {
    let startsWithCount = Int(words[0]) != nil
    let capital = counts.capitalFlags
    // Small letters may be flags or a second word, but there are few different flags.
    let small = counts.otherFlags
    let isFlag = 4 * counts.flags.count <= small
    let flagged = capital + (isFlag ? small : 0)
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

  /// The name of a column that is the only one.
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

/// Marks that most lines begin with.
package struct BulletFinding: Equatable, Sendable {
  /// How many lines begin with one.
  package let lines: Int
  package let marks: [String]
  /// The key that follows each mark in YAML: `name` in `- name: anna`.
  package let key: String?
  /// Whether the words are Markdown links.
  package let hasLinks: Bool
  /// Whether the other lines are few enough to be headings.
  package let isComplete: Bool
}

/// A pair of quotation marks or brackets.
package struct QuotePair: Hashable, Sendable {
  package let opening: String
  package let closing: String
  /// Whether words may have it, too.
  let isWeak: Bool

  static let all: [QuotePair] = [
    QuotePair("\"", "\""), QuotePair("“", "”"), QuotePair("„", "“"), QuotePair("„", "”"),
    QuotePair("”", "”"), QuotePair("«", "»"), QuotePair("»", "«"), QuotePair("「", "」"),
    QuotePair("『", "』"), QuotePair("《", "》"), QuotePair("‹", "›", isWeak: true),
    QuotePair("›", "‹", isWeak: true), QuotePair("'", "'", isWeak: true),
    QuotePair("`", "`", isWeak: true), QuotePair("`", "'", isWeak: true),
    QuotePair("‘", "’", isWeak: true), QuotePair("‚", "‘", isWeak: true),
    QuotePair("(", ")", isWeak: true), QuotePair("[", "]", isWeak: true),
  ]

  private init(_ opening: String, _ closing: String, isWeak: Bool = false) {
    (self.opening, self.closing, self.isWeak) = (opening, closing, isWeak)
  }
}

/// A mark that comments begin with.
package struct CommentMark: Equatable, Sendable {
  package let text: String
  /// Whether a blank must follow.
  package let needsBlank: Bool
}

extension LineSurvey {
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
    return .bullets(
      BulletFinding(
        lines: lines, marks: marks, key: isSetting ? key : nil,
        hasLinks: 2
          * texts.count {
            $0.hasPrefix("[") && ($0.contains("](") || $0.contains("]]"))
          } > texts.count,
        isComplete: 20 * (words.count - lines) <= words.count))
  }

  /// Quoted words, if most lines are quoted.
  private var quotedLines: DataWarning? {
    isMost(counts.quoted.reduce(0, +)) ? quotes(counts.quoted.indices.map(\.self)) : nil
  }

  /// Quoted words, by marks that have hardly any other use.
  var fewQuotes: DataWarning? {
    quotes(
      counts.quoted.indices.filter {
        !QuotePair.all[$0].isWeak && 100 * counts.quoted[$0] >= words.count
      })
  }

  private func quotes(_ pairs: [Int]) -> DataWarning? {
    let pairs = pairs.filter { counts.quoted[$0] > 0 }
    let quoted = pairs.reduce(0) { $0 + counts.quoted[$1] }
    guard quoted > 0 else { return nil }
    // The brackets of a program around its words.
    let others = words.count - quoted
    let brackets = others <= 5 ? words.count { $0.last.map { "[](){}".contains($0) } == true } : 0
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

/// How letters beyond ASCII are escaped.
package enum EscapeForm: CaseIterable, Equatable, Sendable {
  /// `\u00e9`, as in source code.
  case backslash
  /// `%C3%A9`, as in URLs.
  case percent
  /// `=C3=A9`, as in mail (quoted-printable).
  case equals
  /// `+AOk-` (UTF-7).
  case utf7
}

extension LineSurvey {
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
