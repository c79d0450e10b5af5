// Hashes that decide who trains: known values, fair shares, equal words together.

import Testing

@testable import CharMLP

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
