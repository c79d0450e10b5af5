// A word list that is split by a hash of each word: read once, a piece at a time, by one process or by
// several ranks, each a part of it.
//
// All ranks come to the same vocabulary, the same sample and the same numbering of windows, whatever their
// number; each keeps the training text of its own lines alone. Two messages go around: what everybody has
// counted, and the words of the sample.

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
