// A word list made ready for training: its vocabulary, its split, and the windows of each part; how
// words are split, and the hashes that decide it.
//
// Minibatches are drawn from the training text, which is whole or a rank's part. Reports about the
// list, and a model's losses, come from `words`: all of a list of up to 16 MB, and a sample of a
// longer one.

import LinearAlgebra

/// What trains, validates and tests a network with a given block size.
public struct Dataset: Sendable {
  /// All words, or a sample of them.
  public let words: WordList
  /// The symbols of the whole list.
  public let vocabulary: Vocabulary
  /// Which of `words` train, validate and test.
  public let split: Split
  /// The windows of the `words` that train.
  public let train: ContextWindows
  /// The windows of the `words` that validate.
  public let validation: ContextWindows
  /// The windows of the `words` that test.
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

  /// The same; a list longer than `limits` allow is sampled.
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
    // A vocabulary made of the words knows their characters.
    func windows(_ selection: ArraySlice<Int>) -> ContextWindows {
      mustSucceed {
        try ContextWindows(
          words, selecting: selection, vocabulary: vocabulary, blockSize: blockSize)
      }
    }
    (self.words, self.split, self.vocabulary) = (words, split, vocabulary)
    train = windows(split.train)
    validation = windows(split.validation)
    test = windows(split.test)
    self.wordCount = wordCount ?? words.count
    trainingText = text ?? TrainingText(train)
    measured = MeasuredWindows(
      train: train.words(upTo: windowLimit), validation: validation.words(upTo: windowLimit),
      test: test.words(upTo: windowLimit))
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
}

extension WordList {
  /// How the words are separated if the list is too short to train on because they are on one line,
  /// or on a few; nil otherwise.
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
  /// What decides which words train, validate or test.
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

// MARK: - Hashes of words and of whole lists
//
// They are the same in every run and on every machine, since splits, samples and model files depend
// on them. FNV-1a (Fowler, Noll and Vo; offset basis and prime of its 64-bit form) hashes the
// bytes, and SplitMix64 mixes the result into the upper bits. Neither is collision-resistant; a
// split needs no cryptographic hash.

/// 64-bit hashes that depend on nothing but their input.
enum WordHash {
  /// The hash of some bytes.
  @inline(always)
  static func of(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for position in range { hash = (hash ^ UInt64(bytes[position])) &* 0x0000_0100_0000_01B3 }
    return mixed(hash)
  }

  /// A number's hash: SplitMix64's first output from it, one to one.
  @inline(always)
  static func mixed(_ number: UInt64) -> UInt64 {
    SplitMix64.output(number &+ SplitMix64.increment)
  }
}

/// A number by which to recognize the words of a list and their order: Σ h(wᵢ) · bⁿ⁻¹⁻ⁱ modulo the
/// prime 2⁶¹ − 1, the words' hashes as digits.
///
/// The fingerprints of two parts combine to that of the whole: the first is shifted by the length
/// of the second. It finds a wrong file, not a forged one.
struct WordFingerprint: Equatable, Sendable {
  private(set) var value: UInt64 = 0
  /// The number of words.
  private(set) var count = 0

  private static let modulus: UInt64 = (1 << 61) - 1
  /// The base b: any number far from powers of two.
  private static let base: UInt64 = 0x1C58_F93D_2B47_0A6B & modulus

  init() {}

  init(value: UInt64, count: Int) {
    (self.value, self.count) = (value % Self.modulus, count)
  }

  /// The fingerprint of a list.
  init(_ words: WordList) {
    let bytes = words.utf8.span
    for word in words.indices {
      append(wordWithHash: WordHash.of(bytes, words.utf8Range(of: word)))
    }
  }

  /// Adds a word at the end.
  mutating func append(wordWithHash hash: UInt64) {
    value = (Self.product(value, Self.base) + hash % Self.modulus) % Self.modulus
    count += 1
  }

  /// Adds all words of another list at the end.
  mutating func append(_ other: WordFingerprint) {
    var (power, square, exponent) = (UInt64(1), Self.base, other.count)
    while exponent > 0 {
      if exponent & 1 == 1 { power = Self.product(power, square) }
      square = Self.product(square, square)
      exponent >>= 1
    }
    value = (Self.product(value, power) + other.value) % Self.modulus
    count += other.count
  }

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    modulus.dividingFullWidth(a.multipliedFullWidth(by: b)).remainder
  }

  /// The number in hexadecimal, as a model file has it.
  var text: String { String(value, radix: 16) }
}
