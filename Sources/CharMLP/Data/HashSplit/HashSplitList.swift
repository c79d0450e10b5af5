// A word list that is split by a hash of each word: read once, a piece at a time, by one process or by
// several ranks, each a part of it.
//
// All ranks come to the same vocabulary, the same sample and the same numbering of windows, whatever their
// number; each keeps the training text of its own lines alone. Two messages go around: what everybody has
// counted, and the words of the sample.

import Safetensors

/// What is known of a list, and this rank's part of its training text.
public struct HashSplitList: Sendable {
  /// The symbols of all words.
  public let vocabulary: Vocabulary
  /// The training windows of the lines that were read here.
  public let text: TrainingText
  /// All words, or a sample of them.
  public let words: WordList
  /// Which of `words` train, validate and test.
  public let split: Split
  /// The number of words of the whole list.
  public var wordCount: Int { fingerprint.count }
  /// The bytes of all words in UTF-8, a line feed after each.
  public let byteCount: Int

  let fingerprint: WordFingerprint
  let limits: SampleLimits

  /// Whether `words` are all words of the list.
  public var isComplete: Bool { words.count == wordCount }

  /// Reads the list in a file; ranks each read the lines that begin in their share of its bytes.
  ///
  /// - Parameter memoryLimit: The bytes that this process may keep of the list.
  /// - Throws: on all ranks the first thing that is wrong with the list, or with getting hold of it.
  public init(
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
  /// - Throws: the first thing that is wrong with the list, or with getting hold of it.
  public static func standardInput(
    splitSeed: UInt64, memoryLimit: Int = Dataset.defaultMemoryLimit
  ) throws(WordListError) -> HashSplitList {
    var part = HashSplitPart(splitSeed: splitSeed, .standard, memoryLimit: memoryLimit)
    try part.read(.standardInput, nil)
    return try HashSplitList(agreeingOn: &part, nil, nil)
  }

  /// Splits a list in memory, of which every rank takes its share.
  public init(
    _ words: WordList, splitSeed: UInt64, communicator: (any Communicator)? = nil,
    limits: SampleLimits = .standard
  ) {
    var part = HashSplitPart(splitSeed: splitSeed, limits)
    part.add(words, beginningIn: communicator.share(of: words.utf8.count))
    self = withoutFailure { try HashSplitList(agreeingOn: &part, nil, communicator) }
  }
}

extension Optional where Wrapped == any Communicator {
  /// This rank's share; all of it, without others.
  fileprivate func share(of total: Int) -> Range<Int> { self?.share(of: total) ?? 0..<total }
}

extension HashSplitPart {
  /// Reads this rank's lines of a file.
  /// - Throws: what is wrong with them, or with getting hold of them.
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
      throw .unreadable(reason: "several ranks can share out a regular file alone")
    }
    fileSize = size
    let share = communicator.share(of: size)
    try reserve(bytes: share.count)
    var pieces = try LinePieces(file, beginningIn: share)
    try read(&pieces)
  }
}

// MARK: What all ranks agree on

extension HashSplitList {
  /// Puts together what all ranks have read.
  ///
  /// - Throws: on all ranks what the first of those has met with that met with anything.
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

  /// Throws the failure that stands first in the order of ranks, its line counted in the whole file.
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
      throw .readFailed(byte: 0, reason: "its length is not the same for all ranks")
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
    // Those that surely suffice: few more than twice as many as are wanted, whatever the ranks' number.
    if !isWhole { own = own.below(keyLimit(summaries, words: own.limits.words)) }
    var all = WordSample(own.limits)
    for message in communicator.gather(own.encoded) { all.append(WordSample(message, own.limits)) }
    if !isWhole { all.cut() }
    return all
  }

  /// The smallest power of two below which there are as many keys as wanted.
  private static func keyLimit(_ summaries: [HashSplitSummary], words: Int) -> UInt64 {
    var count = 0
    for zeros in stride(from: 64, through: 1, by: -1) {
      count += summaries.reduce(0) { $0 + $1.keyLevels[zeros] }
      if count >= words { return 1 << (64 - zeros) }
    }
    return .max
  }
}

// MARK: - A word list file, a piece at a time: whole lines, about a megabyte of them

// A list may be longer than memory, and several ranks may read one file, each the lines that begin in
// its own range of bytes. So every line is read by exactly one of them, wherever the cuts fall.

/// The lines of a file, in pieces.
struct LinePieces: ~Copyable {
  /// Some whole lines.
  struct Piece {
    let text: [UInt8]
    /// Where the first of them begins in the file.
    let offset: Int
  }

