// A word list made ready for training: its vocabulary, its split, and the windows of each part.
//
// Minibatches are drawn from the training text, which is all of it, or a rank's part. What is told about
// the list, and what a model is measured by, comes from words that are all of the list if it has up to
// 16 MB, and a sample beyond that; `isSample` says which.

/// What trains, validates and tests a network with a given block size.
public struct Dataset: Sendable {
  /// All words, or a sample of them.
  public let words: WordList
  public let vocabulary: Vocabulary
  /// Which of `words` train, validate and test.
  public let split: Split
  /// The windows of those of `words` that train.
  public let train: ContextWindows
  /// The windows of those of `words` that validate.
  public let validation: ContextWindows
  /// The windows of those of `words` that test.
  public let test: ContextWindows
  /// What minibatches are drawn from.
  public let trainingText: TrainingText
  /// The number of words of the whole list.
  public let wordCount: Int
  /// What calibration and losses are taken over.
  public let measured: MeasuredWindows
  /// How many words were left out of the list because they stood in it before.
  public internal(set) var duplicatesRemoved = 0

  /// Whether `words` are a sample of the list.
  public var isSample: Bool { words.count < wordCount }

  /// Splits a word list as the notebook does: Python's `random.seed(splitSeed)` and `shuffle`, then
  /// 80 % train, 10 % validate, 10 % test.
  ///
  /// - Parameters:
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  ///   - limits: Up to which length a list is taken as it is.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, splitSeed: UInt64, blockSize: Int,
    memoryLimit: Int = Self.defaultMemoryLimit, limits: SampleLimits = .standard
  ) throws(DatasetError) {
    guard words.count >= Self.fewestWords else {
      throw .tooFewWords(words.count, needed: Self.fewestWords)
    }
    var order = Array(words.indices)
    var random = PythonRandom(seed: splitSeed)
    random.shuffle(&order)
    let split = Split.notebook(permutation: order)
    let vocabulary = Vocabulary(of: words)
    if words.utf8.count <= limits.bytes {
      try self.init(words, split, vocabulary, blockSize, memoryLimit: memoryLimit)
    } else {
      guard let sample = WordSample(words, split, limits).list() else {
        preconditionFailure("a sample of a list has words")
      }
      try self.init(
        sample.words, sample.split, vocabulary, blockSize, memoryLimit: memoryLimit,
        sampleOf: words.count, windowLimit: limits.windows,
        text: TrainingText(words, split.train, vocabulary))
    }
  }

  /// Takes a list that was split by hash.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ list: HashSplitList, blockSize: Int, memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    for (part, words) in [
      ("train", list.split.train), ("validate", list.split.validation), ("test", list.split.test),
    ] where words.isEmpty {
      throw .emptyPart(part, words: list.wordCount)
    }
    try self.init(
      list.words, list.split, list.vocabulary, blockSize, memoryLimit: memoryLimit,
      sampleOf: list.wordCount, windowLimit: list.isComplete ? .max : list.limits.windows,
      text: list.text)
  }

  private init(
    _ words: WordList, _ split: Split, _ vocabulary: Vocabulary, _ blockSize: Int,
    memoryLimit: Int, sampleOf wordCount: Int? = nil, windowLimit: Int = .max,
    text: TrainingText? = nil
  ) throws(DatasetError) {
    let count = words.characterCount + words.count
    let memory = ContextWindows.byteCount(windows: count, blockSize: blockSize)
    guard let memory, memory <= memoryLimit / 2 else {
      throw .tooLarge(windows: count, blockSize: blockSize)
    }
    func windows(_ selection: ArraySlice<Int>) -> ContextWindows {
      do {
        return try ContextWindows(
          words, selecting: selection, vocabulary: vocabulary, blockSize: blockSize)
      } catch {
        preconditionFailure("a vocabulary made of the words knows their characters: \(error)")
      }
    }
    (self.words, self.split, self.vocabulary) = (words, split, vocabulary)
    train = windows(split.train)
    validation = windows(split.validation)
    test = windows(split.test)
    self.wordCount = wordCount ?? words.count
    trainingText = text ?? TrainingText(train)
    measured = MeasuredWindows(train, validation, test, limit: windowLimit)
  }

  /// With fewer words the notebook's cuts leave a part empty: int(0.9 · 5) = int(0.8 · 5) = 4.
  static let fewestWords = 6

  /// The memory limit unless told otherwise: 32 GiB, far above any list that trains in a lifetime here.
  public static let defaultMemoryLimit = 32 << 30
}

