// A word list made ready for training: its vocabulary, its split, and the windows of each part.
//
// Minibatches are drawn from the training text, which is whole or a rank's part. Reports about the
// list, and a model's losses, come from `words`: all of a list of up to 16 MB, and a sample of a
// longer one.

/// What trains, validates and tests a network with a given block size.
public struct Dataset: Sendable {
  /// All words, or a sample of them.
  public let words: WordList
  /// The symbols of the whole list.
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
  package let trainingText: TrainingText
  /// The number of words of the whole list.
  public let wordCount: Int
  /// What calibration and losses are computed over.
  package let measured: MeasuredWindows
  /// How many words were removed because they repeat an earlier one.
  public internal(set) var duplicatesRemoved = 0

  /// Characters of context.
  public var blockSize: Int { train.blockSize }

  /// Whether `words` are a sample of the list.
  public var isSample: Bool { words.count < wordCount }

  /// Splits a word list as the notebook does: Python's `random.seed(splitSeed)` and `shuffle`, then
  /// 80 % train, 10 % validate, 10 % test.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, splitSeed: UInt64, blockSize: Int,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    try self.init(
      words, splitSeed: splitSeed, blockSize: blockSize, memoryLimit: memoryLimit,
      limits: .standard)
  }

  /// The same; `limits` say up to which length a list is used whole.
  init(
    _ words: WordList, splitSeed: UInt64, blockSize: Int,
    memoryLimit: Int = Self.defaultMemoryLimit, limits: SampleLimits
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

  /// Uses a list that was split by hash.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may
  ///   take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  package init(
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
    guard blockSize >= 1 else { throw .blockSize(blockSize) }
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

  /// With fewer words, the notebook's cuts leave a part empty: int(0.9 · 5) = int(0.8 · 5) = 4.
  static let fewestWords = 6

  /// The memory limit unless told otherwise: 32 GiB, far above any list that trains in a lifetime
  /// here.
  public static let defaultMemoryLimit = 32 << 30
}

/// The windows that calibration and losses are computed over: all, or a limited number of a sample.
package struct MeasuredWindows: Sendable {
  package let train: ContextWindows
  package let validation: ContextWindows
  package let test: ContextWindows

  init(_ train: ContextWindows, _ validation: ContextWindows, _ test: ContextWindows, limit: Int) {
    self.train = train.words(upTo: limit)
    self.validation = validation.words(upTo: limit)
    self.test = test.words(upTo: limit)
  }
}

/// Why a word list cannot become a data set.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There are too few words to train, validate and test, `removed` duplicates not counted.
  case tooFewWords(Int, needed: Int, removed: Int = 0)
  /// No word's hash puts it into the part.
  case emptyPart(String, words: Int)
  /// A context has to have a character.
  case blockSize(Int)
  /// The windows would not fit into memory.
  case tooLarge(windows: Int, blockSize: Int)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .tooFewWords(let count, let needed, removed: 0):
      "\(count) \(count == 1 ? "word" : "words"), but at least \(needed) are needed to train, "
        + "validate and test; add words"
    case .tooFewWords(let count, let needed, let removed):
      "\(count) distinct \(count == 1 ? "word" : "words") (\(removed) repeated), but at least "
        + "\(needed) are needed to train, validate and test; add words"
    case .emptyPart(let part, let count):
      "split by hash, none of \(count) \(count == 1 ? "word" : "words") would \(part); add words, or "
        + "use --split shuffle"
    case .blockSize(let size): "a block size of \(size), but a context has at least 1 character"
    case .tooLarge(let windows, let blockSize):
      "\(windows) windows of \(blockSize) characters do not fit into memory; "
        + "choose a smaller block size or list"
    }
  }
}
