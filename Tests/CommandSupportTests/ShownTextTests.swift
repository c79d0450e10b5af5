// Nothing of a user's speaks to the terminal, turns a line around, or fills the screen.

import Foundation
import Testing

@testable import CommandSupport

@Suite struct ShownTextTests {
  @Test(
    "What does not show is spelled out",
    arguments: [
      ("\u{1B}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"), ("\u{9B}31m", "\\u{9b}31m"),
      ("a\u{202E}b\u{2066}\u{200F}\u{61C}", "a\\u{202e}b\\u{2066}\\u{200f}\\u{61c}"),
      ("\u{FEFF}a\u{AD}", "\\u{feff}a\\u{ad}"), ("\u{E0041}", "\\u{e0041}"),
      ("م\u{200C}ی 👩\u{200D}💻", "م\u{200C}ی 👩\u{200D}💻"), ("  a ", "  a "),
    ])
  func hidden(text: String, shown: String) {
    #expect(text.singleLine() == shown)
    #expect(text.shownPath == shown)
    #expect(shown.singleLine() == shown)
  }

  @Test(
    "A line is bounded in columns and in bytes",
    arguments: [
      "a", "é", "e\u{301}", "名", "🙂", "\u{301}", "\u{1B}", "\u{202E}", "\r\n", "\u{E0041}",
    ])
  func bounds(piece: String) {
    for text in [
      String(repeating: piece, count: 300_000),
      "a" + String(repeating: piece, count: 300_000) + "z",
    ] {
      let line = text.singleLine()
      #expect(line.columnCount <= 400 && line.utf8.count <= 1700)
      let pathBytes = text.shownPath.utf8.count
      #expect(pathBytes < 140_000)
      let hasFirst = text.first != "a" || line.first?.unicodeScalars.first == "a"
      #expect(hasFirst)
    }
  }

  @Test("A path that the system accepts is shown whole")
  func paths() {
    for piece in ["d", "\u{1B}", "é", "\u{202E}"] {
      let path = String(repeating: piece, count: 4095 / piece.utf8.count)
      #expect(!path.shownPath.contains("…"))
    }
  }

  @Test("A table spells out what its cells hide, and its columns are those of a terminal")
  func table() {
    var table = Table(["name", "n"])
    table.add(["名前", "1"])
    table.add(["\u{1B}[2J", "2"])
    #expect(table.text == "name       n\n名前       1\n\\u{1b}[2J  2\n")
  }

  @Test(
    "A symbol that does not show alone is spelled by its number",
    arguments: [
      ("a", "a"), ("名", "名"), ("✋", "✋"), (" ", "U+0020"), ("\u{301}", "U+0301"),
      ("\u{1100}", "\u{1100}"), ("\u{1161}", "U+1161"), ("\u{11AB}", "U+11AB"),
      ("\u{D7B0}", "U+D7B0"), ("\u{115F}", "U+115F"), ("\u{3164}", "U+3164"),
      ("\u{2800}", "U+2800"), ("\u{FE0F}", "U+FE0F"), ("\u{E0041}", "U+E0041"),
    ] as [(Unicode.Scalar, String)])
  func visible(scalar: Unicode.Scalar, shown: String) {
    #expect(scalar.visible == shown)
  }

  @Test(
    "The columns of a text are a terminal's",
    arguments: [
      ("é", 1), ("e\u{301}", 1), ("名前", 4), ("か\u{3099}", 2), ("한", 2),
      ("\u{1112}\u{1161}\u{11AB}", 2), ("✋", 2), ("⌚", 2), ("⭐", 2), ("☀", 1), ("☀\u{FE0F}", 2),
      ("✈", 1), ("⠿", 1), ("a\u{3164}b", 2), ("क\u{94D}ष", 2),
    ])
  func columns(text: String, count: Int) {
    #expect(text.columnCount == count)
  }

  @Test(
    "A word for the shell is that word again, and nothing in it runs or hides",
    arguments: [
      "", "plain-1.txt", "two words", "it's", "it'\u{301};touch PWNED;#.txt", "'\u{301}'\u{302}",
      "a\u{1B}[31m'b\\c", "\u{202E}x", "a\nb", "$(touch PWNED)`touch PWNED`", "~", "*", "名前", "é",
      "\\",
      "!", "a\u{7F}1",
    ])
  func shellWords(text: String) throws {
    let word = shellWord(text)
    #expect(word.singleLine() == word)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", "printf %s \(word)"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(Array(output) == Array(text.utf8), "\(word)")
  }

  @Test("Arguments are refused if the program's name is missing, or one is not UTF-8")
  func arguments() throws {
    let name = Array("train".utf8)
    #expect(try CommandLineWords.arguments(of: [name]) == [])
    #expect(try CommandLineWords.arguments(of: [[], Array("é".utf8)]) == ["é"])
    let missing = #expect(throws: CommandFailure.self) { try CommandLineWords.arguments(of: []) }
    #expect(missing?.status == .unavailable)
    for bytes in [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]] {
      let refused = #expect(throws: CommandFailure.self) {
        try CommandLineWords.arguments(of: [name, Array("--out".utf8), bytes])
      }
      #expect(refused?.status == .noInput && refused?.message.hasPrefix("argument 2 is") == true)
    }
  }
}
