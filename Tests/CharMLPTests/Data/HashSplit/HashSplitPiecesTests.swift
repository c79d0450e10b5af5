// What a split by hash is made of: hashes with known values and fair shares, pieces of a file that
// give every line once and whole, and ids in as few bytes as they need.

import Foundation
import Testing

@testable import CharMLP

// MARK: - Hashes

@Suite("Hashes of words")
struct WordHashTests {
  private func hash(_ word: String) -> UInt64 {
    let bytes = Array(word.utf8)
    return WordHash.of(bytes.span, bytes.indices)
  }

  // FNV-1a's values are of its authors' test vectors; SplitMix64's first output from 0 is well
  // known.
  @Test("Word hashes are FNV-1a, mixed by SplitMix64")
  func knownValues() {
    #expect(WordHash.mixed(0) == 0xE220_A839_7B1D_CDAF)
    #expect(hash("") == WordHash.mixed(0xCBF2_9CE4_8422_2325))
    #expect(hash("a") == WordHash.mixed(0xAF63_DC4C_8601_EC8C))
    #expect(hash("foobar") == WordHash.mixed(0x8594_4171_F739_67E8))
  }

  // Of 100,000 words a share's standard deviation is 0.0013 (of 0.8) and 0.00095 (of 0.1): five of
  // them.
  @Test(
    "A split by hash has 80 % train, 10 % validation and 10 % test words, others for other seeds")
  func shares() {
    let hashes = (0..<100_000).map { hash("word\($0)") }
    func parts(_ seed: UInt64) -> [Split.Part] { hashes.map { Split.Part(hash: $0, seed: seed) } }
    let (first, second) = (parts(42), parts(43))
    for (part, share, bound) in [
      (Split.Part.train, 0.8, 0.0065), (.validation, 0.1, 0.005), (.test, 0.1, 0.005),
    ] {
      let found = Double(first.count { $0 == part }) / 100_000
      #expect(abs(found - share) < bound, "\(part): \(found)")
    }
    let both = zip(first, second).count { $0 == .validation && $1 == .validation }
    #expect(abs(Double(both) / 100_000 - 0.01) < 0.0016)
  }

  @Test("Fingerprints of parts combine to that of the list, and depend on words and order")
  func fingerprint() throws {
    let words = ["emma", "olivia", "ava", "emma", "zoë"]
    let whole = try WordFingerprint(WordList(words))
    for cut in 1..<words.count {
      var parts = try WordFingerprint(WordList(Array(words[..<cut])))
      parts.append(try WordFingerprint(WordList(Array(words[cut...]))))
      #expect(parts == whole)
    }
    #expect(try WordFingerprint(WordList(words.reversed())) != whole)
    #expect(try WordFingerprint(WordList(words + ["emma"])) != whole)
    #expect(WordFingerprint().value == 0)
  }
}

// MARK: - Pieces of a file

@Suite("Pieces of a word list")
struct LinePiecesTests {
  static let texts = [
    "", "\n", "\n\n\n", "a", "a\n", "emma\nolivia\nava", "emma\r\nolivia\r\n\r\nava\r\n",
    "\u{FEFF}é\nß\n", String(repeating: "x", count: 300) + "\nb\n\nc",
  ]

  /// The pieces of the lines that begin in a range of a file, put together.
  private func lines(_ path: String, _ range: Range<Int>?, chunkSize: Int) throws -> [UInt8] {
    var pieces = try LinePieces(
      .opening(path), beginningIn: range ?? 0..<Int.max, chunkSize: chunkSize)
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
    var pieces = try LinePieces(.opening(file.path), chunkSize: 1000)
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

// MARK: - Ids

@Suite("Compact ids")
struct CompactIDsTests {
  @Test(
    "Compact ids take as many bytes as the largest needs, and are returned unchanged",
    arguments: [(255, 1), (256, 2), (65_535, 2), (65_536, 4), (Int32.max, 4)])
  func width(largest: Int32, bytes: Int) {
    var ids = CompactIDs()
    ids.append([0, 1, 2])
    ids.append([largest, 3])
    ids.append([])
    #expect(ids.expanded == [0, 1, 2, largest, 3])
    #expect(ids.count == 5)
    let width = ids.narrow.isEmpty ? ids.medium.isEmpty ? 4 : 2 : 1
    #expect(width == bytes)
    #expect([ids.narrow.isEmpty, ids.medium.isEmpty, ids.wide.isEmpty].count(where: \.self) == 2)
  }

  @Test(
    "Compact ids can be renumbered, even to wider ones", arguments: [7, 300, 70_000] as [Int32])
  func renumbering(largest: Int32) {
    var ids = CompactIDs()
    ids.append([0, 2, 1, 2])
    ids.renumber([0, 5, largest])
    #expect(ids.expanded == [0, largest, 5, largest])
  }
}
