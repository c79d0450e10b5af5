// A word list made ready for training: its vocabulary, its split, and the windows of each part.

/// The windows that train, validate and test a network with a given block size.
public struct Dataset: Sendable {
  public let words: WordList
  public let vocabulary: Vocabulary
  public let split: Split
  public let train: ContextWindows
  public let validation: ContextWindows
  public let test: ContextWindows
  /// How many words were left out of the list because they stood in it before.
  public internal(set) var duplicatesRemoved = 0

  /// Splits a word list as the notebook does: Python's `random.seed(splitSeed)` and `shuffle`, then
  /// 80 % train, 10 % validate, 10 % test.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, splitSeed: UInt64, blockSize: Int,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    guard words.count >= Self.fewestWords else {
      throw .tooFewWords(words.count, needed: Self.fewestWords)
    }
    let windows = words.characterCount + words.count
    let memory = ContextWindows.byteCount(windows: windows, blockSize: blockSize)
    guard let memory, memory <= memoryLimit / 2 else {
      throw .tooLarge(windows: windows, blockSize: blockSize)
    }
    var order = Array(words.indices)
    var random = PythonRandom(seed: splitSeed)
    random.shuffle(&order)
    self.words = words
    vocabulary = Vocabulary(of: words)
    split = .notebook(permutation: order)
    train = Self.windows(words, split.train, vocabulary, blockSize)
    validation = Self.windows(words, split.validation, vocabulary, blockSize)
    test = Self.windows(words, split.test, vocabulary, blockSize)
  }

  /// With fewer words the notebook's cuts leave a part empty: int(0.9 · 5) = int(0.8 · 5) = 4.
  static let fewestWords = 6

  /// The memory limit unless told otherwise: 32 GiB, far above any list that trains in a lifetime here.
  public static let defaultMemoryLimit = 32 << 30

  private static func windows(
    _ words: WordList, _ selection: ArraySlice<Int>, _ vocabulary: Vocabulary, _ blockSize: Int
  ) -> ContextWindows {
    do {
      return try ContextWindows(
        words, selecting: selection, vocabulary: vocabulary, blockSize: blockSize)
    } catch {
      preconditionFailure("a vocabulary made of the words knows their characters: \(error)")
    }
  }
}

/// Why a word list cannot become a data set.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Too few words to train, validate and test, once those that repeat an earlier one are removed.
  case tooFewWords(Int, needed: Int, removed: Int = 0)
  /// The windows would not fit into memory.
  case tooLarge(windows: Int, blockSize: Int)

  public var description: String {
    switch self {
    case .tooFewWords(let count, let needed, removed: 0):
      "\(count) \(count == 1 ? "word" : "words"), but at least \(needed) are needed to train, "
        + "validate and test; add words"
    case .tooFewWords(let count, let needed, let removed):
      "\(count) distinct \(count == 1 ? "word" : "words") (\(removed) repeated), but at least "
        + "\(needed) are needed to train, validate and test; add words"
    case .tooLarge(let windows, let blockSize):
      "\(windows) windows of \(blockSize) characters do not fit into memory; "
        + "choose a smaller block size or list"
    }
  }
}