  private var file: ReadableFile
  /// Lines that begin from here on belong to somebody else.
  private let end: Int
  private var pending: [UInt8] = []
  /// Where `pending` begins in the file.
  private var offset = 0
  private var isFinished = false
  private var chunk: [UInt8]

  /// More bytes than the longest line that a list may have: 10,000 characters of at most four bytes.
  private static let overlongLine = 1 << 16

  /// The bytes that are read at a time.
  static let chunkSize = 1 << 20

  /// All lines of a file.
  init(_ file: consuming ReadableFile, chunkSize: Int = Self.chunkSize) {
    self.file = file
    chunk = [UInt8](repeating: 0, count: chunkSize)
    end = .max
  }

  /// The lines of a regular file that begin in a range of its bytes.
  /// - Throws: `readFailed`.
  init(
    _ file: consuming ReadableFile, beginningIn range: Range<Int>, chunkSize: Int = Self.chunkSize
  ) throws(WordListError) {
    self.file = file
    chunk = [UInt8](repeating: 0, count: chunkSize)
    end = range.upperBound
    guard range.lowerBound > 0 else { return }
    // The byte before tells whether a line begins at the first one.
    offset = range.lowerBound - 1
    try self.file.seek(to: offset)
    try skipLine()
  }

  private mutating func skipLine() throws(WordListError) {
    while true {
      let received = try file.read(into: &chunk)
      if received == 0 {
        isFinished = true
        return
      }
      if let lineFeed = chunk[..<received].firstIndex(of: UInt8(ascii: "\n")) {
        pending.append(contentsOf: chunk[(lineFeed + 1)..<received])
        offset += lineFeed + 1
        return
      }
      offset += received
    }
  }

  /// The next piece, or nil at the end.
  /// - Throws: `unreadable` or `readFailed`.
  mutating func next() throws(WordListError) -> Piece? {
    while !isFinished {
      if offset >= end { break }
      if let count = completeLines() { return take(count) }
      let received = try file.read(into: &chunk)
      if received == 0 {
        isFinished = true
        return pending.isEmpty ? nil : take(pending.count)
      }
      pending.append(contentsOf: chunk[..<received])
    }
    isFinished = true
    return nil
  }

  /// How many bytes of what is pending are whole lines of ours; nil if that takes more of the file.
  private func completeLines() -> Int? {
    let lineFeed = UInt8(ascii: "\n")
    let rest = end - offset  // of our range
    if pending.count >= rest {
      // The last of our lines is the one that holds the range's last byte.
      if let last = pending[(rest - 1)...].firstIndex(of: lineFeed) { return last + 1 }
    } else if let last = pending.lastIndex(of: lineFeed) {
      return last + 1
    }
    // A line that is too long whatever follows: its reader will say so.
    let isOverlong =
      pending.count >= Self.overlongLine && !pending.suffix(Self.overlongLine).contains(lineFeed)
    return isOverlong ? pending.count : nil
  }

  private mutating func take(_ count: Int) -> Piece {
    let piece = Piece(text: Array(pending[..<count]), offset: offset)
    pending.removeFirst(count)
    offset += count
    return piece
  }
}

// MARK: - What a rank tells the others of the lines that it has read, so that all come to the same conclusions

// It travels as a safetensors file in memory: a format with names, types and lengths is at hand.

/// Counts over a rank's lines, the symbols in them, and what went wrong.
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
      file.metadata = ["kind": error.kind.rawValue, "problem": error.problem]
    }
    return withoutFailure { try file.encoded() }
  }

  init(decoding bytes: [UInt8]) {
    let file = withoutFailure { try SafetensorsFile(decoding: bytes) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      withoutFailure { try file.elements(named: name, as: Element.self) }
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

extension WordSample {
  /// The words as a message.
  var encoded: [UInt8] {
    var file = SafetensorsFile()
    file["text"] = Tensor(text, shape: [text.count])
    file["starts"] = Tensor(starts, shape: [starts.count])
    file["keys"] = Tensor(keys, shape: [count])
    file["parts"] = Tensor(parts.map(\.rawValue), shape: [count])
    return withoutFailure { try file.encoded() }
  }

  /// The words of a message.
  init(_ message: [UInt8], _ limits: SampleLimits) {
    let file = withoutFailure { try SafetensorsFile(decoding: message) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      withoutFailure { try file.elements(named: name, as: Element.self) }
    }
    self.init(
      limits, text: elements("text"), starts: elements("starts"), keys: elements("keys"),
      parts: (elements("parts") as [UInt8]).compactMap(Split.Part.init(rawValue:)))
  }
}

/// What cannot fail between ranks of one program.
func withoutFailure<Value>(_ work: () throws -> Value) -> Value {
  do {
    return try work()
  } catch {
    preconditionFailure("a message between ranks: \(error)")
  }
}
