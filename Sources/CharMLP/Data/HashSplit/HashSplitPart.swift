// What one process keeps of the lines that it has read, for a list that is split by hash.
//
// Each line is looked at once and then gone: the text of its windows if it trains, its hash, and perhaps
// a place in the sample are what stays. All of it can be put together with what others have read.

/// The words of some lines: those that train as ids, a sample of all.
struct HashSplitPart: Sendable {
  private(set) var symbols = SymbolNumbers()
  /// The words that train, in provisional numbers.
  private(set) var ids = CompactIDs()
  private(set) var sample: WordSample
  private(set) var fingerprint = WordFingerprint()
  /// The bytes of all words, a line feed after each.
  private(set) var byteCount = 0
  private(set) var lineCount = 0
  /// The length of the file, if ranks share it out.
  var fileSize = 0
  /// How many words have keys with so many leading zeros: (65).
  private(set) var keyLevels = [Int](repeating: 0, count: 65)

  private let seed: UInt64  // of the split
  private let memoryLimit: Int

  /// - Parameters:
  ///   - splitSeed: The seed of the split, on which a word's part depends.
  ///   - memoryLimit: The bytes that may be kept.
  init(splitSeed: UInt64, _ limits: SampleLimits, memoryLimit: Int = Dataset.defaultMemoryLimit) {
    (seed, self.memoryLimit) = (splitSeed, memoryLimit)
    sample = WordSample(limits)
  }

  /// Reads all pieces of a file.
  /// - Throws: the first thing that is wrong with its lines, counted from the first of them.
  mutating func read(_ pieces: inout LinePieces) throws(WordListError) {
    while let piece = try pieces.next() {
      try add(piece)
      guard ids.count <= memoryLimit else { throw .tooLarge(size: nil, limit: memoryLimit) }
    }
  }

  /// Makes room for the ids of so many bytes of text.
  /// - Throws: `tooLarge`.
  mutating func reserve(bytes: Int) throws(WordListError) {
    guard bytes <= memoryLimit else { throw .tooLarge(size: bytes, limit: memoryLimit) }
    ids.reserve(bytes)
  }

  private mutating func add(_ piece: LinePieces.Piece) throws(WordListError) {
    var parser = WordListParser(text: piece.text, isStart: piece.offset == 0, keepsOffsets: true)
    do {
      try parser.parsePiece()
    } catch {
      throw error.shifted(lines: lineCount, bytes: piece.offset)
    }
    lineCount += parser.lineCount
    let places = parser.offsets.map { UInt64(piece.offset + Int($0)) }
    add(parser.text, parser.starts, places: places)
  }

  /// Adds the words of a list in memory that begin in a range of its bytes.
  mutating func add(_ words: WordList, beginningIn range: Range<Int>) {
    guard let first = words.starts.dropLast().firstIndex(where: { $0 >= range.lowerBound }),
      let last = words.starts.dropLast().lastIndex(where: { $0 < range.upperBound }), first <= last
    else { return }
    let starts = Array(words.starts[first...last + 1])
    add(words.utf8, starts, places: starts.dropLast().map(UInt64.init))
  }

  /// Adds words in UTF-8, a line feed after each.
  ///
  /// - Parameters:
  ///   - starts: Where each word starts, and where the last one's line feed ends: (count + 1).
  ///   - places: Where each word stands in the file: (count).
  private mutating func add(_ text: [UInt8], _ starts: [UInt32], places: [UInt64]) {
    let bytes = text.span
    var new: [Int32] = []
    for word in places.indices {
      let line = Int(starts[word])..<Int(starts[word + 1])
      let range = line.lowerBound..<line.upperBound - 1
      let hash = WordHash.of(bytes, range)
      let part = Split.Part(hash: hash, seed: seed)
      let key = WordHash.mixed(places[word])
      let count = new.count
      // Every word has a say in the vocabulary.
      symbols.append(bytes, range, to: &new)
      if part != .train { new.removeLast(new.count - count) }
      sample.add(bytes, line, key: key, part)
      keyLevels[key.leadingZeroBitCount] += 1
      fingerprint.append(wordWithHash: hash)
      byteCount += line.count
    }
    ids.append(new)
  }

  /// Gives the text away, in the numbers of a vocabulary.
  mutating func takeText(in vocabulary: Vocabulary) -> CompactIDs {
    var ids = CompactIDs()
    swap(&ids, &self.ids)
    ids.renumber(symbols.numbers(in: vocabulary))
    return ids
  }
}

