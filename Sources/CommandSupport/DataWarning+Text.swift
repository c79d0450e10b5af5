// What the commands say of a word list that deserves a warning, and the shell command that fixes
// it.
//
// No flag does any of this: the shell has the tools. A test runs each command on a list of the kind
// that it is for.

package import CharMLP
import Posix

extension DataWarning {
  /// Its name in JSON.
  package var kind: String {
    switch self {
    case .tiny: "tiny"
    case .duplicated: "duplicated"
    case .mixedCase: "mixed_case"
    case .unequalLengths: "unequal_lengths"
    case .columns: "columns"
    case .severalPerLine: "several_per_line"
    case .notation: "notation"
    case .bullets: "bullets"
    case .numbers: "numbers"
    case .enumeration: "enumeration"
    case .startsWithCount: "starts_with_count"
    case .startsWithHeader: "starts_with_header"
    case .spellingFlags: "spelling_flags"
    case .comments: "comments"
    case .trailingComments: "trailing_comments"
    case .references: "reference_marks"
    case .addresses: "addresses"
    case .markup: "markup"
    case .escaped: "escaped"
    case .quoted: "quoted"
    case .digits: "digits"
    case .misread: "misread"
    case .replacements: "replacements"
    case .invisible: "invisible"
    case .normalForms: "normal_forms"
    case .lookalikes: "lookalikes"
    case .inflected: "inflected"
    }
  }

  /// What is unusual about the list, and what to do about it.
  package var text: String { text(forGivenNetwork: false) }

