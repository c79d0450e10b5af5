// A word list that is split by a hash of each word: read once, in pieces, by one process or by
// several ranks, each a part of it.
//
// All ranks, however many, get the same vocabulary, the same sample and the same numbering of
// windows; each keeps only the training text of its own lines. They exchange two messages: what
// each has counted, and the words of the sample. A short list is its own sample.

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
    do throws(WordListError) {
      try part.read(.opening(path), communicator)
    } catch {
      part.counts.error = error
    }
    try self.init(agreeingOn: &part, communicator)
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
    return try HashSplitList(agreeingOn: &part, nil)
  }

  /// Splits a list in memory; every rank takes its share.
  package init(
    _ words: WordList, splitSeed: UInt64, communicator: (any Communicator)? = nil,
    limits: SampleLimits = .standard
  ) {
    var part = HashSplitPart(splitSeed: splitSeed, limits)
    let size = words.utf8.count
    part.add(words, beginningIn: communicator?.share(of: size) ?? 0..<size)
    self = mustSucceed { try HashSplitList(agreeingOn: &part, communicator) }
  }
}

// MARK: - Agreeing

extension HashSplitList {
  /// Combines what all ranks have read.
  ///
  /// - Throws: on all ranks, the error of the first rank that has one.
  private init(
    agreeingOn part: inout HashSplitPart, _ communicator: (any Communicator)?
  ) throws(WordListError) {
    let own = part.summary
    var summaries = communicator?.gather(own.encoded).map(HashSplitSummary.init(decoding:)) ?? [own]
    summaries[communicator?.rank ?? 0] = own
    try Self.check(summaries)

    byteCount = summaries.reduce(0) { $0 + $1.byteCount }
    fingerprint = summaries.reduce(into: WordFingerprint()) { $0.append($1.fingerprint) }
    vocabulary = Vocabulary(ofSymbols: summaries.map(\.symbols))
    limits = part.sample.limits
    let sample = Self.sample(part.sample, summaries, byteCount: byteCount, communicator)
    guard let (words, split) = sample.list() else { throw .onlyBlankLines }
    (self.words, self.split) = (words, split)

    part.ids.renumber(part.symbols.ids(in: vocabulary))
    if let communicator {
      let before = summaries[..<communicator.rank].reduce(0) { $0 + $1.windowCount }
      text = TrainingText(
        part.ids, firstWindow: before, of: summaries.reduce(0) { $0 + $1.windowCount })
    } else {
      text = TrainingText(part.ids)
    }
  }

