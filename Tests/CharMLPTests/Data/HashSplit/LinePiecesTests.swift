// A file in pieces: every line once, whole, by whoever it belongs to.

import Foundation
import Testing

@testable import CharMLP

@Suite("Pieces of a word list")
struct LinePiecesTests {
  static let texts = [
    "", "\n", "\n\n\n", "a", "a\n", "emma\nolivia\nava", "emma\r\nolivia\r\n\r\nava\r\n",
    "\u{FEFF}é\nß\n", String(repeating: "x", count: 300) + "\nb\n\nc",
  ]

  /// The pieces of the lines that begin in a range of a file, put together.
  private func lines(_ path: String, _ range: Range<Int>?, chunkSize: Int) throws -> [UInt8] {
    var pieces =
      if let range {
        try LinePieces(.opening(path), beginningIn: range, chunkSize: chunkSize)
      } else {
        try LinePieces(.opening(path), chunkSize: chunkSize)
      }
    var text: [UInt8] = []
    var end: Int?
    while let piece = try pieces.next() {
      #expect(!piece.text.isEmpty && (end == nil || piece.offset == end))
      end = piece.offset + piece.text.count
      text += piece.text
    }
    return text
  }

  @Test(
    "Each line of a file is in the part where it begins, whatever the parts and chunks",
    arguments: texts, [1, 2, 3, 5, 1000])
  func partition(text: String, chunkSize: Int) throws {
    let file = try TemporaryFile(Array(text.utf8))
    let size = text.utf8.count
    #expect(try lines(file.path, nil, chunkSize: chunkSize) == Array(text.utf8))
    for parts in 1...7 {
      let found = try (0..<parts).map { part in
        let range = part * size / parts..<(part + 1) * size / parts
        let lines = try lines(file.path, range, chunkSize: chunkSize)
        #expect(lines.isEmpty || part == parts - 1 || lines.last == UInt8(ascii: "\n"))
        return lines
      }
      #expect(found.flatMap(\.self) == Array(text.utf8), "\(parts) parts")
    }
  }

  @Test("A line that does not end is passed on once it is too long for any list")
  func overlong() throws {
    let file = try TemporaryFile([UInt8](repeating: 97, count: 300_000))
    var pieces = LinePieces(try .opening(file.path), chunkSize: 1000)
    let piece = try #require(try pieces.next())
    #expect((65_536..<70_000).contains(piece.text.count))
  }
}

/// A file with some bytes, which goes when this does.
final class TemporaryFile: Sendable {
  let path = NSTemporaryDirectory() + "charmlp-\(UUID().uuidString)"

  init(_ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
