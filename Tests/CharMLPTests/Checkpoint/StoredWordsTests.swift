// A word list in a model file, and what it is compressed and recognized by.

import Testing

@testable import CharMLP

@Suite("StoredWords")
struct StoredWordsTests {
  @Test("A list comes back as it was, and is recognized")
  func roundTrip() throws {
    let list = try bundledWords()
    let stored = StoredWords(list)
    #expect(stored.isComplete)
    #expect(try stored.wordList() == list)
    #expect(try stored.matches(list))
    #expect(try !stored.matches(WordList(Array(list.dropLast()))))
    var other = Array(list)
    other.swapAt(0, 1)
    #expect(try !stored.matches(WordList(other)))
  }

  @Test("A list beyond the limit is recognized by its length and fingerprint alone")
  func longList() throws {
    let list = try WordList(["anna", "bert"])
    let stored = StoredWords(list, limit: 9)
    #expect(!stored.isComplete)
    #expect(stored.byteCount == 10)
    #expect(try stored.wordList() == nil)
    #expect(try stored.matches(list))
    #expect(try !stored.matches(WordList(["anna", "berz"])))
    #expect(StoredWords(list, limit: 10).isComplete)
  }

  @Test(
    "A list that was split by hash is recognized, whole or by its fingerprint", arguments: [9, 10])
  func hashSplit(limit: Int) throws {
    let words = try WordList(["anna", "bert"])
    let limits = SampleLimits(bytes: limit, words: 1, windows: 10)
    func list(_ words: WordList) -> HashSplitList {
      HashSplitList(words, splitSeed: 1, limits: limits)
    }
    let stored = StoredWords(list(words))
    #expect(stored.isComplete == (limit == 10))
    #expect(stored == StoredWords(words, limit: limit))
    #expect(try stored.matches(list(words)))
    #expect(try !stored.matches(list(WordList(["anna", "berz"]))))
  }

  @Test("Inflating allocates what was announced, and takes nothing else")
  func inflating() {
    let bytes = Zlib.compressed([UInt8](repeating: 65, count: 1_000_000))
    #expect(bytes.count < 6000)
    #expect(Zlib.inflated(bytes, count: 1_000_000)?.allSatisfy { $0 == 65 } == true)
    #expect(Zlib.inflated(bytes, count: 999_999) == nil)
    #expect(Zlib.inflated(bytes, count: 1_000_001) == nil)
    #expect(Zlib.inflated(bytes + [0], count: 1_000_000) == nil)
    #expect(Zlib.inflated(bytes.dropLast(), count: 1_000_000) == nil)
  }

  @Test("CRC-32 has its check value, and continues where another one stopped")
  func crc32() {
    let digits = Array("123456789".utf8)
    #expect(Zlib.crc32(digits[...]) == 0xCBF4_3926)
    #expect(Zlib.crc32([]) == 0)
    for cut in 0...9 {
      let first = Zlib.crc32(digits[..<cut])
      #expect(Zlib.crc32(digits[cut...], continuing: first) == 0xCBF4_3926)
    }
  }
}
