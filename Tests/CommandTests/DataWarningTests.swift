// Warnings about lists that are something other than words: each comes with a line of shell, which is
// pasted here, and a clean list gets none.

import Foundation
import Testing

/// A line of shell that makes `words.txt` of the 1,200 words in `plain.txt`.
struct OddList: Sendable, CustomTestStringConvertible {
  let kind: String
  let script: String
  let words: Int

  init(_ kind: String, _ script: String, leaves words: Int = 1200) {
    (self.kind, self.script, self.words) = (kind, script, words)
  }

  var testDescription: String { "\(kind): \(script)" }
}

private let oddLists = [
  OddList("columns", #"awk '{ print $0 "," NR }' plain.txt"#),
  OddList("columns", #"{ echo name,count; awk '{ print $0 "," NR }' plain.txt; }"#),
  OddList("columns", #"{ printf 'id;name\r\n'; awk '{ printf "%d;%s\r\n", NR, $0 }' plain.txt; }"#),
  OddList("columns", #"awk '{ print "x\t" NR "\t" $0 "\t" 3 }' plain.txt"#),
  OddList(
    "columns", #"{ echo '"name","n"'; awk '{ print "\"" $0 ", jr\",\"" NR "\"" }' plain.txt; }"#),
  OddList("columns", #"awk '{ print NR "|" $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ print $0, NR }' plain.txt"#),
  OddList("numbers", #"awk '{ printf "%7d %s\r\n", NR, $0 }' plain.txt"#),
  OddList("numbers", #"awk '{ print NR ". " $0 }' plain.txt"#),
  OddList("starts_with_count", "{ echo 1200; cat plain.txt; }"),
  OddList("spelling_flags", "{ echo 1200; sed 's|$|/SMG|' plain.txt; }"),
  OddList("spelling_flags", #"{ echo 1200; sed 's|$|/12,34\tpo:noun|' plain.txt; }"#),
  OddList("spelling_flags", "sed '0~2s|$|/ab|' plain.txt"),
  OddList("comments", "{ echo '# Names 2020'; cat plain.txt; echo '; more'; echo '// end'; }"),
  OddList("comments", #"{ printf '#a\r\n\r\n'; sed 's/$/\r/' plain.txt; }"#),
  OddList("markup", "sed 's|.*|<li>&</li>|' plain.txt"),
  OddList("markup", "sed 's/a/\\&auml;/' plain.txt"),
  OddList("quoted", "sed 's/.*/\"&\"/' plain.txt"),
  OddList("quoted", "sed 's/.*/  \"&\",/' plain.txt"),
  OddList("quoted", "sed \"s/.*/'&'/\" plain.txt"),
  OddList("quoted", "sed 's/.*/“&”/' plain.txt"),
  OddList("digits", "sed '0~100s/$/2/' plain.txt", leaves: 1188),
  OddList("misread", "sed 's/a/é/g' plain.txt | iconv -f CP1252 -t UTF-8"),
  OddList("misread", "sed 's/a/й/g' plain.txt | iconv -f CP1252 -t UTF-8"),
  OddList(
    "misread",
    "{ sed 's/a/é/g; 600q' plain.txt | iconv -f CP1252 -t UTF-8; sed '1,600d; s/o/ü/' plain.txt; }"),
  OddList("replacements", "sed '0~100s/.$/\u{FFFD}/' plain.txt", leaves: 1188),
  OddList(
    "invisible",
    "sed '0~9s/$/\u{200B}/; 0~7s/./&\u{AD}/; 0~5s/^/\u{200E}/; 0~3s/$/\u{2060}/' plain.txt"),
  OddList("invisible", "sed '4s/./&\u{200D}/; 8s/$/\u{200C}/' plain.txt"),
  OddList("normal_forms", "sed 's/a/\u{E9}/g; 0~2s/\u{E9}/e\u{301}/g' plain.txt"),
  OddList("normal_forms", "sed 's/a/が/g; 0~9s/が/か\u{3099}/g' plain.txt"),
  OddList("mixed_case", "sed '0~3s/^./\\U&/' plain.txt"),
  OddList("unequal_lengths", "{ cat plain.txt; head -c 600 /dev/zero | tr '\\0' x; }"),
  OddList("inflected", "sed 's/$/xy/; p; s/$/s/; p; s/s$/ing/' plain.txt | LC_ALL=C sort"),
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

  @Test("come with a line that mends the list", arguments: oddLists)
  func mended(list: OddList) throws {
    try #require(try place.guarded("\(list.script) > words.txt").status == 0)
    let found = try warnings(try describe("train --data words.txt"))
    let line = try #require(found[list.kind], "\(found)")
    let others = Set(found.keys).subtracting([list.kind, "duplicated"])
    #expect(others.isEmpty, "\(found)")
    let mended = try describe(line)
    #expect(mended["words"] as? Int == list.words || list.kind == "inflected", "\(line)")
    #expect(try warnings(mended)[list.kind] == nil, "\(line)")
  }

  @Test("are not given for a clean one", arguments: cleanLists)
  func clean(script: String) throws {
    try #require(try place.guarded("\(script) > words.txt").status == 0)
    #expect(try warnings(try describe("train --data words.txt")).isEmpty)
  }

  @Test("name the line of the first character that nobody sees, blank lines counted")
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

  @Test("come after a first line that is told whole, however long the file's name")
  func firstLine() throws {
    let name = "words-of-a-language-with-a-long-name.txt"
    #expect(try place.guarded("cp plain.txt \(name)").status == 0)
    let described = try place.guarded("train \(name) --describe").output
    let start = described.split(separator: "\nwords  ").first?.replacing("\n  ", with: " ")
    #expect(
      start?.hasPrefix("\(name): 1,200 words, all distinct; ") == true
        && start?.hasSuffix(", median 7\n") == true, "\(described)")
  }

  @Test("show their lines after a warning on a terminal's lines")
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
