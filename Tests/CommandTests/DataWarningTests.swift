// Warnings about lists that are something other than words: each comes with a shell command, which
// is pasted here, and a clean list gets none.

import Foundation
import Testing

/// A shell command that makes `words.txt` of the 1,200 words in `plain.txt`.
struct OddList: Sendable, CustomTestStringConvertible {
  let kind: String
  let script: String
  let words: Int

  init(_ kind: String, _ script: String, leaves words: Int = 1200) {
    (self.kind, self.script, self.words) = (kind, script, words)
  }

  var testDescription: String { "\(kind): \(script)" }
}

/// A line of sed that writes plain words in other letters.
private let inCyrillic =
  "sed '"
  + zip("kalomirnetsvdubfgpz", "каломирнетсвдубфгпз").map { "s/\($0)/\($1)/g; " }.joined() + "'"

private let oddLists = [
  OddList("columns", #"awk '{ print $0 "," NR }' plain.txt"#),
  OddList("columns", #"{ echo name,count; awk '{ print $0 "," NR }' plain.txt; }"#),
  OddList("columns", #"{ printf 'id;name\r\n'; awk '{ printf "%d;%s\r\n", NR, $0 }' plain.txt; }"#),
  OddList("columns", #"awk '{ print "x\t" NR "\t" $0 "\t" 3 }' plain.txt"#),
  OddList(
    "columns", #"{ echo '"name","n"'; awk '{ print "\"" $0 ", jr\",\"" NR "\"" }' plain.txt; }"#),
  OddList("columns", #"awk '{ print NR "|" $0 }' plain.txt"#),
  OddList("columns", "{ printf '| Name |\\n|------|\\n'; sed 's/.*/| & | 3 |/' plain.txt; }"),
  OddList("columns", #"awk '{ printf "%-14s%-6s%6d\n", $0, "noun", NR }' plain.txt"#),
  OddList("columns", "rev plain.txt | paste -d: plain.txt -"),
  OddList("columns", "sed 's/.*/name: &/' plain.txt"),
  OddList(
    "columns", "{ echo 'sep=;'; echo 'First name;E-mail'; sed 's/.*/&;&@x.org/' plain.txt; }"),
  OddList("columns", "{ echo name,county,note; sed 's/$/,Kent,x/' plain.txt; }"),
  OddList(
    "several_per_line",
    "{ echo 'const a = ['; sed 's/.*/\"&\",/' plain.txt | paste -sd '     \\n'; echo '];'; }"),
  OddList("several_per_line", "paste -sd ',,,,,,,\\n' plain.txt"),
  OddList("several_per_line", "paste -sd '       \\n' plain.txt"),
  OddList("notation", #"sed 's/.*/"&",/; 1s/^/[/; $s/,$/]/' plain.txt"#),
  OddList("notation", #"{ echo '['; sed 's/.*/  "&",/; $s/,$//' plain.txt; echo ']'; }"#),
  OddList("notation", #"{ echo '{'; sed 's/.*/"&": 3,/; $s/,$//' plain.txt; echo '}'; }"#),
  OddList(
    "notation",
    #"{ echo '['; sed 's/.*/{\n"id": 3,\n"name": "&"\n},/; $s/,$//' plain.txt; echo ']'; }"#),
  OddList("notation", #"sed 's/.*/BEGIN:VCARD\nFN;CHARSET=UTF-8:&\nEND:VCARD/' plain.txt"#),
  OddList("notation", #"sed 's/.*/{"id": 3, "word": "&"}/' plain.txt"#),
  OddList("notation", "sed \"s/.*/INSERT INTO w VALUES (3, '&');/\" plain.txt"),
  OddList("notation", "{ echo 'INSERT INTO w VALUES'; sed \"s/.*/('&'),/\" plain.txt; }"),
  OddList("bullets", "sed 's/^/- /' plain.txt"),
  OddList("bullets", "{ echo words:; sed 's/^/  * /' plain.txt; }"),
  OddList("bullets", "sed 's/^/• /' plain.txt"),
  OddList("bullets", "sed 's/^/- [ ] /' plain.txt"),
  OddList("bullets", "{ echo ---; sed 's/^/- name: /' plain.txt; }"),
  OddList("bullets", "sed 's|.*|- [&](https://x.org/&)|' plain.txt"),
  OddList("bullets", "sed 's/.*/* [[&]]/' plain.txt"),
  OddList("bullets", "sed 's/.*/* [[& (town)|&]]/' plain.txt"),
  OddList("numbers", #"awk '{ print $0, NR }' plain.txt"#),
  OddList("numbers", #"awk '{ print $0 " (" NR ")" }' plain.txt"#),
  OddList("numbers", #"awk '{ print $0 "=" NR }' plain.txt"#),
  OddList("numbers", #"awk '{ print $0, NR / 7 }' plain.txt"#),
  OddList("columns", #"awk '{ print $0 ": " NR }' plain.txt"#),
  OddList("numbers", #"sed 's/$/ 62,413/' plain.txt"#),
  OddList("numbers", #"sed 's/$/       0.070 12.556 3/' plain.txt"#),
  OddList("numbers", #"sed 's/^/1.2e-01 /' plain.txt"#),
  OddList("numbers", #"awk '{ print "(" NR ") " $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ printf "%7d %s\r\n", NR, $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ print NR ". " $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ print "№" NR " " $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ print "№ " NR ". " $0 }' plain.txt"#),
  OddList("numbers", ##"awk '{ print "#" NR " " $0 }' plain.txt"##),
  OddList(
    "enumeration", #"awk 'NR <= 26 { printf "%c) %s\n", 96 + NR, $0 }' plain.txt"#, leaves: 26),
  OddList(
    "enumeration", #"awk 'NR <= 9 { printf "(%c) %s\n", 64 + NR, $0 }' plain.txt"#, leaves: 9),
  OddList(
    "enumeration",
    """
    awk 'BEGIN { split("i ii iii iv v vi vii viii ix x xi xii", r) }
      NR <= 12 { print r[NR] ". " $0 }' plain.txt
    """, leaves: 12),
  OddList("starts_with_header", "{ echo 'First name'; cat plain.txt; }"),
  OddList("starts_with_count", "{ echo 1200; cat plain.txt; }"),
  OddList("spelling_flags", "{ echo 1200; sed 's|$|/SMG|' plain.txt; }"),
  OddList("spelling_flags", #"{ echo 1200; sed 's|$|/12,34\tpo:noun|' plain.txt; }"#),
  OddList("spelling_flags", "sed '0~2s|$|/ab|' plain.txt"),
  OddList("comments", "{ echo '# Names 2020'; cat plain.txt; echo '; more'; echo '// end'; }"),
  OddList("comments", #"{ printf '#a\r\n\r\n'; sed 's/$/\r/' plain.txt; }"#),
  OddList("comments", "{ echo '-- a list'; echo '% of words'; echo '! end'; cat plain.txt; }"),
  OddList("comments", "{ echo '! a'; echo '!! b'; echo '##  c'; cat plain.txt; echo '# end'; }"),
  OddList("comments", "{ echo 'REM a list'; cat plain.txt; }"),
  OddList("comments", "{ printf '/*\\n * a list\\n */\\n'; cat plain.txt; echo '# end'; }"),
  OddList("trailing_comments", "sed '0~3s/$/ # noun/' plain.txt"),
  OddList("trailing_comments", "sed '0~3s/$/ ## noun/' plain.txt"),
  OddList("trailing_comments", "sed 's|$|  // rank 12|' plain.txt"),
  OddList("trailing_comments", "sed '0~7s/$/ ; old/; 0~11s/$/ -- see there/' plain.txt"),
  OddList("trailing_comments", "sed 's/$/ -- a/; s/$/ & &/' plain.txt"),
  OddList("trailing_comments", "sed '60q; 20s/$/ # old/' plain.txt", leaves: 60),
  OddList("columns", "sed 's/$/ ; old/' plain.txt"),
  OddList("reference_marks", "sed '0~5s/$/[12]/; 0~7s/$/ [note 3]/; 0~9s/$/[a][2]/' plain.txt"),
  OddList("reference_marks", "sed 's/$/[1]\\r/' plain.txt"),
  OddList("reference_marks", "sed '0~5s/$/\u{B9}/; 0~7s/$/\u{B9}\u{2070}/; 0~9s/$/†/' plain.txt"),
  OddList("addresses", "sed 's/$/@mail.example.org/' plain.txt"),
  OddList("addresses", "sed '0~40s/$/@example.org/; 9s/^/ /' plain.txt", leaves: 1170),
  OddList("trailing_comments", "sed 's/$/ (f)/; 0~2s/f)/m)/' plain.txt"),
  OddList("markup", "sed 's|.*|<li>&</li>|' plain.txt"),
  OddList("markup", "sed 's|.*|<tr><td>&</td><td><b></b></td></tr>|' plain.txt"),
  OddList("escaped", #"sed 's/a/\\u00e9/' plain.txt"#),
  OddList("escaped", "sed 's/a/%C3%A9/' plain.txt"),
  OddList("escaped", "sed 's/a/=C3=A9/' plain.txt"),
  OddList("escaped", "sed 's/a/é/' plain.txt | iconv -f UTF-8 -t UTF-7"),
  OddList("markup", "sed 's/a/\\&auml;/' plain.txt"),
  OddList("quoted", "sed 's/.*/\"&\"/' plain.txt"),
  OddList("quoted", "sed 's/.*/  \"&\",/' plain.txt"),
  OddList("quoted", "sed \"s/.*/'&'/\" plain.txt"),
  OddList("quoted", "sed 's/.*/“&”/' plain.txt"),
  OddList("quoted", "sed 's/.*/`&`/' plain.txt"),
  OddList("quoted", "sed 's/.*/„&“/' plain.txt"),
  OddList("quoted", "sed 's/.*/「&」/' plain.txt"),
  OddList("quoted", "sed 's/.*/[&]/' plain.txt"),
  OddList("quoted", "sed 's/.*/**&**/' plain.txt"),
  OddList("quoted", "sed 's/.*/*&*/; 0~2s/.*/*&*/' plain.txt"),
  OddList("quoted", "sed 's/.*/« & »/' plain.txt"),
  OddList("quoted", "{ echo 'words = ['; sed \"s/.*/    '&',/\" plain.txt; echo ']'; }"),
  OddList("quoted", "{ echo 'const a = ['; sed 's/.*/  \"&\",/' plain.txt; echo '];'; }"),
  OddList("digits", "sed '0~100s/$/2/' plain.txt", leaves: 1188),
  OddList("misread", "sed 's/a/é/g' plain.txt | iconv -f CP1252 -t UTF-8"),
  OddList("misread", "sed 's/a/й/g' plain.txt | iconv -f CP1252 -t UTF-8"),
  OddList(
    "misread",
    "{ sed 's/a/é/g; 600q' plain.txt | iconv -f CP1252 -t UTF-8; sed '1,600d; s/o/ü/' plain.txt; }"),
  OddList("misread", "sed 's/a/ó/; s/o/ę/' plain.txt | iconv -f CP1250 -t UTF-8"),
  OddList("misread", "\(inCyrillic) plain.txt | iconv -f KOI8-R -t UTF-8"),
  OddList("misread", "\(inCyrillic) plain.txt | iconv -f CP866 -t UTF-8"),
  OddList("misread", "sed 's/a/é/g' plain.txt | iconv -f MACINTOSH -t UTF-8"),
  OddList("misread", "sed 's/a/é/g' plain.txt | iconv -f CP437 -t UTF-8"),
  OddList(
    "misread",
    "\(inCyrillic) plain.txt | iconv -f UTF-8 -t CP1251 | iconv -f CP1252 -t UTF-8"
  ),
  OddList("replacements", "sed '0~100s/.$/\u{FFFD}/' plain.txt", leaves: 1188),
  OddList(
    "invisible",
    "sed '0~9s/$/\u{200B}/; 0~7s/./&\u{AD}/; 0~5s/^/\u{200E}/; 0~3s/$/\u{2060}/' plain.txt"),
  OddList("invisible", "sed '4s/./&\u{200D}/; 8s/$/\u{200C}/' plain.txt"),
  OddList(
    "invisible",
    "sed '4s/./&\u{3164}/; 5s/./&\u{2800}/; 6s/./&\u{FE0F}/; 7s/./&\u{E0061}/' plain.txt"),
  OddList("invisible", "sed '4s/./&\u{E000}/; 5s/./&\u{115F}/; 6s/./&\u{FFFC}/' plain.txt"),
  OddList("invisible", "sed '4s/./&\u{E0061}\u{E0062}\u{E007F}/' plain.txt"),
  OddList("lookalikes", "sed '0~9s/a/\u{430}/g; 0~7s/o/\u{43E}/g' plain.txt"),
  OddList("lookalikes", "\(inCyrillic) plain.txt | sed '0~9s/\u{430}/a/'"),
  OddList("lookalikes", "sed '4s/o/\u{3BF}/g' plain.txt", leaves: 1200),
  OddList("lookalikes", "sed '0~9s/a/\u{430}/g; 0~7s/o/\u{3BF}/g' plain.txt"),
  OddList("lookalikes", "sed '0~5s/a/\u{FF41}/g' plain.txt"),
  OddList("lookalikes", "sed '0~5s/fi/\u{FB01}/g' plain.txt"),
  OddList("normal_forms", "sed 's/a/\u{E9}/g; 0~2s/\u{E9}/e\u{301}/g' plain.txt"),
  OddList("normal_forms", "sed 's/a/が/g; 0~9s/が/か\u{3099}/g' plain.txt"),
  OddList("normal_forms", "sed 's/a/ガ/g; 0~9s/ガ/カ\u{3099}/g' plain.txt"),
  OddList("mixed_case", "sed 's/a/ı/; s/i/İ/; 0~3s/^./\\U&/' plain.txt"),
  OddList("mixed_case", "sed '0~3s/^./\\U&/' plain.txt"),
  OddList("unequal_lengths", "{ cat plain.txt; head -c 600 /dev/zero | tr '\\0' x; }"),
  OddList("inflected", "sed 's/$/xy/; p; s/$/s/; p; s/s$/ing/' plain.txt | LC_ALL=C sort"),
]

/// Tables of the words in `plain.txt` with quotes around some values.
private let quotedTables = [
  #"{ echo author,title; sed 's/.*/"Smith, John",&/' plain.txt; }"#,
  #"sed 's/.*/&,"Smith, ""Jo"", John"/' plain.txt"#,
  #"awk '{ print "\"Smith, John\", " NR ", \"" $0 "\"" }' plain.txt"#,
  #"awk '{ print "\"Smith, John\";" NR ";" $0 }' plain.txt"#,
  #"awk '{ print (NR % 10 ? $0 : "\"" $0 "\"") "," NR }' plain.txt"#,
  #"awk '{ print (NR == 1200 ? "\"" $0 "\"" : $0) "\t" NR }' plain.txt"#,
  #"awk '{ print (NR % 10 ? "Kent" : "\"Kent\nand\nSurrey\"") "|" $0 }' plain.txt"#,
  // A quote that is a character like others.
  #"awk '{ print $0 "," (NR == 7 ? "\"" : "5\"") NR }' plain.txt"#,
]

private let cleanLists = [
  "cat plain.txt", "LC_ALL=C sort plain.txt", "sed 's/^./\\U&/' plain.txt",
  "sed 's/.*/\\U&/' plain.txt",
  "sed '0~2s/$/ vel/; 0~3s/$/\u{A0}dor/' plain.txt", "sed '0~2s/$/-kami/' plain.txt",
  "sed \"0~2s/^./o'&/\" plain.txt", "sed 's/^./\\U&/; s/$/, Ohio/' plain.txt",
  "sed 's/a/\u{E9}/g; s/o/\u{F8}/g' plain.txt", "sed 's/a/e\u{301}/g' plain.txt",
  "sed 's/a/می\u{200C}خواهم/' plain.txt", "sed 's/a/👩\u{200D}👧/' plain.txt",
  "sed 's/a/क\u{94D}\u{200D}ष/; s/o/क\u{93C}/' plain.txt", "sed 's/^/#/' plain.txt",
  "sed 's/a/ã/; s/o/â/; s/u/å/' plain.txt", "sed '7s/$/ \\& co/; 9s|.|&/&|' plain.txt",
  "sed 's/^./\\U&/; 0~4s/^/van den /; 0~5s/^/da /' plain.txt",
  "sed 's/^./\\U&/; 0~4s|$|/Biel|; 0~8s|/.*|/Bienne|' plain.txt",
  "rev plain.txt | paste -d/ plain.txt -",
  "sed '0~3s/$/ :)/; 0~4s|$| </3|' plain.txt", "sed '2s/^/;) /; 3s/^/#️⃣/' plain.txt",
  "sed '0~3s/^/#/' plain.txt", "awk '{ print \"HD \" NR * 7919 % 100003 }' plain.txt",
  "sed 's/.*/std::&<int>/' plain.txt", "sed 's/.*/& <&@x.org>/' plain.txt",
  "sed 's|.*|https://x.org/?a=&\\&b=&;c|' plain.txt", "sed 's/a/✈\u{FE0F}/; s/o/👍🏽/' plain.txt",
  "sed 's/^./\\U&/; s/$/: vel/' plain.txt | sed 's/: /: V/'",
  "sed 's/a/ё/; s/o/і/; s/i/Рі/' plain.txt",
  #"sed 's/^./\U&/; 0~2s/^/O’/; s/$/, Smith/; 0~9s/Smith/"Jo" &/' plain.txt"#,
  "sed '0~2!s/^./\\U&/; 0~2s/^/Þ/; s/a/ð/; s/o/ö/; s/i/ý/' plain.txt",
  "sed '0~4!s/^./\\U&/; 0~4s/^/Đ/; s/a/ễ/; s/o/ư/; s/i/ậ/' plain.txt",
  "sed 's/a/ı/; s/o/ğ/; s/u/ş/; s/e/ç/; s/^i/j/' plain.txt",
  // Initials, words with asterisks, hash signs.
  "awk '{ printf \"%c. %s\\n\", 65 + NR * 7 % 26, $0 }' plain.txt",
  "sed 's/$/*/; 0~3s/^/*/' plain.txt",
  // Words of two scripts, and whole words in one of them.
  "sed '0~2s/$/шкаф/' plain.txt",
  #"sed 's/.*/C:\\&/' plain.txt"#,
  "awk '{ print \"+49 170 \" 70021 + NR * 7919 % 10000 }' plain.txt",
  "sed '0~3s/$/ (work)/' plain.txt",
  // Molecules.
  "sed 's/[aeiou]/C(=O)/; s/[aeiou]/C=C/; s/[a-z]/C/g; s/./&1/' plain.txt | awk '{ print $0 NR }'",
  "{ sed 600q plain.txt; sed 1,600d plain.txt | \(inCyrillic); }",
  // Titles, tones, units, elements of an array, versions, pictures of two sizes.
  "sed '0~3s/$/ vel -- dor/; 0~5s/$/ an ; el/' plain.txt",
  "sed 's/[aeiou]/&\u{B9}/; s/[aeiou][a-z]/&\u{B2}/; 0~2s/$/\u{B9}/' plain.txt",
  "sed '0~9s/$/\u{B2}/; 0~7s/$/\u{B3}/' plain.txt",
  "sed '0~3s/$/[key]/; 0~5s/$/[ab]/; 0~7s/^/[b]/' plain.txt",
  "sed 's/.*/@&\\/& @&.&@/; 0~3s/@/ @ /' plain.txt",
  "sed 's/.*/:&:/' plain.txt", "sed 's/.*/\u{E000}\u{E001}&/' plain.txt",
  "sed 's/^./\\U&/; 7s/$/ of the seven towns upon/' plain.txt",
  // The last two letters of each are UTF-8 in windows-1250, of an Ogham sign.
  "{ cat plain.txt; printf 'plášť\\nzvlášť\\nzášť\\nvášť\\nmlášť\\n'; }",
]

@Suite("Warnings about a list")
struct DataWarningTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    let syllables = [
      "ka", "lo", "mi", "ra", "ne", "ti", "so", "vel", "dor", "an", "el", "is", "um", "ba", "fi",
      "gu", "pe",
    ]
    let words = (0..<1200).map { index in
      let number = index * 1237 % 4913
      return syllables[number / 289] + syllables[number / 17 % 17] + syllables[number % 17] + "\n"
    }
    let different = Set(words)
    try #require(different.count > 1190)
    let rest = (0...).lazy.map { "zu" + syllables[$0] + "\n" }
    try place.write(
      (Array(different.sorted { $0.hashed < $1.hashed }) + rest.prefix(1200 - different.count))
        .joined().utf8, to: "plain.txt")
  }

  private func describe(_ line: String) throws -> [String: Any] {
    let outcome = try place.guarded(line + " --describe --json")
    try #require(outcome.status == 0, "\(line)\n\(outcome.errors)")
    return try jsonObject(outcome.output)
  }

  private func warnings(_ report: [String: Any]) throws -> [String: String] {
    let warnings = try #require(report["warnings"] as? [[String: Any]])
    return Dictionary(
      uniqueKeysWithValues: warnings.map {
        ($0["kind"] as? String ?? "", $0["command"] as? String ?? "")
      })
  }

  @Test("A warning comes with a shell command that fixes the list", arguments: oddLists)
  func mended(list: OddList) throws {
    try #require(try place.guarded("\(list.script) > words.txt").status == 0)
    let found = try warnings(try describe("train --data words.txt"))
    let line = try #require(found[list.kind], "\(found)")
    let others = Set(found.keys).subtracting([list.kind, "duplicated", "tiny"])
    #expect(others.isEmpty, "\(found)")
    let mended = try describe(line)
    #expect(mended["words"] as? Int == list.words || list.kind == "inflected", "\(line)")
    #expect(try warnings(mended)[list.kind] == nil, "\(line)")
  }

  @Test("The column that is printed is the one that was counted", arguments: quotedTables)
  func quotedColumn(script: String) throws {
    try #require(try place.guarded("\(script) > words.txt").status == 0)
    let line = try #require(try warnings(try describe("train --data words.txt"))["columns"])
    let printed = try place.guarded("\(line.split(separator: " | train")[0])")
    #expect(printed.output == String(decoding: try place.read("plain.txt"), as: UTF8.self))
  }

  @Test("A clean list gets no warning", arguments: cleanLists)
  func clean(script: String) throws {
    try #require(try place.guarded("\(script) > words.txt").status == 0)
    #expect(try warnings(try describe("train --data words.txt")).isEmpty)
  }

  @Test("The warning about invisible characters names the first one's line, counting blank lines")
  func invisibleLine() throws {
    let words = (0..<30).map { "ab" + String($0, radix: 30) + "c" }
    let text = ["", "", words[0], " "] + words[1...4] + ["x\u{AD}y"] + words[5...] + ["z\u{AD}"]
    try place.write(text.joined(separator: "\n").utf8, to: "words.txt")
    let found = try place.guarded("train words.txt --describe").output
    #expect(found.contains("invisible characters: in 2 words, the first of them in line 9: "))
    // Once duplicates are removed, lines are no longer known.
    let without = try place.guarded("train words.txt --describe --deduplicate").output
    #expect(without.contains("the first of them word 6: "))
  }

  @Test("--describe prints its first line whole, however long the file's name")
  func firstLine() throws {
    let name = "words-of-a-language-with-a-long-name.txt"
    #expect(try place.guarded("cp plain.txt \(name)").status == 0)
    let described = try place.guarded("train \(name) --describe").output
    let lines = described.split(separator: "\n", omittingEmptySubsequences: false)
    let first = lines.prefix { !$0.isEmpty }.map { $0.drop { $0 == " " } }.joined(separator: " ")
    #expect(first.hasPrefix("\(name): 1,200 words, all distinct; "), "\(first)")
    #expect(first.hasSuffix(" characters, median 6"), "\(first)")
  }

  @Test("The shell command is printed below its warning, which is wrapped")
  func text() throws {
    #expect(try place.guarded("sed 's/$/,1/' plain.txt > words.txt").status == 0)
    let line = "  try:  cut -d, -f1 words.txt | train --data -\n"
    let described = try place.guarded("train --data words.txt --describe")
    #expect(described.output.contains("\nwarning: columns: 1,200 lines with a comma"))
    #expect(described.output.hasSuffix(line))
    let trained = try place.guarded("train --data words.txt --steps 1 --hidden 2 --samples 0")
    #expect(trained.errors.contains(line), "\(trained.errors)")
  }
}

extension String {
  /// An order that is not the alphabet's.
  fileprivate var hashed: Int { utf8.reduce(7) { ($0 * 31 + Int($1)) % 65521 } }
}
