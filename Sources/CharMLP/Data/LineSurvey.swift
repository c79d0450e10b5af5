// What the lines of a list look like that are something other than words: columns, comments, bullets,
// quotes, flags of a spelling dictionary, notations of programs.
//
// Such lists can be read, and a network learns them as they are; so they are warned of and not
// refused. One pass over the bytes counts how many lines have what; only where that is most of them,
// some lines are taken apart. Each kind is a property below, and `structures` is their order.

internal import Posix

/// What the lines of a list have that is no part of a word.
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
    if structure == nil { warnings += [trailingComments, fewQuotes].compactMap(\.self) }
    // Digits that another warning explains need none of their own.
    if warnings.isEmpty, counts.withDigits > 0, 20 * counts.withDigits <= words.count {
      warnings.append(.digits(words: counts.withDigits))
    }
    return warnings
  }

  /// What most lines are: the first of these that holds.
  private var structure: DataWarning? {
    let kinds: [KeyPath<LineSurvey, DataWarning?>] = [
      \.spellingFlags, \.notation, \.bullets, \.quotedLines, \.commentedLines, \.columns, \.numbers,
      \.alignedColumns, \.firstCount,
    ]
    for kind in kinds {
      if let warning = self[keyPath: kind] { return warning }
    }
    return nil
  }

  /// At most so many lines are taken apart.
  private static let sampled = 2000
  var sample: [String] { Array(words.prefix(Self.sampled)) }

  func isMost(_ lines: Int) -> Bool { 2 * lines > words.count }
}

// MARK: - Spelling dictionaries, counts, notations

/// How a program writes a list of words.
package enum ListNotation: Equatable, Sendable {
  /// One value of JSON for the whole list: `[`, `"anna",`, `]`.
  case json
  /// One object of JSON on each line.
  case jsonLines
  /// Values that are inserted into a table.
  case sql
}

extension LineSurvey {
  private var spellingFlags: DataWarning? {
    let startsWithCount = Int(words[0]) != nil
    let capital = counts.capitalFlags
    // Small letters may be flags or a second word; there are few different flags.
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

  private var notation: DataWarning? {
    let (first, last) = (words[0], words[words.count - 1])
    func isMostly(_ condition: (String) -> Bool) -> Bool {
      2 * sample.count(where: condition) > sample.count
    }
    if (first, last) == ("[", "]") || (first, last) == ("{", "}") {
      if isMostly({ $0.hasPrefix("\"") || $0.hasPrefix("{\"") }) { return .notation(.json) }
    }
    if isMostly({ $0.hasPrefix("{\"") && $0.hasSuffix("}") }) { return .notation(.jsonLines) }
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
  /// How many lines do.
  package let lines: Int
  package let marks: [String]
  /// What follows each of them in a file of settings: `name` of `- name: anna`.
  package let key: String?
  /// Whether words are links of Markdown.
  package let hasLinks: Bool
  /// Whether the other lines are so few that they are headings.
  package let isComplete: Bool
}

/// Two marks that a word may stand between.
package struct QuotePair: Hashable, Sendable {
  package let opening: String
  package let closing: String
  /// Whether it is met in words, too, or before them.
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
  /// Whether it is one only before a blank.
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
        hasLinks: 2 * texts.count { $0.hasPrefix("[") && $0.contains("](") } > texts.count,
        isComplete: 20 * (words.count - lines) <= words.count))
  }

  /// Words between quotes, if most lines are such.
  private var quotedLines: DataWarning? {
    isMost(counts.quoted.reduce(0, +)) ? quotes(counts.quoted.indices.map(\.self)) : nil
  }

  /// Words between quotes that hardly mean anything else.
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
    // What a program has before and behind its words.
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

  private var trailingComments: DataWarning? {
    let lines = counts.trailingComments
    return lines >= 3 && 100 * lines >= words.count ? .trailingComments(lines: lines) : nil
  }

  private var commentedLines: DataWarning? {
    isMost(counts.trailingComments) ? trailingComments : nil
  }

  private var markup: DataWarning? {
    let isMarkup = counts.certainTags + counts.entities > 0
    return isMarkup ? .markup(words: counts.tags + counts.entities) : nil
  }
}

// MARK: - Characters written by their numbers

/// How text has been written in ASCII that has other letters.
package enum EscapeForm: CaseIterable, Equatable, Sendable {
  /// `\u00e9`, as programs write it.
  case backslash
  /// `%C3%A9`, as addresses have it.
  case percent
  /// `=C3=A9`, as mail has it (quoted-printable).
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

  /// Whether most of what looks like UTF-7 is.
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