  /// The same for a run whose network is given, because it is resumed or starts from another.
  package func text(forGivenNetwork hasNetwork: Bool) -> String {
    switch self {
    case .tiny(let words, let validationWords):
      """
      tiny: \(Format.counted(words, "word")), \(validationWords) of them for validation, so losses \
      depend on chance\(hasNetwork ? "" : Self.adviceOnTiny)
      """
    case .duplicated(let duplicates, let validationWordsInTraining, let validationWords):
      """
      duplicated: \(Format.counted(duplicates, "duplicate")), and \
      \(Format.count(validationWordsInTraining)) of \(Format.count(validationWords)) validation \
      words also train, so losses look better than on new words; --deduplicate removes them
      """
    case .mixedCase(let letters, _):
      """
      mixed case: \(letters == 1 ? "one letter counts" : "\(letters) letters count") as two symbols, \
      upper and lower case; unless the model should learn capitals, make the list lower case
      """
    case .unequalLengths(let median, let longest):
      """
      very unequal lengths: half of the words have at most \(median) characters, the longest has \
      \(Format.count(longest)), and every character weighs the same; remove lines that are not words
      """
    case .columns(let table):
      """
      columns: \(Format.counted(table.lines, "line")) with \(table.separatorName) are taken as whole words\
      \(table.hasHeader ? ", and the first one names the columns" : ""); column \(table.column) \
      looks most like words
      """
    case .severalPerLine(let lines, let separation):
      """
      several words on a line: \(Format.counted(lines, "line")) with words \(separation.name) are \
      taken as whole words
      """
    case .notation(let notation):
      "\(notation.name): its punctuation is learned as letters"
    case .bullets(let finding):
      """
      bullets: \(Format.counted(finding.lines, "line")) that begin with \
      \(finding.marks.joined(separator: " or ")) \(finding.lines == 1 ? "is" : "are") learned with it
      """
    case .numbers(let lines, let areLast):
      """
      numbers: \(Format.counted(lines, "line")) \(areLast ? "end in" : "begin with") a number, which \
      becomes part of the word
      """
    case .enumeration(let lines):
      """
      an enumeration: \(Format.counted(lines, "line")) that begin with a letter or a Roman numeral, \
      in order, are learned with it
      """
    case .startsWithCount:
      "a count: the first line is a number, which is learned as a word"
    case .startsWithHeader:
      "a header: the first line looks like the name of a column, and is learned as a word"
    case .spellingFlags(let words, _):
      """
      a spelling dictionary: \(Format.counted(words, "word")) with flags after a slash, as hunspell \
      has them, are learned with the flags
      """
    case .comments(let lines, let marks):
      """
      comments: \(Format.counted(lines, "line")) that \(lines == 1 ? "begins" : "begin") with \
      \(marks.map(\.text).joined(separator: " or ")) \(lines == 1 ? "is" : "are") learned as words
      """
    case .trailingComments(let lines, _):
      """
      comments: \(Format.counted(lines, "line")) with a comment after the word, which is learned as \
      part of it
      """
    case .references(let words, let marks):
      """
      reference marks: \(Format.counted(words, "word")) \(words == 1 ? "ends" : "end") in one, such \
      as \(marks[0].example), which is learned as part of the word
      """
    case .addresses(let words, areMost: true):
      """
      e-mail addresses: \(Format.counted(words, "word")) \(words == 1 ? "is" : "are") learned with \
      the @ and all that follows
      """
    case .addresses(let words, areMost: false):
      """
      e-mail addresses: there \(words == 1 ? "is one" : "are \(Format.count(words))") among other \
      words
      """
    case .markup(let words):
      "HTML: tags or entities in \(Format.counted(words, "place")) are learned as letters"
    case .escaped(let words, let form):
      """
      escaped letters: in \(Format.counted(words, "place")) there is something like \
      \(form.example) for é
      """
    case .quoted(let words, let pairs, _):
      """
      \(QuotePair.name(of: pairs)): \(Format.counted(words, "word")) between \
      \(QuotePair.name(of: pairs)), which are learned as letters
      """
    case .digits(let words):
      """
      digits: \(Format.counted(words, "word")) \(words == 1 ? "has" : "have") a digit in a list that \
      otherwise has none
      """
    case .misread(let words, let reading):
      """
      misread text: \(Format.counted(words, "word")) \(words == 1 ? "contains" : "contain") \
      \(reading.written) that was once read as \(reading.read), such as \(reading.example) for \
      \(reading.original)
      """
    case .replacements(let words):
      """
      lost characters: \(Format.counted(words, "word")) \(words == 1 ? "contains" : "contain") U+FFFD, \
      the mark for characters that could not be decoded
      """
    case .invisible(let characters, let words, let first, let line):
      """
      invisible characters: in \(Format.counted(words, "word")), the first of them \
      \(line.map { "in line \(Format.count($0))" } ?? "word \(Format.count(first + 1))"): \
      \(characters.map { "\($0.scalar.codePoint) (\(Format.count($0.count)))" }.joined(separator: ", "))
      """
    case .normalForms(let composed, let decomposed):
      """
      two normal forms: letters with marks are one character in \
      \(Format.counted(composed, "word")) and two in \(Format.counted(decomposed, "word")), so \
      one word may count as two
      """
    case .lookalikes(let words, .variants(let ranges)):
      """
      letters in two forms: \(Format.counted(words, "word")) \(words == 1 ? "has" : "have") \
      \(ranges.map(\.variantName).joined(separator: " and ")) beside the usual ones
      """
    case .lookalikes(let words, .ofOtherScript(let pairs, _)):
      """
      letters of two scripts: \(Format.counted(words, "word")) \(words == 1 ? "mixes" : "mix") them, \
      with \(pairs[0].found.codePoint), which looks like \(pairs[0].meant)\
      \(pairs.count > 1 ? ", and others" : "")
      """
    case .inflected(let share):
      """
      inflected forms: the list is sorted, and \(Format.percent(share, decimals: 0)) of its \
      words are another word plus an ending, so validation words share stems with training words and \
      losses look better than on new ones
      """
    }
  }
}

extension DataWarning {
  private static let adviceOnTiny =
    "; add words, take a smaller network (--hidden 20), or start from a trained one (--start-from RUN)"
}

// MARK: - Commands that fix a list

