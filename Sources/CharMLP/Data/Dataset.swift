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
  /// - Parameters:
  ///   - words: The list.
  ///   - splitSeed: The seed of the shuffle.
  ///   - blockSize: The characters of a context.
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
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

  /// The default memory limit: 32 GiB, far more than any list that could be trained on here.
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

extension WordList {
  /// How the words stand if the list is too short to train on because they are on one line, or on a
  /// few; nil otherwise.
  package var separationOnFewLines: WordSeparation? {
    count < Dataset.fewestWords ? WordSeparation(of: utf8) : nil
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
    let words = { (count: Int) in count == 1 ? "word" : "words" }
    return switch self {
    case .tooFewWords(let count, let needed, removed: 0):
      "\(count) \(words(count)), but at least \(needed) are needed to train, "
        + "validate and test; add words"
    case .tooFewWords(let count, let needed, let removed):
      "\(count) distinct \(words(count)) (\(removed) repeated), but at least "
        + "\(needed) are needed to train, validate and test; add words"
    case .emptyPart(let part, let count):
      "split by hash, none of \(count) \(words(count)) would \(part); add words, or "
        + "use --split shuffle"
    case .blockSize(let size): "a block size of \(size), but a context has at least 1 character"
    case .tooLarge(let windows, let blockSize):
      "\(windows) windows of \(blockSize) characters do not fit into memory; "
        + "choose a smaller block size or list"
    }
  }
}

// MARK: - Splits
//
// A split is an order of the words and two cuts. The notebook shuffles the words and cuts at 80 %
// and 90 %; its shuffle comes from outside as a permutation, so that nothing here depends on a
// generator. A split by hash looks at each word alone.
//
// Words are named by their index in the list and not copied. Duplicates are not considered: a word
// that is twice in a list may train and validate.

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
  /// Both products are rounded to double precision and then truncated, as in Python. Parts of a
  /// short list may be empty.
  ///
  /// - Parameter permutation: The index of the word that the shuffle puts at each place.
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

extension Split {
  /// How it is decided which words train, validate or test.
  public enum Method: String, CaseIterable, Equatable, Sendable {
    /// All words are shuffled and cut at 80 % and 90 %, as in the lecture.
    case shuffle
    /// A hash of each word decides: 80 % of all possible words train, 10 % validate, 10 % test.
    ///
    /// Equal words share a part, and no process has to see the whole list.
    case hash
  }

  /// The parts of a split.
  enum Part: UInt8, CaseIterable, Sendable {
    case train, validation, test

    /// The part of a word with a hash, in the split of a seed.
    init(hash: UInt64, seed: UInt64) {
      switch WordHash.mixed(hash ^ WordHash.mixed(seed)).multipliedFullWidth(by: 10).high {
      case ..<8: self = .train
      case 8: self = .validation
      default: self = .test
      }
    }
  }
}

// MARK: - Training text
//
// What minibatches are drawn from: the ids of all training words, a terminator after each.
//
// The window of an id has the ids before it in the same word as its context, so the text is all
// there is to store. Where ranks share a list that is split by hash, each holds the text of its own
// lines, and windows are numbered through all ranks, in the order of the file.

/// The training windows of a list as one sequence of targets, or a rank's part of it.
package struct TrainingText: Equatable, Sendable {
  /// The targets of the windows held here.
  let ids: CompactIDs
  /// The number of the first window held here.
  package let firstWindow: Int
  /// The number of training windows of the whole list, on all ranks.
  package let windowCount: Int
  /// Whether other ranks hold the rest.
  package let isPart: Bool

  /// The numbers of the windows held here.
  package var windows: Range<Int> { firstWindow..<firstWindow + ids.count }

  /// The whole text.
  init(_ ids: CompactIDs) {
    (self.ids, firstWindow, windowCount, isPart) = (ids, 0, ids.count, false)
  }

  /// A rank's part of a text.
  init(_ ids: CompactIDs, firstWindow: Int, of windowCount: Int) {
    precondition(
      firstWindow >= 0 && firstWindow <= windowCount - ids.count,
      "TrainingText: \(ids.count) windows from \(firstWindow) on, of \(windowCount)")
    (self.ids, self.firstWindow, self.windowCount, isPart) = (ids, firstWindow, windowCount, true)
  }

  /// The whole text of the words at some indices, in their order.
  ///
  /// - Precondition: the vocabulary has their characters.
  init(_ words: WordList, _ selection: ArraySlice<Int>, _ vocabulary: Vocabulary) {
    var ids = CompactIDs()
    var rest = selection
    while !rest.isEmpty {  // not all at once: ids take four bytes on the way
      let some = rest.prefix(1 << 16)
      do {
        ids.append(try EncodedWords(words, selecting: some, vocabulary: vocabulary).ids)
      } catch {
        preconditionFailure("TrainingText: \(error)")
      }
      rest = rest.dropFirst(some.count)
    }
    self.init(ids)
  }

  /// The whole text of some windows.
  package init(_ windows: ContextWindows) {
    var ids = CompactIDs()
    ids.append(windows.targets)
    self.init(ids)
  }
}

// MARK: - Compact ids

/// Ids, one byte each as long as all are below 256, else two, else four.
///
/// So lists of hundreds of millions of characters fit into memory, and minibatches are gathered
/// from a quarter of the cache.
struct CompactIDs: Equatable, Sendable {
  /// The ids in the smallest integers that hold all of them.
  enum Storage: Equatable, Sendable {
    case narrow([UInt8])
    case medium([UInt16])
    case wide([Int32])
  }

  private(set) var storage = Storage.narrow([])

  var count: Int {
    switch storage {
    case .narrow(let ids): ids.count
    case .medium(let ids): ids.count
    case .wide(let ids): ids.count
    }
  }

  /// Makes room for `count` ids of one byte.
  mutating func reserve(_ count: Int) {
    guard case .narrow(var ids) = storage else { return }
    storage = .narrow([])
    ids.reserveCapacity(count)
    storage = .narrow(ids)
  }

  /// Appends ids, none negative.
  mutating func append(_ new: [Int32]) {
    widen(to: new.max() ?? 0)
    // Taken out while it grows, so that it has one owner and is not copied.
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt8(truncatingIfNeeded: $0) })
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt16(truncatingIfNeeded: $0) })
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new)
      storage = .wide(ids)
    }
  }

  /// Replaces every id by its entry in a table, none negative.
  mutating func renumber(_ table: [Int32]) {
    widen(to: table.max() ?? 0)
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .wide(ids)
    }
  }

  /// All ids, four bytes each.
  var expanded: [Int32] {
    switch storage {
    case .narrow(let ids): ids.map(Int32.init)
    case .medium(let ids): ids.map(Int32.init)
    case .wide(let ids): ids
    }
  }

  private mutating func widen(to largest: Int32) {
    if largest > UInt16.max {
      if case .wide = storage { return }
      storage = .wide(expanded)
    } else if largest > UInt8.max, case .narrow(let ids) = storage {
      storage = .medium(ids.map(UInt16.init))
    }
  }
}

private func replace<ID: FixedWidthInteger>(_ ids: inout [ID], _ table: [Int32]) {
  let table = table.span
  var ids = ids.mutableSpan
  for index in 0..<ids.count { ids[index] = ID(truncatingIfNeeded: table[Int(ids[index])]) }
}
