// A list that is split by hash: what several ranks read of it is what one process reads.

import Foundation
import Testing

@testable import CharMLP

@Suite("A list that is split by hash")
struct HashSplitListTests {
  private static let small = SampleLimits(bytes: 2000, words: 50, windows: 100)

  private func text(_ words: [String]) -> [UInt8] {
    Array(("\u{FEFF}" + words.joined(separator: "\r\n\n ")).utf8)
  }

  /// What every rank makes of a file; one process alone for 0 ranks.
  private func lists(
    _ path: String, ranks: Int, _ limits: SampleLimits
  ) -> [Result<HashSplitList, WordListError>] {
    guard ranks > 0 else {
      return [
        Result { () throws(WordListError) in
          try HashSplitList(contentsOf: path, splitSeed: 42, limits: limits)
        }
      ]
    }
    return ThreadRanks.run(ranks) { communicator in
      Result { () throws(WordListError) in
        try HashSplitList(
          contentsOf: path, splitSeed: 42, communicator: communicator, limits: limits)
      }
    }
  }

  @Test(
    "Any number of ranks get the vocabulary, words, split and windows of one process",
    arguments: 1...5, [SampleLimits.standard, small])
  func ranks(count: Int, limits: SampleLimits) throws {
    let words = RandomWords.make(count: 997, alphabet: 40, longest: 12)
    let file = try TemporaryFile(text(words))
    let alone = try lists(file.path, ranks: 0, limits)[0].get()
    let shared = try lists(file.path, ranks: count, limits).map { try $0.get() }
    #expect(alone.wordCount == 997)
    #expect(alone.isComplete == (limits.words > 50))
    #expect(alone.words.count == (alone.isComplete ? 997 : 50))
    for list in shared {
      #expect(list.vocabulary == alone.vocabulary)
      #expect(list.words == alone.words)
      #expect(list.split == alone.split)
      #expect(list.byteCount == alone.byteCount)
      #expect(list.fingerprint == alone.fingerprint)
      #expect(list.text.isPart && list.text.windowCount == alone.text.windowCount)
    }
    #expect(shared.flatMap(\.text.ids.expanded) == alone.text.ids.expanded)
    #expect(shared.flatMap { Array($0.text.windows) } == Array(0..<alone.text.windowCount))
  }

  @Test("A list split by hash is the same from memory and from a file, and in order if complete")
  func fromMemory() throws {
    let words = try WordList(RandomWords.make(count: 300, alphabet: 300, longest: 9))
    let file = try TemporaryFile(words.utf8)
    let read = try HashSplitList(contentsOf: file.path, splitSeed: 7)
    let taken = HashSplitList(words, splitSeed: 7)
    #expect(read.words == words && taken.words == words)
    #expect(read.vocabulary == Vocabulary(of: words))
    #expect(read.text == taken.text && read.split == taken.split)
    #expect(read.fingerprint == WordFingerprint(words))
    let train = try EncodedWords(
      words, selecting: read.split.train, vocabulary: read.vocabulary)
    #expect(read.text.ids.expanded == train.ids)
    let shared = ThreadRanks.run(3) { HashSplitList(words, splitSeed: 7, communicator: $0) }
    #expect(shared.flatMap(\.text.ids.expanded) == train.ids)
  }

  @Test("Equal words share a part of a split by hash")
  func duplicates() throws {
    let words = RandomWords.make(count: 200, alphabet: 5, longest: 3)
    let list = HashSplitList(try WordList(words + words.shuffled()), splitSeed: 1)
    let train = Set(list.split.train.map { list.words[$0] })
    let others = Set((list.split.validation + list.split.test).map { list.words[$0] })
    #expect(!train.isEmpty && !others.isEmpty && train.isDisjoint(with: others))
  }

  @Test(
    "A sample has the words with the smallest keys, in whatever order they come",
    arguments: [1, 10, 400])
  func sample(limit: Int) throws {
    let words = try WordList(RandomWords.make(count: 400, alphabet: 30, longest: 9))
    let limits = SampleLimits(bytes: 100, words: limit, windows: 100)
    let found = HashSplitList(words, splitSeed: 0, limits: limits).words
    let keys = words.indices.map { WordHash.mixed(UInt64(words.utf8Range(of: $0).lowerBound)) }
    var expected: [String] = []
    var bytes = 0
    for word in words.indices.sorted(by: { keys[$0] < keys[$1] }) {
      bytes += words.utf8Range(of: word).count + 1
      guard bytes <= 100, expected.count < limit else { break }
      expected.append(words[word])
    }
    #expect(!expected.isEmpty && Array(found) == expected)
  }

  @Test(
    "All ranks report the first error of a list split by hash, with its line and byte",
    arguments: 0...4)
  func errors(ranks: Int) throws {
    let lines = (0..<1000).map { "word\($0)" }
    var bad = lines
    bad[700] = "bad\u{7}"
    bad[900] = "worse\u{200}\u{FEFF}"
    let start = lines[..<700].joined(separator: "\n").utf8.count + 1
    for (text, expected) in [
      (
        bad.joined(separator: "\n"),
        "line 701: U+0007 (a control character) at byte \(start + 3); convert it with tr -d '\\007'"
      ),
      ("", WordListError.empty.description), ("\n \n\n", WordListError.onlyBlankLines.description),
    ] {
      let file = try TemporaryFile(Array(text.utf8))
      for found in lists(file.path, ranks: ranks, .standard) {
        #expect(throws: WordListError.self) { try found.get() }
        guard case .failure(let error) = found else { continue }
        #expect(error.description == expected)
        #expect(error.kind == .badData)
      }
    }
    for found in lists("/nowhere/at/all", ranks: ranks, .standard) {
      guard case .failure(let error) = found else {
        Issue.record("there is no such file")
        continue
      }
      #expect(error.kind == .noInput)
    }
  }

  @Test("A list beyond the memory limit is refused, before reading if its length is known")
  func memory() throws {
    let file = try TemporaryFile(Array("word\n".utf8))
    #expect(throws: WordListError.tooLarge(size: 5, limit: 4)) {
      try HashSplitList(contentsOf: file.path, splitSeed: 1, memoryLimit: 4)
    }
    let pipe = file.path + ".fifo"
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    defer { try? FileManager.default.removeItem(atPath: pipe) }
    Thread.detachNewThread {
      let text = String(repeating: "a\nb\nc\n", count: 100)
      try? FileHandle(forWritingAtPath: pipe)?.write(contentsOf: Data(text.utf8))
    }
    #expect(throws: WordListError.tooLarge(size: nil, limit: 100)) {
      try HashSplitList(contentsOf: pipe, splitSeed: 1, memoryLimit: 100)
    }
  }

  @Test("One process reads a list from a pipe, several ranks refuse it")
  func pipes() throws {
    #expect(throws: WordListError.self) {
      try lists("/dev/null", ranks: 2, .standard)[1].get()
    }
    #expect(throws: WordListError.empty) { try lists("/dev/null", ranks: 0, .standard)[0].get() }
  }
}
