// A word list that is split by a hash of each word: read once, in pieces, by one process or by
// several ranks, each a part of it.
//
// All ranks, however many, get the same vocabulary, the same sample and the same numbering of
// windows; each keeps only the training text of its own lines. They exchange two messages: what
// each has counted, and the words of the sample.

import LinearAlgebra
import Safetensors

/// What is known of a list that is split by hash, and this rank's part of its training text.
package struct HashSplitList: Sendable {
  /// The symbols of all words.
  package let vocabulary: Vocabulary
  /// The training windows of the lines read here.
  package let text: TrainingText
  /// All words, or a sample of them.
  package let words: WordList
  /// Which of `words` train, validate and test.
  package let split: Split
  /// The number of words of the whole list.
  package var wordCount: Int { fingerprint.count }
  /// The bytes of all words in UTF-8, a line feed after each.
  package let byteCount: Int

  let fingerprint: WordFingerprint
  let limits: SampleLimits

  /// Whether `words` are all words of the list.
  package var isComplete: Bool { words.count == wordCount }

  /// Reads the list in a file; ranks each read the lines that begin in their share of its bytes.
  ///
  /// - Parameter memoryLimit: The bytes that this process may keep of the list.
  /// - Throws: on all ranks, the first thing wrong with the list or with reading it.
  package init(
    contentsOf path: String, splitSeed: UInt64, communicator: (any Communicator)? = nil,
    limits: SampleLimits = .standard, memoryLimit: Int = Dataset.defaultMemoryLimit
  ) throws(WordListError) {
    var part = HashSplitPart(splitSeed: splitSeed, limits, memoryLimit: memoryLimit)
    var failure: WordListError?
    do throws(WordListError) {
      try part.read(.opening(path), communicator)
    } catch {
      failure = error
    }
    try self.init(agreeingOn: &part, failure, communicator)
  }

  /// Reads the list from standard input, up to its end.
  ///
  /// - Parameter memoryLimit: The bytes that this process may keep of the list.
  /// - Throws: the first thing wrong with the list or with reading it.
  package static func standardInput(
    splitSeed: UInt64, memoryLimit: Int = Dataset.defaultMemoryLimit
  ) throws(WordListError) -> HashSplitList {
    var part = HashSplitPart(splitSeed: splitSeed, .standard, memoryLimit: memoryLimit)
    try part.read(.standardInput, nil)
    return try HashSplitList(agreeingOn: &part, nil, nil)
  }

  /// Splits a list in memory; every rank takes its share.
  package init(
    _ words: WordList, splitSeed: UInt64, communicator: (any Communicator)? = nil,
    limits: SampleLimits = .standard
  ) {
    var part = HashSplitPart(splitSeed: splitSeed, limits)
    part.add(words, beginningIn: communicator.share(of: words.utf8.count))
    self = mustSucceed { try HashSplitList(agreeingOn: &part, nil, communicator) }
  }
}

extension Optional where Wrapped == any Communicator {
  /// This rank's share, or all of it without ranks.
  fileprivate func share(of total: Int) -> Range<Int> { self?.share(of: total) ?? 0..<total }
}

extension HashSplitPart {
  /// Reads this rank's lines of a file.
  /// - Throws: what is wrong with them or with reading them.
  fileprivate mutating func read(
    _ file: consuming ReadableFile, _ communicator: (any Communicator)?
  ) throws(WordListError) {
    let size = try file.size()
    guard let communicator else {
      try reserve(bytes: size ?? 0)
      var pieces = LinePieces(file)
      return try read(&pieces)
    }
    guard let size else {
      throw .unreadable(reason: "several ranks can only share a regular file")
    }
    fileSize = size
    let share = communicator.share(of: size)
    try reserve(bytes: share.count)
    var pieces = try LinePieces(file, beginningIn: share)
    try read(&pieces)
  }
}

// MARK: - Agreeing

extension HashSplitList {
  /// Combines what all ranks have read.
  ///
  /// - Throws: on all ranks, the error of the first rank that has one.
  private init(
    agreeingOn part: inout HashSplitPart, _ failure: WordListError?,
    _ communicator: (any Communicator)?
  ) throws(WordListError) {
    let own = HashSplitSummary(part, error: failure)
    let summaries = communicator?.gather(own.encoded).map(HashSplitSummary.init(decoding:)) ?? [own]
    try Self.check(summaries, communicator, failure)

    byteCount = summaries.reduce(0) { $0 + $1.byteCount }
    fingerprint = summaries.reduce(into: WordFingerprint()) { $0.append($1.fingerprint) }
    vocabulary = Vocabulary(ofSymbols: summaries.map(\.symbols))
    limits = part.sample.limits
    let sample = Self.sample(part.sample, summaries, byteCount: byteCount, communicator)
    guard let (words, split) = sample.list() else { throw .onlyBlankLines }
    (self.words, self.split) = (words, split)

    let ids = part.takeText(in: vocabulary)
    if let communicator {
      let before = summaries[..<communicator.rank].reduce(0) { $0 + $1.windowCount }
      text = TrainingText(
        ids, firstWindow: before, of: summaries.reduce(0) { $0 + $1.windowCount })
    } else {
      text = TrainingText(ids)
    }
  }

