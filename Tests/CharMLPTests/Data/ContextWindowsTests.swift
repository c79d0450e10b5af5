// Words as ids, and windows and distinct contexts of them, against the lecture and against plain
// definitions.

import CharMLP
import Testing

// MARK: - Ids

@Suite("Encoded words")
struct EncodedWordsTests {
  @Test("Encoded words are the characters' ids, each word followed by a terminator")
  func areNumbers() throws {
    let words = try WordList(["emma", "ava"])
    let vocabulary = Vocabulary(of: words)
    let encoded = try EncodedWords(words, vocabulary: vocabulary)
    #expect(encoded.ids == [2, 3, 3, 1, 0, 1, 4, 1, 0])
    #expect(encoded.vocabularyCount == 5)
  }

  @Test("Encoded words of a selection are in its order")
  func ofASelection() throws {
    let words = try WordList(["emma", "漢字", "é"])
    let vocabulary = Vocabulary(of: words)
    let encoded = try EncodedWords(words, selecting: [2, 1][...], vocabulary: vocabulary)
    #expect(encoded.ids == (try vocabulary.encode("é") + [0] + vocabulary.encode("漢字") + [0]))
  }

  @Test("Encoding a list agrees with encoding its words one by one, whatever their symbols")
  func agreeWithSingleWords() throws {
    let symbols = (1...5_000).compactMap { Unicode.Scalar(0x100 + UInt32($0) * 7) }
    let words = try WordList(
      symbols.filter { !$0.properties.isWhitespace }.map { "\(Character($0))x\(Character($0))" })
    let vocabulary = Vocabulary(of: words)
    let ids = try words.flatMap { try vocabulary.encode($0) + [Vocabulary.terminator] }
    #expect(try EncodedWords(words, vocabulary: vocabulary).ids == ids)
    let all = try EncodedWords(
      words, selecting: Array(words.indices)[...], vocabulary: vocabulary)
    #expect(all.ids == ids)
  }

  @Test("Encoding throws for a character outside the vocabulary", arguments: ["é", "漢", "b", "😀"])
  func needTheVocabulary(unknown: String) throws {
    let vocabulary = Vocabulary(of: try WordList(["a"]))
    let words = try WordList(["a", "a\(unknown)"])
    let symbol = try #require(unknown.unicodeScalars.first)
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try EncodedWords(words, vocabulary: vocabulary)
    }
    #expect(throws: VocabularyError.unknownSymbol(symbol)) {
      try EncodedWords(words, selecting: [1][...], vocabulary: vocabulary)
    }
    #expect(try EncodedWords(words, selecting: [0][...], vocabulary: vocabulary).ids == [1, 0])
  }
}

// MARK: - Windows

@Suite("Context windows")
struct ContextWindowsTests {
  /// The windows of a list's words, for people to read.
  private func lines(_ words: [String], blockSize: Int) throws -> [String] {
    let list = try WordList(words)
    let vocabulary = Vocabulary(of: list)
    let windows = ContextWindows(
      try EncodedWords(list, vocabulary: vocabulary), blockSize: blockSize)
    return (0..<windows.count).map {
      vocabulary.display(windows.context(of: $0)) + " ---> "
        + vocabulary.display([windows.targets[$0]])
    }
  }

  @Test("Context windows of 'emma' with block size 3 are the lecture's")
  func emma() throws {
    #expect(
      try lines(["emma"], blockSize: 3) == [
        "... ---> e", "..e ---> m", ".em ---> m", "emm ---> a", "mma ---> .",
      ])
  }

  @Test("Context windows start afresh at every word")
  func startAfresh() throws {
    #expect(
      try lines(["ab", "c"], blockSize: 2) == [
        ".. ---> a", ".a ---> b", "ab ---> .", ".. ---> c", ".c ---> .",
      ])
  }

  @Test("Context windows may have one character, or more than any word")
  func extremeBlockSizes() throws {
    #expect(try lines(["ab"], blockSize: 1) == [". ---> a", "a ---> b", "b ---> ."])
    #expect(
      try lines(["ab"], blockSize: 6) == [
        "...... ---> a", ".....a ---> b", "....ab ---> .",
      ])
  }

  @Test("Context windows shift the context by each target", arguments: [1, 2, 3, 8, 40])
  func followTheDefinition(blockSize: Int) throws {
    let list = try WordList(RandomWords.make(count: 300, alphabet: 12, longest: 20))
    let vocabulary = Vocabulary(of: list)
    let selection = Array((0..<list.count).reversed())[...]
    let windows = try ContextWindows(
      list, selecting: selection, vocabulary: vocabulary, blockSize: blockSize)

    var contexts: [Int32] = []
    var targets: [Int32] = []
    for index in selection {
      var context = [Int32](repeating: 0, count: blockSize)
      for id in try vocabulary.encode(list[index]) + [0] {
        contexts += context
        targets.append(id)
        context = Array(context[1...]) + [id]
      }
    }
    #expect(windows.contexts == contexts)
    #expect(windows.targets == targets)
    #expect(windows.count == list.characterCount + list.count)
    #expect(windows.blockSize == blockSize)
    #expect(windows.vocabularyCount == vocabulary.count)
  }

  @Test("Context windows refuse a word with a character that the vocabulary does not know")
  func unknownSymbol() throws {
    let vocabulary = Vocabulary(of: try WordList(["a"]))
    #expect(throws: VocabularyError.unknownSymbol("b")) {
      try ContextWindows(
        WordList(["ab"]), selecting: [0][...], vocabulary: vocabulary, blockSize: 3)
    }
  }

  @Test("The size of context windows is known beforehand, and nil if it overflows")
  func byteCount() {
    #expect(ContextWindows.byteCount(windows: 182_625, blockSize: 3) == 182_625 * 4 * 4)
    #expect(ContextWindows.byteCount(windows: 0, blockSize: 1) == 0)
    #expect(ContextWindows.byteCount(windows: 2, blockSize: .max) == nil)
    #expect(ContextWindows.byteCount(windows: .max / 4, blockSize: 1) == nil)
    #expect(ContextWindows.byteCount(windows: 1 << 40, blockSize: 1 << 40) == nil)
  }

  @Test(
    "Context windows stop the program at a block size below one or too large for any memory",
    arguments: [0, -1, .max])
  func stopAtBadBlockSizes(blockSize: Int) async {
    await #expect(processExitsWith: .failure) { [blockSize] in
      let words = try WordList(["a"])
      let encoded = try EncodedWords(words, vocabulary: Vocabulary(of: words))
      print(ContextWindows(encoded, blockSize: blockSize).count)
    }
  }
}