/// The windows that calibration and losses are taken over: all, or as many of a sample as are worth it.
public struct MeasuredWindows: Sendable {
  public let train: ContextWindows
  public let validation: ContextWindows
  public let test: ContextWindows

  init(_ train: ContextWindows, _ validation: ContextWindows, _ test: ContextWindows, limit: Int) {
    self.train = train.words(upTo: limit)
    self.validation = validation.words(upTo: limit)
    self.test = test.words(upTo: limit)
  }
}

/// Why a word list cannot become a data set.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Too few words to train, validate and test, once those that repeat an earlier one are removed.
  case tooFewWords(Int, needed: Int, removed: Int = 0)
  /// No word's hash puts it into a part.
  case emptyPart(String, words: Int)
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
    case .emptyPart(let part, let count):
      "of \(count) \(count == 1 ? "word" : "words") the hash lets none \(part); add words, or use "
        + "--split shuffle"
    case .tooLarge(let windows, let blockSize):
      "\(windows) windows of \(blockSize) characters do not fit into memory; "
        + "choose a smaller block size or list"
    }
  }
}

// MARK: - A data set as a recipe asks for it

extension Dataset {
  /// Makes the data set of a recipe: split as it says, duplicates removed before if it says so.
  ///
  /// - Parameters:
  ///   - communicator: The ranks that share out the training text if it is split by hash; nil for this
  ///     process alone.
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, communicator: (any Communicator)? = nil,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    if recipe.split == .hash {
      let list = HashSplitList(
        words, splitSeed: recipe.splitSeed, communicator: communicator)
      try self.init(list, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
      return
    }
    let kept = recipe.deduplicate ? words.deduplicated() : words
    guard kept.count >= Self.fewestWords || kept.count == words.count else {
      throw .tooFewWords(
        kept.count, needed: Self.fewestWords, removed: words.count - kept.count)
    }
    try self.init(
      kept, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
    duplicatesRemoved = words.count - kept.count
  }
}

// MARK: - Which words train, which validate and which test

// The notebook's split shuffles the words and cuts at 80 % and 90 %. The shuffle itself comes from
// outside, as a permutation, so that nothing here depends on a generator. A split is an order of the
// words and two cuts; any other way to divide a list (by a hash of the word, say) is one more function
// that returns such an order, with the words of each part together.
//
// Words are named by their index in the list and not copied. Duplicates are not looked at: a word that
// stands twice in a list may train and validate.

/// A division of a word list into words for training, validation and testing.
public struct Split: Equatable, Sendable {
  /// Word indices: those that train, then those that validate, then those that test.
  public let order: [Int]
  /// How many words train.
  public let trainCount: Int
  /// How many words validate.
  public let validationCount: Int

  /// The indices of the words that train.
  public var train: ArraySlice<Int> { order[..<trainCount] }
  /// The indices of the words that validate.
  public var validation: ArraySlice<Int> { order[trainCount..<trainCount + validationCount] }
  /// The indices of the words that test.
  public var test: ArraySlice<Int> { order[(trainCount + validationCount)...] }

  /// A split by an order of the words and two cuts.
  ///
  /// - Precondition: `order` holds each of 0..<order.count once; the counts fit into it.
  public init(order: [Int], trainCount: Int, validationCount: Int) {
    precondition(Self.isPermutation(order), "Split: the order is not a permutation of the words")
    precondition(
      trainCount >= 0 && validationCount >= 0 && trainCount <= order.count - validationCount,
      "Split: \(trainCount) and \(validationCount) of \(order.count) words")
    self.order = order
    self.trainCount = trainCount
    self.validationCount = validationCount
  }

  /// The notebook's split: after shuffling, words[..<n1], words[n1..<n2] and words[n2...] with
  /// n1 = int(0.8 · n) and n2 = int(0.9 · n).
  ///
  /// Both products are rounded to double precision and then cut off, as Python does it. Parts of a
  /// short list may be empty.
  /// - Parameter permutation: the index of the word that the shuffle puts at each place.
  public static func notebook(permutation: [Int]) -> Split {
    let n = Double(permutation.count)
    let (n1, n2) = (Int(0.8 * n), Int(0.9 * n))
    return Split(order: permutation, trainCount: n1, validationCount: n2 - n1)
  }

  private static func isPermutation(_ order: [Int]) -> Bool {
    var seen = [Bool](repeating: false, count: order.count)
    for index in order {
      guard order.indices.contains(index), !seen[index] else { return false }
      seen[index] = true
    }
    return true
  }
}