extension DataWarning {
  /// The shell command that prints the list without what the warning is about, if there is one.
  /// Where there is a choice, it uses tools that are installed.
  package var remedy: TextRemedy? {
    switch self {
    case .tiny, .duplicated: nil
    case .mixedCase(_, let isTurkic): Self.lowering(isTurkic: isTurkic)
    case .unequalLengths(let median, _):
      "LC_ALL=C.UTF-8 grep -axE '.{1,\(6 * max(median, 3))}' {}"
    case .columns(let table): table.remedy
    case .severalPerLine(_, let separation): separation.remedy
    case .notation(let notation): notation.remedy
    case .bullets(let finding): finding.remedy
    case .numbers(_, areLast: true):
      "sed -E 's/([[:blank:]:=,;]+\\(?\(Self.number)\\)?)+[[:space:]]*$//' {}"
    case .numbers(_, areLast: false):
      "sed -E 's/^[[:blank:]]*((№|#)[[:blank:]]*)?\\(?\(Self.number)[.):]?[[:blank:]]+//' {}"
    case .enumeration: #"sed -E 's/^[[:blank:]]*\(*[[:alpha:]]+[.)][[:blank:]]+//' {}"#
    case .startsWithCount, .startsWithHeader: "tail -n +2 {}"
    case .spellingFlags(_, startsWithCount: true): "tail -n +2 {} | cut -d/ -f1 | cut -f1"
    case .spellingFlags(_, startsWithCount: false): "cut -d/ -f1 {} | cut -f1"
    case .comments(_, let marks): Self.without(marks)
    case .trailingComments(_, marks: []): "sed -E 's/[[:blank:]]+\\([^()]*\\)[[:space:]]*$//' {}"
    case .trailingComments(_, let marks):
      "sed -E 's/[[:blank:]]+(\(Self.either(marks)))([[:blank:]].*)?$//' {}"
    case .references(_, let marks):
      "sed -E 's/([[:blank:]]*(\(marks.map(\.pattern).joined(separator: "|"))))+[[:space:]]*$//' {}"
    case .addresses(_, areMost: true): "cut -d@ -f1 {}"
    case .addresses(_, areMost: false): "grep -avE '^ *[^@ ]+@[^@ ]+[.][^@ ]+ *$' {}"
    case .markup: Self.withoutMarkup
    case .escaped(_, let form): form.remedy
    case .quoted(_, let pairs, let isComplete): Self.withoutQuotes(pairs, isComplete: isComplete)
    case .digits: "grep -av '[0-9]' {}"
    case .misread(_, let reading): reading.remedy
    case .replacements: #"LC_ALL=C grep -av "$(printf '\357\277\275')" {}"#
    case .invisible(let characters, _, _, _):
      "LC_ALL=C sed '\(characters.map { "s/\($0.scalar.escapedUTF8)//g" }.joined(separator: "; "))' {}"
    case .normalForms: Self.composing
    case .lookalikes(_, let lookalikes): lookalikes.remedy
    case .inflected:
      """
      awk '{ sub(/\\r$/, "") } length(stem) < 4 || index($0, stem) != 1 { print; stem = $0 }' {}
      """
    }
  }

  /// A number for sed.
  private static let number = "[-+]?[.]?[0-9][0-9.,]*([eE][-+]?[0-9]+)?%?"

  private static func lowering(isTurkic: Bool) -> TextRemedy {
    let first = isTurkic ? #".replace("İ", "i").replace("I", "ı")"# : ""
    return .python("import sys; print(sys.stdin.read()\(first).lower())")
      ?? "sed '\(isTurkic ? "s/İ/i/g; s/I/ı/g; " : "")s/.*/\\L&/' {}"
  }

  /// The marks of comments for sed.
  private static func either(_ marks: [String]) -> String {
    marks.map { $0 == "#" ? "#+" : $0.replacing("/", with: "\\/") }.joined(separator: "|")
  }

  /// Removes lines that begin with a comment's mark, and comments that span several lines.
  private static func without(_ marks: [CommentMark]) -> TextRemedy {
    let lines = marks.filter { $0.text != "/*" }.map {
      $0.text + ($0.needsBlank ? "+([[:blank:]]|$)" : "")
    }
    let grep = "grep -avE " + shellWord("^[[:blank:]]*(\(lines.joined(separator: "|")))")
    guard lines.count < marks.count else { return "\(grep) {}" }
    let block = #"sed '/^[[:blank:]]*\/\*/,/\*\//d' {}"#
    return lines.isEmpty ? "\(block)" : "\(block) | \(grep)"
  }

