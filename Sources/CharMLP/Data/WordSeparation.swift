// What a list looks like that has several words on a line, or all of them on one: what stands
// between the words, and the line of shell that writes one on each line.
//
// It decides nothing about lists that can be read: a line with commas is a word like any other,
// unless the list is refused, or gets a warning, for another reason.

/// What stands between the words of a line.
public enum WordSeparation: Equatable, Sendable {
  /// The words are strings of a JSON value.
  case json
  /// The words are between quotation marks, as in `['anna', 'bert']`.
  case quotes
  /// The words are values in SQL.
  case sql
  /// The words are between tags of HTML.
  case tags
  /// A character.
  case separator(Unicode.Scalar)
  /// A character, and a word before the last: `anna, bert and cleo`.
  case enumeration(Unicode.Scalar, conjunction: String)

  /// The separation in a text of few lines; nil if it would not leave at least six words, and three
  /// times as many as there are lines.
  init?(of text: some Collection<UInt8>) {
    let text = Array(String(decoding: text.prefix(1 << 16), as: UTF8.self).unicodeScalars)
    let lines = text.split(separator: "\n")
    var start = String.UnicodeScalarView()
    start.append(contentsOf: text.lazy.filter { !$0.isBlank && $0 != "\n" }.prefix(2))
    if String(String.UnicodeScalarView(text.prefix(12))).uppercased() == "INSERT INTO " {
      self = .sql
      return
    }
    if zip(text, text.dropFirst()).count(where: { $0 == "<" && $1 == "/" }) >= 3 {
      self = .tags
      return
    }
    for separator in Self.separators {
      let pieces = lines.flatMap { $0.split(separator: separator) }
        .map { $0.drop(while: \.isBlank) }.filter { !$0.isEmpty }
      // Between commas, a text has clauses.
      let longest = separator == " " ? 40 : 20
      guard pieces.count >= max(6, 3 * lines.count),
        pieces.reduce(0, { $0 + $1.count }) <= longest * pieces.count,
        10 * pieces.count(where: { $0.contains(where: \.properties.isAlphabetic) })
          >= 9 * pieces.count
      else { continue }
      let single = pieces.count { $0.first == "'" }
      if ["[\"", "{\"", "[{"].contains(String(start)), single == 0 {
        self = .json
      } else {
        let quoted = pieces.count { [0x22, 0x27].contains($0.last?.value) && $0.count > 1 }
        self =
          2 * quoted > pieces.count
          ? .quotes
          : Self.conjunction(pieces).map { .enumeration(separator, conjunction: $0) }
            ?? .separator(separator)
      }
      return
    }
    return nil
  }

  /// The word that stands before the last word, and nowhere else.
  private static func conjunction(_ pieces: [ArraySlice<Unicode.Scalar>]) -> String? {
    let last = pieces.last!.split(separator: " ")
    guard (2...3).contains(last.count) else { return nil }
    let conjunction = String(String.UnicodeScalarView(last[last.count - 2]))
    guard conjunctions.contains(conjunction.lowercased()) else { return nil }
    let isCommon = pieces.dropLast().contains { piece in
      piece.split(separator: " ").contains { $0.elementsEqual(conjunction.unicodeScalars) }
    }
    return isCommon ? nil : conjunction
  }

  private static let conjunctions: Set<String> = [
    "and", "or", "&", "und", "oder", "et", "ou", "y", "o", "e", "en", "of", "og", "och", "eller",
    "ja", "tai", "i", "lub", "a", "nebo", "și", "ve", "и", "или", "та", "και",
  ]

  private static let separators: [Unicode.Scalar] = [
    "\t", ";", "|", ",", "\u{3001}", "\u{FF0C}", "\u{60C}", "\u{B7}", "\u{2022}",
    "/", " ",
  ]

  /// What it is called after "a list": "separated by commas".
  package var name: String {
    switch self {
    case .json: "in JSON"
    case .quotes: "between quotation marks"
    case .sql: "in SQL"
    case .tags: "in HTML"
    case .separator("\t"): "separated by tabs"
    case .separator(";"): "separated by semicolons"
    case .separator("|"): "separated by bars"
    case .separator(":"): "separated by colons"
    case .separator(" "): "separated by blanks"
    case .separator("/"): "separated by slashes"
    case .separator("\u{B7}"), .separator("\u{2022}"): "separated by dots"
    case .separator: "separated by commas"
    case .enumeration(let separator, let conjunction):
      "\(Self.separator(separator).name) and “\(conjunction)”"
    }
  }

  /// The line of shell that prints one word on each line.
  package var remedy: TextRemedy {
    switch self {
    case .json: .json()
    case .quotes:
      TextRemedy(#"grep -aoE "\"[^\"]*\"|'[^']*'" {} | sed -E 's/^.(.*).$/\1/'"#)
    case .sql: .sql
    case .tags: TextRemedy(#"sed 's/<[^>]*>/\n/g' {}"#)
    case .separator("\t"): TextRemedy(#"tr '\t' '\n' < {}"#)
    case .separator(let separator) where separator.isASCII:
      TextRemedy(#"tr '\#(separator)' '\n' < {}"#)
    case .separator(let separator): TextRemedy(#"sed 's/\#(separator)/\n/g' {}"#)
    // Of the last line, which ends in a full stop as a sentence does.
    case .enumeration(let separator, let conjunction):
      TextRemedy(
        Self.separator(separator).remedy.template
          + #" | sed '$ { s/[[:blank:]]\#(conjunction) /\n/; s/\.$//; }'"#)
    }
  }
}
