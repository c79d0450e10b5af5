// Files that are no text in UTF-8, by their first bytes; encodings and remedies are tried in a
// shell by the tests of the commands.

import CharMLP
import Testing

@Suite("FileFormat")
struct FileFormatTests {
  static let formats: [(start: [UInt8], name: String, command: String?)] = [
    ([0x1F, 0x8B, 0x08, 0x00], "compressed by gzip", "gzip -dc 'a b'"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed by xz", "xz -dc 'a b'"),
    (Array("BZh91AY&SY".utf8), "compressed by bzip2", "bzip2 -dc 'a b'"),
    ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd", "zstd -dc 'a b'"),
    (Array("PK\u{3}\u{4}".utf8) + Array("names.txt".utf8), "a zip archive", "unzip -p 'a b'"),
    (
      Array("PK\u{3}\u{4}[Content_Types].xml PK\u{3}\u{4}xl/workbook.xml".utf8),
      "an Excel workbook",
      "unzip -p 'a b' 'xl/*.xml' | grep -oE '<t( [^>]*)?>[^<]+' | sed 's/<[^>]*>//'"
    ),
    (
      Array("PK\u{3}\u{4}word/document.xml".utf8), "a Word document",
      #"unzip -p 'a b' word/document.xml | sed 's/<\/w:p>/\n/g; s/<[^>]*>//g'"#
    ),
    (Array("%PDF-1.7\n".utf8), "a PDF", "pdftotext -nopgbrk 'a b' -"),
    (Array(#"{\rtf1\ansi"#.utf8), "rich text (RTF)", "unrtf --text 'a b'"),
    ([0x89, 0x50, 0x4E, 0x47], "an image (PNG)", nil),
    ([0x7F, 0x45, 0x4C, 0x46], "an executable (ELF)", nil),
    (Array("SQLite format 3\0".utf8), "a SQLite database", nil),
    ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "an old Office file (xls, doc)", nil),
  ]

  @Test(
    "A format is known by its first bytes, and so is the command that converts it",
    arguments: formats)
  func format(start: [UInt8], name: String, command: String?) {
    do throws(WordListError) {
      _ = try WordList(utf8: start)
      Issue.record("accepted")
    } catch {
      guard case .foreignFormat(name, let remedy) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(remedy?.command(for: "'a b'") == command)
    }
  }

  @Test(
    "Words that begin like a format are words",
    arguments: ["PK\nPKa\n", "BZh\n1AY\n", "Rar!\n", "GIF\n", "LZIP\n", "ID3\n", "%PDF\n", "MZ\n"])
  func words(text: String) throws {
    #expect(try WordList(text: text).utf8 == Array(text.utf8))
  }

  @Test("Binary data without a known signature is refused as binary data")
  func binary() throws {
    let module: [UInt8] = [0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 5, 0x60, 2, 0x7F, 0x80, 3, 4]
    #expect(throws: WordListError.foreignFormat("binary data", nil)) {
      try WordList(utf8: module)
    }
    // What stands between words is none of it, whatever their encoding.
    for text in [Array("anna\0bert\0".utf8), Array("anna\u{C}bert\u{C}ren".utf8) + [0xE9, 0x0A]] {
      #expect {
        try WordList(utf8: text)
      } throws: { error in
        guard case .refusedCharacter(1, 4, _, .some) = error as? WordListError else { return false }
        return true
      }
    }
  }

  @Test("A carriage return at the very end ends the last line")
  func lastCarriageReturn() throws {
    for text in ["anna\r\nbert\r", "anna\nbert\r", "anna\r\nbert \r"] {
      #expect(Array(try WordList(text: text)) == ["anna", "bert"])
    }
    #expect(throws: WordListError.onlyBlankLines) { try WordList(text: "\r") }
  }
}