  /// Throws the error of the first rank that has one, its line counted in the whole file.
  private static func check(
    _ summaries: [HashSplitSummary], _ communicator: (any Communicator)?, _ own: WordListError?
  ) throws(WordListError) {
    if let rank = summaries.firstIndex(where: { $0.error != nil }),
      let error = summaries[rank].error
    {
      let lines = summaries[..<rank].reduce(0) { $0 + $1.lineCount }
      throw (rank == communicator?.rank ?? 0 ? own ?? error : error).shifted(lines: lines, bytes: 0)
    }
    guard summaries.allSatisfy({ $0.fileSize == summaries[0].fileSize }) else {
      throw .readFailed(byte: 0, reason: "its length differs between ranks")
    }
    guard summaries.contains(where: { $0.fingerprint.count > 0 }) else {
      throw summaries.contains { $0.lineCount > 0 } ? .onlyBlankLines : .empty
    }
  }

  /// The words with the smallest keys of all, or all words if they are few.
  private static func sample(
    _ own: WordSample, _ summaries: [HashSplitSummary], byteCount: Int,
    _ communicator: (any Communicator)?
  ) -> WordSample {
    var own = own
    let isWhole = byteCount <= own.limits.bytes
    guard let communicator else {
      if !isWhole { own.cut() }
      return own
    }
    // Enough words for certain, but hardly more than twice as many as wanted, however many ranks
    // there are.
    if !isWhole { own = own.below(keyLimit(summaries, words: own.limits.words)) }
    var all = WordSample(own.limits)
    for message in communicator.gather(own.encoded) { all.append(WordSample(message, own.limits)) }
    if !isWhole { all.cut() }
    return all
  }

  /// The smallest power of two below which there are enough keys.
  private static func keyLimit(_ summaries: [HashSplitSummary], words: Int) -> UInt64 {
    var count = 0
    for zeros in stride(from: 64, through: 1, by: -1) {
      count += summaries.reduce(0) { $0 + $1.keyLevels[zeros] }
      if count >= words { return 1 << (64 - zeros) }
    }
    return .max
  }
}

// MARK: - Messages
//
// They are safetensors files in memory: a format with names, types and lengths is at hand.

/// What a rank sends to the others about its lines: counts, symbols, and what went wrong.
struct HashSplitSummary: Equatable, Sendable {
  var error: WordListError?
  var fileSize: Int
  var lineCount: Int
  var byteCount: Int
  var windowCount: Int
  var fingerprint: WordFingerprint
  var keyLevels: [Int]
  var symbols: [Unicode.Scalar]

  init(_ part: HashSplitPart, error: WordListError?) {
    self.error = error
    fileSize = part.fileSize
    lineCount = part.lineCount
    byteCount = part.byteCount
    windowCount = part.ids.count
    fingerprint = part.fingerprint
    keyLevels = part.keyLevels
    symbols = part.symbols.symbols
  }

  var encoded: [UInt8] {
    var file = SafetensorsFile()
    let counts = [
      lineCount, byteCount, windowCount, fingerprint.count, fileSize, error?.line ?? 0,
    ]
    file["counts"] = Tensor((counts + keyLevels).map(Int64.init), shape: [counts.count + 65])
    file["fingerprint"] = Tensor([fingerprint.value], shape: [])
    file["symbols"] = Tensor(symbols.map(\.value), shape: [symbols.count])
    if let error {
      file.metadata = ["kind": error.kind.rawValue, "problem": error.problemAndRemedy]
    }
    return mustSucceed { try file.encoded() }
  }

  init(decoding bytes: [UInt8]) {
    let file = mustSucceed { try SafetensorsFile(decoding: bytes) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      mustSucceed { try file.elements(named: name, as: Element.self) }
    }
    let counts = (elements("counts") as [Int64]).map(Int.init)
    (lineCount, byteCount, windowCount) = (counts[0], counts[1], counts[2])
    fingerprint = WordFingerprint(
      value: (elements("fingerprint") as [UInt64])[0], count: counts[3])
    fileSize = counts[4]
    keyLevels = Array(counts[6...])
    symbols = (elements("symbols") as [UInt32]).compactMap(Unicode.Scalar.init)
    if let kind = file.metadata["kind"].flatMap(WordListError.Kind.init(rawValue:)) {
      error = .reported(
        kind, line: counts[5] > 0 ? counts[5] : nil, problem: file.metadata["problem"] ?? "")
    }
  }
}

/// The result of work that cannot fail between ranks of one program.
func mustSucceed<Value>(_ work: () throws -> Value) -> Value {
  do {
    return try work()
  } catch {
    preconditionFailure("a message between ranks: \(error)")
  }
}

// MARK: - One process's share
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
