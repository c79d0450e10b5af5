// Distinct contexts against a plain grouping, and what they must keep of the windows.

import CharMLP
import Testing

@Suite("Distinct contexts")
struct DistinctContextsTests {
  private func windows(_ words: [String], blockSize: Int) throws -> ContextWindows {
    let list = try WordList(words)
    let vocabulary = Vocabulary(of: list)
    return ContextWindows(try EncodedWords(list, vocabulary: vocabulary), blockSize: blockSize)
  }

  @Test("stand in order of first appearance, with their targets ascending and counted")
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

  @Test("are those of a plain grouping", arguments: [1, 2, 3, 4, 7, 8, 33])
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

  @Test("with a block longer than any word are the distinct beginnings of the words")
  func longBlocks() throws {
    let words = RandomWords.make(count: 500, alphabet: 3, longest: 9)
    let beginnings = Set(
      words.flatMap { word in
        (0...word.unicodeScalars.count).map { Array(word.unicodeScalars.prefix($0)) }
      })
    #expect(try windows(words, blockSize: 100).distinct().count == beginnings.count)
  }

  @Test("group a million windows")
  func millionWindows() throws {
    let word = String(repeating: "ab", count: 4_999)  // 9,998 characters
    let windows = try windows(Array(repeating: word, count: 101), blockSize: 2)
    let distinct = windows.distinct()
    #expect(windows.count == 101 * 9_999)
    #expect(distinct.contexts == [0, 0, 0, 1, 1, 2, 2, 1])  // .. .a ab ba
    #expect(distinct.targets == [1, 2, 0, 1, 2])
    #expect(distinct.targetCounts == [101, 101, 101, 101 * 4_998, 101 * 4_998])
  }
}
