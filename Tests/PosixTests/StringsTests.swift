// Text by its bytes: no combining mark hides a delimiter.

import Testing

@testable import Posix

@Suite struct StringsTests {
  private static let mark = "\u{301}"

  @Test(
    "A delimiter splits, whatever follows it", arguments: ["/", "'", "<", ":", ",", "=", " ", "."])
  func pieces(delimiter: String) throws {
    let byte = try #require(delimiter.utf8.first)
    let text = "a\(delimiter)\(Self.mark)b\(delimiter)c"
    #expect(text.split(separator: Character(delimiter)).count == 2, "by Character")
    #expect(text.pieces(separatedBy: byte) == ["a", "\(Self.mark)b", "c"])
    #expect("".pieces(separatedBy: byte) == [])
    #expect("".pieces(separatedBy: byte, omittingEmpty: false) == [""])
    #expect(
      "\(delimiter)a\(delimiter)".pieces(separatedBy: byte, omittingEmpty: false) == ["", "a", ""])
    #expect(text.pieces(separatedBy: byte, maxSplits: 1).count == 2)
    #expect(text.contains(byte: byte) && !"a\(Self.mark)".contains(byte: byte))
  }

  @Test("The ends of a text are compared by bytes")
  func ends() {
    let text = "/\(Self.mark)a/"
    #expect(text.begins(with: "/") && text.ends(with: "a/") && !text.ends(with: "/a/"))
    #expect(text.remainder(after: "/") == "\(Self.mark)a/")
    #expect(text.remainder(after: "a") == nil)
    // The same character to Unicode, and another name to a file system.
    #expect("\u{212A}" == "K" && !"\u{212A}".begins(with: "K"))
  }

  @Test(
    "The directory of a path",
    arguments: [
      ("a/b", "a"), ("a/\(mark)b", "a"), ("/\(mark)b", "/"), ("a", "."), ("a/b/\(mark)", "a/b"),
    ])
  func parent(path: String, directory: String) {
    #expect(FileSystem.parent(of: path) == directory)
  }

  @Test("Words are separated by blanks and line ends of ASCII alone")
  func words() {
    let words = " a\tb \(Self.mark)\r\nc\u{A0}d\n".asciiWords.map(String.init)
    #expect(words == ["a", "b", Self.mark, "c\u{A0}d"])
  }
}