// MARK: - Numbers for the symbols of a text that is still being read: in the order in which they appear

// The vocabulary is known only at the end, and on all ranks; then the text is renumbered. Symbols are
// found through pages of 256 numbers, as in Vocabulary.

/// The symbols that were met so far, numbered from 1 on.
struct SymbolNumbers: Sendable {
  /// The symbols, in the order of their numbers.
  private(set) var symbols: [Unicode.Scalar] = []

  /// Where the page of 256 scalars starts in `pageEntries`, 0 if there is none: (0x1100).
  private var pageStarts = [Int32](repeating: 0, count: 0x1100)
  /// Numbers of scalars, page by page; 0 for what was not met.
  private var pageEntries = [Int32](repeating: 0, count: 256)

  /// Appends the numbers of a word's characters, and the terminator.
  ///
  /// - Precondition: the bytes are well-formed UTF-8.
  mutating func append(_ bytes: Span<UInt8>, _ word: Range<Int>, to ids: inout [Int32]) {
    var position = word.lowerBound
    while position < word.upperBound {
      var value = UInt32(bytes[position])
      var length = 1
      if value >= 0x80, let (scalar, scalarLength) = bytes.scalar(at: position) {
        (value, length) = (scalar.value, scalarLength)
      }
      let known = pageEntries[Int(pageStarts[Int(value >> 8)]) + Int(value & 0xFF)]
      ids.append(known > 0 ? known : add(value))
      position += length
    }
    ids.append(Vocabulary.terminator)
  }

  private mutating func add(_ value: UInt32) -> Int32 {
    let page = Int(value >> 8)
    if pageStarts[page] == 0 {
      pageStarts[page] = Int32(pageEntries.count)
      pageEntries.append(contentsOf: repeatElement(0, count: 256))
    }
    symbols.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    let number = Int32(symbols.count)
    pageEntries[Int(pageStarts[page]) + Int(value & 0xFF)] = number
    return number
  }

  /// For each number the one that a vocabulary has for the same symbol: (symbols + 1).
  func numbers(in vocabulary: Vocabulary) -> [Int32] {
    [Vocabulary.terminator] + symbols.map { vocabulary.id(of: $0) ?? Vocabulary.terminator }
  }
}

// MARK: - The two ways to split a list, and the part that a word's hash puts it into

extension Split {
  /// How words come to train, validate or test.
  public enum Method: String, CaseIterable, Equatable, Sendable {
    /// All words are shuffled and cut at 80 % and 90 %, as in the lecture.
    case shuffle
    /// A hash of each word decides: 80 % of all possible words train, 10 % validate, 10 % test.
    ///
    /// Equal words share a part, and nobody has to see the whole list.
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

// MARK: - Hashes of words and places: the same in every run and on every machine, since splits, samples and

// fingerprints depend on them.
//
// FNV-1a (Fowler, Noll and Vo; offset basis and prime of its 64-bit form) goes over the bytes, and the
// output function of SplitMix64 (Steele, Lea and Flood, 2014) mixes what it leaves in the upper bits.
// Neither keeps anybody from looking for collisions; a split has no enemies.

/// 64-bit hashes that depend on nothing but their input.
enum WordHash {
  /// The hash of some bytes.
  @inline(always)
  static func of(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for position in range { hash = (hash ^ UInt64(bytes[position])) &* 0x0000_0100_0000_01B3 }
    return mixed(hash)
  }

  /// A number for a number, one to one, as if drawn.
  @inline(always)
  static func mixed(_ number: UInt64) -> UInt64 {
    var hash = number &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}

// MARK: - A number that tells one list of words from another, and that ranks can put together from their parts

// Σ h(wᵢ) · bⁿ⁻¹⁻ⁱ modulo the prime 2⁶¹ − 1: the words' hashes as digits. Two parts make a whole by
// shifting the first by the length of the second. It finds a wrong file, not a forged one.

/// What is left of a list to recognize it by: the words and their order.
struct WordFingerprint: Equatable, Sendable {
  /// The hashes of the words as digits of a number, modulo 2⁶¹ − 1.
  private(set) var value: UInt64 = 0
  /// The number of words.
  private(set) var count = 0

  private static let modulus: UInt64 = (1 << 61) - 1
  /// The base of the digits: any number that is far from the modulus' divisors and powers of two.
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