  /// Tags that may stand within a word vanish, others become blanks.
  private static var withoutMarkup: TextRemedy {
    .python(
      #"""
      import html, re, sys; \#
      t = re.sub(r"</?(a|b|i|u|em|font|span|strong|small|sub|sup)\b[^>]*>", "", sys.stdin.read()); \#
      print(html.unescape(re.sub("<[^>]*>", " ", t)))
      """#) ?? "sed 's/<[^>]*>/ /g' {}"
  }

  private static func withoutQuotes(_ pairs: [QuotePair], isComplete: Bool) -> TextRemedy {
    func either(_ marks: [String]) -> String {
      Set(marks).sorted().map { mark in
        mark.map { "()[]*".contains($0) ? "\\\($0)" : "\($0)" }.joined()
      }.joined(separator: "|")
    }
    let opening = "^[[:space:]]*(\(either(pairs.map(\.opening))))[[:space:]]*"
    let closing = "[[:space:]]*(\(either(pairs.map(\.closing))))[,;]?[[:space:]]*$"
    return isComplete
      ? "sed -nE \(shellWord("s/\(opening)(.*)\(closing)/\\2/p")) {}"
      : "sed -E \(shellWord("s/\(opening)//; s/\(closing)//")) {}"
  }

  private static var composing: TextRemedy {
    // Not uconv, which leaves some pairs of kana as they are.
    .python("import sys, unicodedata; print(unicodedata.normalize(\"NFC\", sys.stdin.read()))")
      ?? "perl -CSD -MUnicode::Normalize -pe '$_ = NFC($_)' {}"
  }
}

extension TextRemedy {
  /// A script that reads standard input; nil without Python.
  fileprivate static func python(_ script: String) -> TextRemedy? {
    hasPython ? "python3 -c '\(script)' < {}" : nil
  }
}

private var hasPython: Bool { isInstalled("python3") }

/// Whether a command is found on the path.
private func isInstalled(_ name: String) -> Bool { FileSystem.program(name) != nil }

// MARK: - Columns, notations, bullets

extension ColumnFinding {
  fileprivate var separatorName: String {
    separator == " " ? "two blanks or more" : "a \(separator.separatorName)"
  }

  /// What prints the column, without a file.
  private var cut: String {
    switch separator {
    case "\t": "cut -f\(column)"
    case " ": "awk -F'  +' '{ sub(/^ +/, \"\"); print $\(column) }'"
    case ",", ":": "cut -d\(separator) -f\(column)"
    default: "cut -d'\(separator)' -f\(column)"
    }
  }

  fileprivate var remedy: TextRemedy {
    let source = hasHeader ? "tail -n +\(headerLines + 1) {} | " : ""
    let file = hasHeader ? "" : " {}"
    guard isQuoted else { return "\(source)\(cut)\(file)" }
    let delimiter = separator == "\t" ? #"\t"# : String(separator)
    guard hasPython else {
      // Every second piece is between quotes; there the separator is put aside.
      return """
        \(source)awk -F'"' -v OFS= '{ for (i = 2; i <= NF; i += 2) \
        gsub(/[\(delimiter)]/, "\\037", $i); $1 = $1; print }'\(file) | \
        \(cut) | tr '\\037' '\(delimiter)'
        """
    }
    return """
      \(source)python3 -c 'import csv, sys; [print(r[\(column - 1)]) for r in \
      csv.reader(sys.stdin, delimiter="\(delimiter)", skipinitialspace=True) \
      if len(r) >= \(column)]'\(hasHeader ? "" : " < {}")
      """
  }
}

extension QuotePair {
  fileprivate static func name(of pairs: [QuotePair]) -> String {
    pairs.allSatisfy { $0.opening.contains("*") } ? "asterisks" : "quotes"
  }
}

extension ListNotation {
  fileprivate var name: String {
    switch self {
    case .json: "JSON"
    case .jsonLines: "JSON on each line"
    case .sql: "SQL"
    case .vCard: "contacts (vCard)"
    }
  }

  fileprivate var remedy: TextRemedy? {
    switch self {
    case .json: hasPython ? .json() : nil
    case .jsonLines:
      hasPython
        ? .json("(json.loads(l.strip().rstrip(\",\")) for l in sys.stdin if l.strip())") : nil
    case .sql: .sql
    case .vCard: "sed -nE 's/^FN[^:]*://p' {}"
    }
  }
}

extension BulletFinding {
  fileprivate var remedy: TextRemedy {
    let signs = marks.map { ["*", "+"].contains($0) ? "\\" + $0 : $0 }.joined(separator: "|")
    let box = #"(\[[ xX]\][[:blank:]]+)?"#
    let setting = key.map { "(\($0):[[:blank:]]+)?" } ?? ""
    let start = "^[[:blank:]]*(\(signs))[[:blank:]]+\(box)\(setting)"
    let link =
      hasLinks ? #"s/\[\[([^]|]*\|)?([^]]*)\]\]/\2/g; s/\[([^]]*)\]\([^)]*\)/\1/g; "# : ""
    return isComplete
      ? "sed -nE '/\(start)/{ s///; \(link)p; }' {}"
      : "sed -E 's/\(start)//\(link.isEmpty ? "" : "; " + link.dropLast(2))' {}"
  }
}

// MARK: - Letters and signs

extension ReferenceMark {
  fileprivate var example: String {
    switch self {
    case .bracketed: "[1]"
    case .superscript: "¹"
    case .dagger: "†"
    }
  }

  /// For sed, which may not know letters beyond ASCII.
  fileprivate var pattern: String {
    switch self {
    case .bracketed: #"\[((n|nb|note)? ?[0-9]{1,3}|[a-z])\]"#
    case .superscript: "¹|²|³|⁰|⁴|⁵|⁶|⁷|⁸|⁹"
    case .dagger: "†|‡"
    }
  }
}

extension EscapeForm {
  fileprivate var example: String {
    switch self {
    case .backslash: #"\u00e9"#
    case .percent: "%C3%A9"
    case .equals: "=C3=A9"
    case .utf7: "+AOk-"
    }
  }

  fileprivate var remedy: TextRemedy? {
    switch self {
    case .backslash:
      .python(
        #"""
        import re, sys; t = re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})", \#
        lambda m: chr(int(m[1][1:], 16)), sys.stdin.read()); \#
        print(t.encode("utf-16", "surrogatepass").decode("utf-16"))
        """#)
    case .percent:
      .python("import sys, urllib.parse; print(urllib.parse.unquote(sys.stdin.read()))")
    case .equals:
      .python("import quopri, sys; quopri.decode(sys.stdin.buffer, sys.stdout.buffer)")
    case .utf7: .iconv("UTF-7")
    }
  }
}

extension Misreading {
  /// Line by line, since some may have been read correctly.
  fileprivate var remedy: TextRemedy {
    .python(
      #"""
      exec("import sys\nfor l in sys.stdin.read().splitlines():\n \#
      try: l = l.encode(\"\#(read)\").decode(\"\#(written)\")\n except ValueError: pass\n \#
      print(l)")
      """#)
      ?? "iconv -f UTF-8 -t \(read) {}\(written == "UTF-8" ? "" : " | iconv -f \(written) -t UTF-8")"
  }
}

extension Lookalikes {
  fileprivate var remedy: TextRemedy? {
    switch self {
    case .variants(let ranges):
      let letters = ranges.map(\.escaped).joined()
      return .python(
        """
        import re, sys, unicodedata; print(re.sub("[\(letters)]+", \
        lambda m: unicodedata.normalize("NFKC", m[0]), sys.stdin.read()))
        """)
    case .ofOtherScript(let pairs, let script):
      let (found, meant) = (pairs.map { "\($0.found)" }, pairs.map { "\($0.meant)" })
      let letter = script.lowerBound < 0x80 ? "a-zA-Z" : script.escaped
      return .python(
        #"""
        import re, sys; \#
        t = str.maketrans("\#(found.joined())", "\#(meant.joined())"); \#
        print(re.sub(r"[^\W\d_]*[\#(letter)][^\W\d_]*", lambda m: m[0].translate(t), \#
        sys.stdin.read()))
        """#)
    }
  }
}

extension ClosedRange<UInt32> {
  /// What the variants of letters in a range are called.
  fileprivate var variantName: String {
    switch lowerBound {
    case 0xFB00: "ligatures"
    case 0xFE80: "letters by position"
    case 0xFF21: "full-width letters"
    case 0xFF66: "half-width letters"
    default: "mathematical letters"
    }
  }

  /// This range as it is written in a character class of Python's `re`.
  fileprivate var escaped: String {
    [lowerBound, upperBound].map { value in
      let digits = String(value, radix: 16, uppercase: true)
      let (sign, length) = value > 0xFFFF ? (#"\U"#, 8) : (#"\u"#, 4)
      return sign + String(repeating: "0", count: length - digits.count) + digits
    }.joined(separator: "-")
  }
}