// MARK: - Distinct contexts

@Suite("Distinct contexts")
struct DistinctContextsTests {
  private func windows(_ words: [String], blockSize: Int) throws -> ContextWindows {
    let list = try WordList(words)
    let vocabulary = Vocabulary(of: list)
    return ContextWindows(try EncodedWords(list, vocabulary: vocabulary), blockSize: blockSize)
  }

  @Test(
    "Distinct contexts are in order of first appearance, with their targets ascending and counted")
  func order() throws {
    let distinct = try windows(["ba", "ba", "ab", "b"], blockSize: 1).distinct()
    // terminator 0, a 1, b 2; after ".": b b a b; after "b": a a . .; after "a": . . b
    #expect(distinct.contexts == [0, 2, 1])
    #expect(distinct.targetStarts == [0, 2, 4, 6])
    #expect(distinct.targets == [1, 2, 0, 1, 0, 2])
    #expect(distinct.targetCounts == [1, 3, 2, 2, 2, 1])
    #expect(distinct.count == 3)
    #expect(distinct.targetRange(of: 1) == 2..<4)
    #expect(distinct.blockSize == 1)
    #expect(distinct.vocabularyCount == 3)
  }

  @Test(
    "Distinct contexts are those of grouping by a dictionary", arguments: [1, 2, 3, 4, 7, 8, 33])
  func agreeWithPlainGrouping(blockSize: Int) throws {
    let words = RandomWords.make(count: 2_000, alphabet: 6, longest: 12)
    let windows = try windows(words, blockSize: blockSize)
    var order: [[Int32]] = []
    var counts: [[Int32]: [Int32: Int32]] = [:]
    for window in 0..<windows.count {
      let context = Array(windows.context(of: window))
      if counts[context] == nil { order.append(context) }
      counts[context, default: [:]][windows.targets[window], default: 0] += 1
    }

    let distinct = windows.distinct()
    #expect(distinct.contexts == order.flatMap { $0 })
    for (number, context) in order.enumerated() {
      let range = distinct.targetRange(of: number)
      let expected = try #require(counts[context]).sorted { $0.key < $1.key }
      #expect(Array(distinct.targets[range]) == expected.map(\.key))
      #expect(Array(distinct.targetCounts[range]) == expected.map(\.value))
    }
    #expect(distinct.targetCounts.reduce(0, +) == Int32(windows.count))
  }

  @Test("Distinct contexts longer than any word are the distinct beginnings of words")
  func longBlocks() throws {
    let words = RandomWords.make(count: 500, alphabet: 3, longest: 9)
    let beginnings = Set(
      words.flatMap { word in
        (0...word.unicodeScalars.count).map { Array(word.unicodeScalars.prefix($0)) }
      })
    #expect(try windows(words, blockSize: 100).distinct().count == beginnings.count)
  }

  @Test("Distinct contexts of a million windows are counted")
  func millionWindows() throws {
    let word = String(repeating: "ab", count: 4_999)  // 9,998 characters
    let windows = try windows(Array(repeating: word, count: 101), blockSize: 2)
    let distinct = windows.distinct()
    #expect(windows.count == 101 * 9_999)
    #expect(distinct.contexts == [0, 0, 0, 1, 1, 2, 2, 1])  // .. .a ab ba
    #expect(distinct.targets == [1, 2, 0, 1, 2])
    let pairs: Int32 = 101 * 4_998
    #expect(distinct.targetCounts == [101, 101, 101, pairs, pairs])
  }
}