  /// Throws the error of the first rank that has one, its line counted in the whole file.
  private static func check(_ summaries: [HashSplitSummary]) throws(WordListError) {
    var lines = 0
    for summary in summaries {
      if let error = summary.error { throw error.shifted(lines: lines, bytes: 0) }
      lines += summary.lineCount
    }
    guard summaries.allSatisfy({ $0.fileSize == summaries[0].fileSize }) else {
      throw .readFailed(byte: 0, reason: "its length differs between ranks")
    }
    guard summaries.contains(where: { $0.fingerprint.count > 0 }) else {
      throw lines > 0 ? .onlyBlankLines : .empty
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

// MARK: - One process's share
//
// Each line is seen once and not kept: only the ids of its windows if it trains, its hash, and
// perhaps a place in the sample. All of it can be combined with what other ranks have read.

/// What a rank tells the others about its lines: counts, symbols, and what went wrong.
private struct HashSplitSummary {
  var error: WordListError?
  /// The length of the file, if ranks share it.
  var fileSize = 0
  var lineCount = 0
  /// The bytes of all words, a line feed after each.
  var byteCount = 0
  var windowCount = 0
  var fingerprint = WordFingerprint()
  /// How many words have keys with 0, 1, …, 64 leading zeros: (65).
  var keyLevels = [Int](repeating: 0, count: 65)
  var symbols: [Unicode.Scalar] = []
}

/// What is kept of some lines: the ids of the words that train, and a sample of all words.
struct HashSplitPart: Sendable {
  private(set) var symbols = SymbolNumbers()
  /// The words that train, as numbers of `symbols`.
  fileprivate(set) var ids = CompactIDs()
  private(set) var sample: WordSample
  fileprivate var counts = HashSplitSummary()

  private let seed: UInt64  // of the split
  private let memoryLimit: Int

  /// - Parameters:
  ///   - splitSeed: The seed of the split, on which a word's part depends.
  ///   - memoryLimit: The most bytes to keep.
  init(splitSeed: UInt64, _ limits: SampleLimits, memoryLimit: Int = Dataset.defaultMemoryLimit) {
    (seed, self.memoryLimit) = (splitSeed, memoryLimit)
    sample = WordSample(limits)
  }

  /// What the other ranks have to know.
  fileprivate var summary: HashSplitSummary {
    var summary = counts
    (summary.windowCount, summary.symbols) = (ids.count, symbols.symbols)
    return summary
  }

  /// Reads this rank's lines of a file.
  /// - Throws: the first thing wrong with them, its line counted from the first one read, or with
  ///   reading them; `tooLarge`.
  mutating func read(
    _ file: consuming ReadableFile, _ communicator: (any Communicator)?
  ) throws(WordListError) {
    let size = try file.size()
    var share = 0..<Int.max
    if let communicator {
      guard let size else {
        throw .unreadable(reason: "several ranks can only share a regular file")
      }
      counts.fileSize = size
      share = communicator.share(of: size)
    }
    let expected = min(size ?? 0, share.count)
    guard expected <= memoryLimit else { throw .tooLarge(size: expected, limit: memoryLimit) }
    ids.reserve(expected)
    var pieces = try LinePieces(file, beginningIn: share)
    while let piece = try pieces.next() {
      try add(piece)
      guard ids.byteCount <= memoryLimit else { throw .tooLarge(size: nil, limit: memoryLimit) }
    }
  }

  private mutating func add(_ piece: LinePieces.Piece) throws(WordListError) {
    var parser = WordListParser(text: piece.text, isStart: piece.offset == 0, keepsOffsets: true)
    do {
      try parser.parsePiece()
    } catch {
      throw error.shifted(lines: counts.lineCount, bytes: piece.offset)
    }
    counts.lineCount += parser.lineCount
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
      counts.keyLevels[key.leadingZeroBitCount] += 1
      counts.fingerprint.append(wordWithHash: hash)
      counts.byteCount += line.count
    }
    ids.append(new)
  }
}

// MARK: - All words of a short list, and a fair sample of a long one
//
// Reports and losses cannot be computed from hundreds of millions of words. The sample has the
// words with the smallest keys, a key being a hash of a word's place in the file: every word has
// the same chance, wherever it is and however often it occurs, and the smallest keys of all ranks
// are among the smallest of each.

/// Up to what size a list is kept whole, and how large a sample is otherwise.
package struct SampleLimits: Equatable, Sendable {
  /// The most bytes of a list that is kept whole, and of a sample.
  package var bytes: Int
  /// The words of a sample.
  package var words: Int
  /// The windows of each part that calibration and losses are computed over.
  package var windows: Int

  /// The limits of a run: 16 MB, 100,000 words, a million windows.
  package static let standard = SampleLimits(
    bytes: 16_000_000, words: 100_000, windows: 1_000_000)
}

/// All words that were added, or those of them with the smallest keys.
struct WordSample: Sendable {
  let limits: SampleLimits
  /// Words in UTF-8, a line feed after each.
  private(set) var text: [UInt8] = []
  /// Where each word starts in `text`, then the length of `text`: (count + 1).
  private(set) var starts: [UInt32] = [0]
  private(set) var keys: [UInt64] = []  // (count)
  private(set) var parts: [Split.Part] = []  // (count)
  /// Whether every added word is here, in order; otherwise `cut` sorts them by key.
  private(set) var isComplete = true
  /// Words with keys from here on are not in the sample.
  private var bound = UInt64.max

  var count: Int { keys.count }

  init(_ limits: SampleLimits) { self.limits = limits }

  /// Adds a word, which ends with a line feed, if it belongs to the sample so far.
  mutating func add(_ bytes: Span<UInt8>, _ word: Range<Int>, key: UInt64, _ part: Split.Part) {
    guard isComplete || key < bound else { return }
    for position in word { text.append(bytes[position]) }
    starts.append(UInt32(text.count))
    keys.append(key)
    parts.append(part)
    if isComplete ? text.count > limits.bytes : isTwiceTooLarge { cut() }
  }

  private var isTwiceTooLarge: Bool { count > 2 * limits.words || text.count > 2 * limits.bytes }

  /// Keeps the words with the smallest keys, as many as the limits allow.
  mutating func cut() {
    isComplete = false
    var bytes = 0
    var kept: [Int] = []
    for word in keys.indices.sorted(by: { keys[$0] < keys[$1] }) {
      bytes += Int(starts[word + 1] - starts[word])
      guard kept.count < limits.words, bytes <= limits.bytes else {
        bound = keys[word]
        break
      }
      kept.append(word)
    }
    self = selecting(kept)
  }

  /// The words at some indices, in that order.
  private func selecting(_ selection: [Int]) -> WordSample {
    var sample = WordSample(limits)
    (sample.isComplete, sample.bound) = (isComplete, bound)
    for word in selection {
      sample.text.append(contentsOf: text[Int(starts[word])..<Int(starts[word + 1])])
      sample.starts.append(UInt32(sample.text.count))
      sample.keys.append(keys[word])
      sample.parts.append(parts[word])
    }
    return sample
  }

  /// The words whose keys are below a limit.
  func below(_ limit: UInt64) -> WordSample { selecting(keys.indices.filter { keys[$0] < limit }) }

  /// Adds what another rank has kept of the next lines.
  mutating func append(_ other: WordSample) {
    let length = UInt32(text.count)
    text += other.text
    starts += other.starts.dropFirst().map { $0 + length }
    keys += other.keys
    parts += other.parts
  }

  /// A sample of a list in memory, with the parts of its words in a split.
  init(_ words: WordList, _ split: Split, _ limits: SampleLimits) {
    self.init(limits)
    var parts = [Split.Part](repeating: .test, count: words.count)
    for word in split.train { parts[word] = .train }
    for word in split.validation { parts[word] = .validation }
    let bytes = words.utf8.span
    for word in words.indices {
      let range = words.utf8Range(of: word)
      let key = WordHash.mixed(UInt64(range.lowerBound))
      add(bytes, range.lowerBound..<range.upperBound + 1, key: key, parts[word])
    }
    cut()
  }

  /// The words, and which of them train, validate and test; nil if the sample is empty.
  func list() -> (words: WordList, split: Split)? {
    guard count > 0 else { return nil }
    let order = Split.Part.allCases.map { part in parts.indices.filter { parts[$0] == part } }
    return (
      WordList(parsed: text, starts: starts),
      Split(
        order: order.flatMap(\.self), trainCount: order[0].count, validationCount: order[1].count)
    )
  }
}

// MARK: - Messages between ranks
//
// They are safetensors files in memory, because that format has names, types and lengths.

extension SafetensorsFile {
  /// The file as a message.
  fileprivate var message: [UInt8] { mustSucceed { try encoded() } }

  /// The file that a message is.
  fileprivate init(message: [UInt8]) {
    self = mustSucceed { try SafetensorsFile(decoding: message) }
  }

  fileprivate func elements<Element: TensorElement>(_ name: String) -> [Element] {
    mustSucceed { try elements(named: name, as: Element.self) }
  }
}

extension HashSplitSummary {
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
    return file.message
  }

  init(decoding message: [UInt8]) {
    let file = SafetensorsFile(message: message)
    let counts = (file.elements("counts") as [Int64]).map(Int.init)
    (lineCount, byteCount, windowCount, fileSize) = (counts[0], counts[1], counts[2], counts[4])
    fingerprint = WordFingerprint(value: file.elements("fingerprint")[0], count: counts[3])
    keyLevels = Array(counts[6...])
    symbols = (file.elements("symbols") as [UInt32]).compactMap(Unicode.Scalar.init)
    if let kind = file.metadata["kind"].flatMap(WordListError.Kind.init(rawValue:)) {
      error = .reported(
        kind, line: counts[5] > 0 ? counts[5] : nil, problem: file.metadata["problem"] ?? "")
    }
  }
}

extension WordSample {
  fileprivate var encoded: [UInt8] {
    var file = SafetensorsFile()
    file["text"] = Tensor(text, shape: [text.count])
    file["starts"] = Tensor(starts, shape: [starts.count])
    file["keys"] = Tensor(keys, shape: [count])
    file["parts"] = Tensor(parts.map(\.rawValue), shape: [count])
    return file.message
  }

  fileprivate init(_ message: [UInt8], _ limits: SampleLimits) {
    let file = SafetensorsFile(message: message)
    self.init(limits)
    (text, starts, keys) = (file.elements("text"), file.elements("starts"), file.elements("keys"))
    parts = (file.elements("parts") as [UInt8]).compactMap(Split.Part.init(rawValue:))
  }
}

/// The result of work that cannot fail.
func mustSucceed<Value>(_ work: () throws -> Value) -> Value {
  do {
    return try work()
  } catch {
    preconditionFailure("what cannot fail did: \(error)")
  }
}
