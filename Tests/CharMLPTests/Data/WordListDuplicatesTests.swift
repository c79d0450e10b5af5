// Words that are the same, and the list without them.

import Testing

@testable import CharMLP

@Suite("Duplicates in a word list")
struct WordListDuplicatesTests {
  @Test("are removed but for the first occurrence, and the order stays")
  func firstStays() throws {
    let words = try WordList(["ida", "bo", "ida", "ada", "bo", "ida", "bob"])
    #expect(words.firstOccurrences() == [0, 1, 0, 3, 1, 0, 6])
    #expect(words.deduplicated() == (try WordList(["ida", "bo", "ada", "bob"])))
  }

  @Test("are words with equal bytes: two ways to write é are two words")
  func bytes() throws {
    let words = try WordList(["é", "e\u{301}", "E", "e"])
    #expect(words.deduplicated() == words)
  }

  @Test("are found as a set of byte arrays finds them", arguments: [2, 300, 5_000])
  func agreesWithASet(count: Int) throws {
    let words = try WordList(RandomWords.make(count: count, alphabet: 4, longest: 9))
    var seen = Set<[UInt8]>()
    let expected = words.filter { seen.insert(Array($0.utf8)).inserted }
    #expect(words.deduplicated() == (try WordList(expected)))
    #expect(words.deduplicated().deduplicated() == words.deduplicated())
  }

  @Test("longer than any stretch that is hashed at once are told apart by any byte")
  func longWords() throws {
    let word = String(repeating: "a", count: 40)
    let variants = (0..<40).map { String(word.dropFirst(40 - $0)) + "b" + word.dropLast($0 + 1) }
    let words = try WordList(variants + [word] + variants)
    #expect(words.deduplicated() == (try WordList(variants + [word])))
  }
}
