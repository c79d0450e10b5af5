// What the commands say of a word list that deserves a warning, and the line of shell that mends it.
//
// There is no flag for any of it: the shell has the tools. Each line is tried by a test, on a list of
// the kind that it is for.

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
    case .numbers: "numbers"
    case .startsWithCount: "starts_with_count"
    case .spellingFlags: "spelling_flags"
    case .comments: "comments"
    case .markup: "markup"
    case .quoted: "quoted"
    case .digits: "digits"
    case .misread: "misread"
    case .replacements: "replacements"
    case .invisible: "invisible"
    case .normalForms: "normal_forms"
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
    case .mixedCase(let letters):
      """
      mixed case: \(letters == 1 ? "one letter counts" : "\(letters) letters count") as two symbols, \
      capital and small; unless the model should learn capitals, make the list lower case
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
    case .numbers(let lines, let areLast):
      """
      numbers: \(Format.counted(lines, "line")) \(areLast ? "end in" : "begin with") a number, which \
      becomes part of the word
      """
    case .startsWithCount:
      "a count: the first line is a number, which is learned as a word"
    case .spellingFlags(let words, _):
      """
      a spelling dictionary: \(Format.counted(words, "word")) with flags after a slash, as hunspell \
      has them, are learned with the flags
      """
    case .comments(let lines, let marks):
      """
      comments: \(Format.counted(lines, "line")) that \(lines == 1 ? "begins" : "begin") with \
      \(marks.joined(separator: " or ")) \(lines == 1 ? "is" : "are") learned as words
      """
    case .markup(let words):
      "HTML: tags or entities in \(Format.counted(words, "place")) are learned as letters"
    case .quoted(let words, _):
      "quotes: \(Format.counted(words, "word")) between quotes, which are learned as letters"
    case .digits(let words):
      """
      digits: \(Format.counted(words, "word")) \(words == 1 ? "has" : "have") a digit in a list that \
      otherwise has none
      """
    case .misread(let words):
      """
      misread text: \(Format.counted(words, "word")) \(words == 1 ? "contains" : "contain") UTF-8 that \
      was once read as windows-1252, such as Ã© for é
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

extension ColumnFinding {
  fileprivate var separatorName: String {
    switch separator {
    case "\t": "a tab"
    case ",": "a comma"
    case ";": "a semicolon"
    default: "a bar"
    }
  }

  /// `cut` for the column, without a file.
  fileprivate var cut: String {
    separator == "\t"
      ? "cut -f\(column)"
      : "cut -d\(separator == "," ? "," : "'\(separator)'") -f\(column)"
  }
}

// MARK: - What mends a list

extension DataWarning {
  /// The line of shell that prints the list without what is warned of, if there is one: with tools
  /// that are installed, as far as there is a choice.
  package var remedy: TextRemedy? {
    switch self {
    case .tiny, .duplicated: nil
    case .mixedCase:
      hasPython
        ? TextRemedy("python3 -c 'import sys; print(sys.stdin.read().lower())' < {}")
        : TextRemedy(#"sed 's/.*/\L&/' {}"#)
    case .unequalLengths(let median, _):
      TextRemedy("LC_ALL=C.UTF-8 grep -axE '.{1,\(4 * max(median, 3))}' {}")
    case .columns(let table): table.remedy
    case .numbers(_, areLast: true):
      TextRemedy("sed -E 's/[[:blank:]]+[0-9]+[[:space:]]*$//' {}")
    case .numbers(_, areLast: false):
      TextRemedy("sed -E 's/^[[:blank:]]*[0-9]+[.):]?[[:blank:]]+//' {}")
    case .startsWithCount: TextRemedy("tail -n +2 {}")
    case .spellingFlags(_, let startsWithCount):
      startsWithCount
        ? TextRemedy("tail -n +2 {} | cut -d/ -f1 | cut -f1")
        : TextRemedy("cut -d/ -f1 {} | cut -f1")
    case .comments(_, let marks):
      TextRemedy("grep -avE '^[[:blank:]]*(\(marks.joined(separator: "|")))' {}")
    case .markup:
      hasPython
        ? TextRemedy(
          """
          python3 -c 'import html, re, sys; \
          print(html.unescape(re.sub("<[^>]*>", "", sys.stdin.read())))' < {}
          """)
        : TextRemedy("sed 's/<[^>]*>//g' {}")
    case .quoted(_, areDouble: true):
      TextRemedy(#"sed -E 's/^[[:space:]]*("|“|«)//; s/("|”|»)[,;]?[[:space:]]*$//' {}"#)
    case .quoted(_, areDouble: false):
      TextRemedy(#"sed -E "s/^[[:space:]]*('|\`|‘)//; s/('|’)[,;]?[[:space:]]*\$//" {}"#)
    case .digits: TextRemedy("grep -av '[0-9]' {}")
    case .misread:
      hasPython
        ? TextRemedy(
          #"""
          python3 -c 'exec("import sys\nfor l in sys.stdin.read().splitlines():\n \#
          try: l = l.encode(\"cp1252\").decode()\n except ValueError: pass\n print(l)")' < {}
          """#)
        : TextRemedy("iconv -f UTF-8 -t CP1252 {}")
    case .replacements: TextRemedy(#"LC_ALL=C grep -av "$(printf '\357\277\275')" {}"#)
    case .invisible(let characters, _, _, _):
      TextRemedy(
        "LC_ALL=C sed '"
          + characters.map { "s/\($0.scalar.escapedUTF8)//g" }.joined(separator: "; ") + "' {}")
    case .normalForms: Self.composing
    case .inflected:
      TextRemedy(
        """
        awk '{ sub(/\\r$/, "") } length(stem) < 4 || index($0, stem) != 1 { print; stem = $0 }' {}
        """)
    }
  }

  private static var composing: TextRemedy {
    // Not uconv as long as there is another: it leaves some pairs of kana as they are.
    if hasPython {
      return TextRemedy(
        """
        python3 -c 'import sys, unicodedata; \
        print(unicodedata.normalize("NFC", sys.stdin.read()))' < {}
        """)
    }
    if isInstalled("uconv") { return TextRemedy("uconv -f UTF-8 -t UTF-8 -x nfc {}") }
    return TextRemedy("perl -CSD -MUnicode::Normalize -pe '$_ = NFC($_)' {}")
  }
}

extension ColumnFinding {
  fileprivate var remedy: TextRemedy {
    let source = hasHeader ? "tail -n +2 {} | " : ""
    guard isQuoted, hasPython else {
      return TextRemedy(
        (hasHeader ? source + cut : cut + " {}") + (isQuoted ? #" | tr -d '"'"# : ""))
    }
    let delimiter = separator == "\t" ? #"\t"# : String(separator)
    return TextRemedy(
      source
        + """
        python3 -c 'import csv, sys; [print(r[\(column - 1)]) for r in \
        csv.reader(sys.stdin, delimiter="\(delimiter)") if len(r) >= \(column)]'
        """ + (hasHeader ? "" : " < {}"))
  }
}

private var hasPython: Bool { isInstalled("python3") }

/// Whether a command is found on the path.
private func isInstalled(_ name: String) -> Bool { FileSystem.program(name) != nil }

extension Unicode.Scalar {
  /// Its bytes as sed writes them.
  fileprivate var escapedUTF8: String {
    utf8.map { #"\x"# + String($0, radix: 16, uppercase: true) }.joined()
  }
}
