// The windows of build_dataset, against the lecture's example and against its definition.

import CharMLP
import Testing

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

  @Test("of 'emma' with block size 3 are the lecture's")
  func emma() throws {
    #expect(
      try lines(["emma"], blockSize: 3) == [
        "... ---> e", "..e ---> m", ".em ---> m", "emm ---> a", "mma ---> .",
      ])
  }

  @Test("start every word afresh")
  func startAfresh() throws {
    #expect(
      try lines(["ab", "c"], blockSize: 2) == [
        ".. ---> a", ".a ---> b", "ab ---> .", ".. ---> c", ".c ---> .",
      ])
  }

  @Test("may be as short as one character and longer than any word")
  func extremeBlockSizes() throws {
    #expect(try lines(["ab"], blockSize: 1) == [". ---> a", "a ---> b", "b ---> ."])
    #expect(
      try lines(["ab"], blockSize: 6) == [
        "...... ---> a", ".....a ---> b", "....ab ---> .",
      ])
  }

  @Test("follow the definition: shift the context by each target", arguments: [1, 2, 3, 8, 40])
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

  @Test("refuse a word with a character that the vocabulary does not know")
  func unknownSymbol() throws {
    let vocabulary = Vocabulary(of: try WordList(["a"]))
    #expect(throws: VocabularyError.unknownSymbol("b")) {
      try ContextWindows(
        WordList(["ab"]), selecting: [0][...], vocabulary: vocabulary, blockSize: 3)
    }
  }

  @Test("say beforehand what they will occupy, and that it cannot be expressed")
  func byteCount() {
    #expect(ContextWindows.byteCount(windows: 182_625, blockSize: 3) == 182_625 * 4 * 4)
    #expect(ContextWindows.byteCount(windows: 0, blockSize: 1) == 0)
    #expect(ContextWindows.byteCount(windows: 2, blockSize: .max) == nil)
    #expect(ContextWindows.byteCount(windows: .max / 4, blockSize: 1) == nil)
    #expect(ContextWindows.byteCount(windows: 1 << 40, blockSize: 1 << 40) == nil)
  }

  @Test("stop at a block size below one, or one that no memory can hold", arguments: [0, -1, .max])
  func stopAtBadBlockSizes(blockSize: Int) async {
    await #expect(processExitsWith: .failure) { [blockSize] in
      let words = try WordList(["a"])
      let encoded = try EncodedWords(words, vocabulary: Vocabulary(of: words))
      print(ContextWindows(encoded, blockSize: blockSize).count)
    }
  }
}
