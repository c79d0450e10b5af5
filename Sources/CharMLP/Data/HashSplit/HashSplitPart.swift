// What one process keeps of the lines that it has read, for a list that is split by hash.
//
// Each line is seen once and not kept: only the ids of its windows if it trains, its hash, and
// perhaps a place in the sample. All of it can be combined with what other ranks have read.

/// The words of some lines: those that train as ids, a sample of all.
struct HashSplitPart: Sendable {
  private(set) var symbols = SymbolNumbers()
  /// The words that train, in the numbers of `symbols`.
  private(set) var ids = CompactIDs()
  private(set) var sample: WordSample
  private(set) var fingerprint = WordFingerprint()
  /// The bytes of all words, a line feed after each.
  private(set) var byteCount = 0
  private(set) var lineCount = 0
  /// The length of the file, if ranks share it.
  var fileSize = 0
  /// How many words have keys with 0, 1, …, 64 leading zeros: (65).
  private(set) var keyLevels = [Int](repeating: 0, count: 65)

  private let seed: UInt64  // of the split
  private let memoryLimit: Int

  /// - Parameters:
  ///   - splitSeed: The seed of the split, on which a word's part depends.
  ///   - memoryLimit: The most bytes to keep.
  init(splitSeed: UInt64, _ limits: SampleLimits, memoryLimit: Int = Dataset.defaultMemoryLimit) {
    (seed, self.memoryLimit) = (splitSeed, memoryLimit)
    sample = WordSample(limits)
  }

  /// Reads all pieces of a file.
  /// - Throws: the first thing wrong with them, its line counted from the first one read.
  mutating func read(_ pieces: inout LinePieces) throws(WordListError) {
    while let piece = try pieces.next() {
      try add(piece)
      guard ids.count <= memoryLimit else { throw .tooLarge(size: nil, limit: memoryLimit) }
    }
  }

  /// Makes room for the ids of `bytes` bytes of text.
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
  ///   - starts: Where each word starts in the text, and where the last line feed ends: (count +
  ///     1).
  ///   - places: Where each word starts in the file: (count).
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
      // Every word counts for the vocabulary, whether it trains or not.
      symbols.append(bytes, range, to: &new)
      if part != .train { new.removeLast(new.count - count) }
      sample.add(bytes, line, key: key, part)
      keyLevels[key.leadingZeroBitCount] += 1
      fingerprint.append(wordWithHash: hash)
      byteCount += line.count
    }
    ids.append(new)
  }

  /// Moves the text out, in the ids of a vocabulary.
  mutating func takeText(in vocabulary: Vocabulary) -> CompactIDs {
    var ids = CompactIDs()
    swap(&ids, &self.ids)
    ids.renumber(symbols.ids(in: vocabulary))
    return ids
  }
}

/// The symbols of a text that is still being read, numbered from 1 on in the order in which they
/// appear.
///
/// The vocabulary is known only at the end, and to all ranks at once; then the text is renumbered.
struct SymbolNumbers: Sendable {
  /// The symbols, in the order of their numbers.
  private(set) var symbols: [Unicode.Scalar] = []
  private var numbers = ScalarTable(absent: 0)

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
      let known = numbers[value]
      ids.append(known > 0 ? known : add(value))
      position += length
    }
    ids.append(Vocabulary.terminator)
  }

  private mutating func add(_ value: UInt32) -> Int32 {
    symbols.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    numbers[value] = Int32(symbols.count)
    return Int32(symbols.count)
  }

  /// The vocabulary's id for each number: (symbols + 1).
  func ids(in vocabulary: Vocabulary) -> [Int32] {
    [Vocabulary.terminator] + symbols.map { vocabulary.id(of: $0) ?? Vocabulary.terminator }
  }
}
