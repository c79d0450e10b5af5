// The examples that a model with a fixed context is trained on: the lecture's build_dataset.
//
// For every word, and every character of it and then the terminator, one window: the `blockSize` numbers
// before it, padded in front with terminators, and the number itself. "emma" with block size 3 gives
// ... → e, ..e → m, .em → m, emm → a, mma → . in this order.
//
// Contexts are stored in full, ready to be gathered into minibatches. That is count × blockSize numbers,
// so a caller with unusual sizes asks `byteCount` before it builds.

/// All (context, target) pairs of a sequence of words, in order.
public struct ContextWindows: Equatable, Sendable {
  /// The number of characters that a prediction sees.
  public let blockSize: Int
  /// The number of classes of the vocabulary.
  public let vocabularyCount: Int
  /// Row after row, the oldest character first: (count, blockSize).
  public let contexts: [Int32]
  /// What follows each context: (count).
  public let targets: [Int32]

  /// The number of windows: characters plus words.
  public var count: Int { targets.count }

  /// The windows of encoded words, in order.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ words: EncodedWords, blockSize: Int) {
    precondition(
      Self.byteCount(windows: words.ids.count, blockSize: blockSize) != nil,
      "ContextWindows: \(words.ids.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    vocabularyCount = words.vocabularyCount
    targets = words.ids
    contexts = Self.contexts(of: words.ids.span, blockSize: blockSize)
  }

  /// The windows of the same words with another block size.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ windows: ContextWindows, blockSize: Int) {
    precondition(
      Self.byteCount(windows: windows.count, blockSize: blockSize) != nil,
      "ContextWindows: \(windows.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    vocabularyCount = windows.vocabularyCount
    targets = windows.targets
    contexts = Self.contexts(of: windows.targets.span, blockSize: blockSize)
  }

  /// The windows of the words at the given indices, in their order.
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public init(
    _ words: WordList, selecting selection: ArraySlice<Int>, vocabulary: Vocabulary,
    blockSize: Int
  ) throws(VocabularyError) {
    let encoded = try EncodedWords(words, selecting: selection, vocabulary: vocabulary)
    self.init(encoded, blockSize: blockSize)
  }

  /// The windows of the first words, as many as have no more windows than `limit` together, but of one
  /// word at least.
  func words(upTo limit: Int) -> ContextWindows {
    guard count > limit else { return self }
    let ends = targets.indices.lazy.filter { targets[$0] == Vocabulary.terminator }
    let end = targets[..<limit].lastIndex(of: Vocabulary.terminator) ?? ends.first ?? count - 1
    return ContextWindows(
      blockSize: blockSize, vocabularyCount: vocabularyCount,
      contexts: Array(contexts[..<((end + 1) * blockSize)]), targets: Array(targets[...end]))
  }

  private init(blockSize: Int, vocabularyCount: Int, contexts: [Int32], targets: [Int32]) {
    (self.blockSize, self.vocabularyCount) = (blockSize, vocabularyCount)
    (self.contexts, self.targets) = (contexts, targets)
  }

  /// The bytes that windows occupy, or nil if the number of entries cannot even be expressed.
  ///
  /// - Precondition: `blockSize` is at least 1.
  public static func byteCount(windows: Int, blockSize: Int) -> Int? {
    precondition(blockSize >= 1, "ContextWindows: block size \(blockSize)")
    let (columns, tooWide) = blockSize.addingReportingOverflow(1)
    let (entries, tooMany) = windows.multipliedReportingOverflow(by: columns)
    let (bytes, tooLarge) = entries.multipliedReportingOverflow(by: MemoryLayout<Int32>.stride)
    return tooWide || tooMany || tooLarge ? nil : bytes
  }

  /// The context of a window.
  public func context(of window: Int) -> ArraySlice<Int32> {
    precondition(
      window >= 0 && window < count, "ContextWindows: there is no window \(window) of \(count)")
    return contexts[window * blockSize..<(window + 1) * blockSize]
  }

  /// The contexts of a sequence of targets; the terminators in front are there to begin with.
  private static func contexts(of targets: Span<Int32>, blockSize: Int) -> [Int32] {
    var contexts = [Int32](repeating: Vocabulary.terminator, count: targets.count * blockSize)
    var output = contexts.mutableSpan
    var wordStart = 0
    var rowEnd = blockSize
    for window in 0..<targets.count {
      let known = min(window - wordStart, blockSize)
      let (source, destination) = (window - known, rowEnd - known)
      for offset in 0..<known { output[destination + offset] = targets[source + offset] }
      if targets[window] == Vocabulary.terminator { wordStart = window + 1 }
      rowEnd += blockSize
    }
    return contexts
  }
}

// MARK: - The distinct contexts of a set of windows, and what follows each of them how often

// A model's prediction depends on the context alone, so a loss over all windows costs only as many
// predictions as there are distinct contexts: the log-probability of each following character is
// weighted with its count. The contexts stand in the order of their first appearance.
//
// Where there are few possible contexts, each has a place in a table. Otherwise they are found with a
// hash table of our own: rows stay where they are, and any block size works. The
// hash is the standard library's, whose seed changes with every run, so that no word list can be made to
// collide; the result does not depend on it, since the table only ever answers "which one was it".

/// Distinct contexts in order of first appearance, each with the counts of its targets.
public struct DistinctContexts: Equatable, Sendable {
  /// The number of characters in a context.
  public let blockSize: Int
  /// The number of classes of the vocabulary.
  public let vocabularyCount: Int
  /// Row after row: (count, blockSize).
  public let contexts: [Int32]
  /// Where the targets of each context start in `targets` and `targetCounts`, then their length:
  /// (count + 1).
  public let targetStarts: [Int32]
  /// The distinct targets of each context, ascending: (number of distinct windows).
  public let targets: [Int32]
  /// How many windows have this context and this target: (number of distinct windows).
  public let targetCounts: [Int32]

  /// The number of distinct contexts.
  public var count: Int { targetStarts.count - 1 }

  /// Groups windows by their context.
  ///
  /// - Precondition: there are at most 2³¹ - 1 windows.
  public init(_ windows: ContextWindows) {
    precondition(windows.count <= Int(Int32.max), "DistinctContexts: \(windows.count) windows")
    let (group, firstWindows) = Self.numberedGroups(of: windows) ?? Self.groups(of: windows)
    blockSize = windows.blockSize
    vocabularyCount = windows.vocabularyCount
    contexts = Self.rows(firstWindows, of: windows)
    (targetStarts, targets, targetCounts) = Self.countTargets(
      of: windows, group: group, groupCount: firstWindows.count)
  }

  /// Where the targets of a context lie in `targets` and `targetCounts`.
  public func targetRange(of context: Int) -> Range<Int> {
    precondition(
      context >= 0 && context < count,
      "DistinctContexts: there is no context \(context) of \(count)")
    return Int(targetStarts[context])..<Int(targetStarts[context + 1])
  }
}

extension ContextWindows {
  /// The distinct contexts, in order of first appearance, with the counts of their targets.
  public func distinct() -> DistinctContexts { DistinctContexts(self) }
}

// MARK: - Finding the distinct rows among few possible ones

extension DistinctContexts {
  /// The most possible contexts that get a place in a table each.
  private static let tableLimit = 1 << 18

  /// The same as `groups`, if a context can be taken for a number with a digit for each character.
  private static func numberedGroups(
    of windows: ContextWindows
  ) -> (group: [Int32], firstWindows: [Int32])? {
    var possible = 1
    for _ in 0..<windows.blockSize {
      possible *= windows.vocabularyCount
      if possible > tableLimit { return nil }
    }
    let rows = windows.contexts.span
    var found = [Int32](repeating: -1, count: possible)
    var group = [Int32](repeating: 0, count: windows.count)
    var firstWindows: [Int32] = []
    var entry = 0
    for window in 0..<windows.count {
      var number = 0
      for _ in 0..<windows.blockSize {
        number = number * windows.vocabularyCount + Int(rows[entry])
        entry += 1
      }
      if found[number] < 0 {
        found[number] = Int32(firstWindows.count)
        firstWindows.append(Int32(window))
      }
      group[window] = found[number]
    }
    return (group, firstWindows)
  }
}

// MARK: - Finding the distinct rows among any

extension DistinctContexts {
  /// For each window the number of its context, and for each context its first window.
  private static func groups(
    of windows: ContextWindows
  ) -> (group: [Int32], firstWindows: [Int32]) {
    let rows = windows.contexts.span
    let blockSize = windows.blockSize
    var group = [Int32](repeating: 0, count: windows.count)
    var firstWindows: [Int32] = []
    var hashes: [Int] = []  // of each distinct context, so that growing reads no rows
    var slots = [Int32](repeating: -1, count: 1024)  // a power of two, at most half full
    for window in 0..<windows.count {
      let row = window * blockSize
      let hash = hash(rows, from: row, count: blockSize)
      var slot = hash & (slots.count - 1)
      var found = Int(slots[slot])
      while found >= 0 {
        if hashes[found] == hash,
          areEqual(rows, row, Int(firstWindows[found]) * blockSize, count: blockSize)
        {
          break
        }
        slot = (slot + 1) & (slots.count - 1)
        found = Int(slots[slot])
      }
      if found < 0 {
        found = hashes.count
        slots[slot] = Int32(found)
        firstWindows.append(Int32(window))
        hashes.append(hash)
        if 2 * hashes.count > slots.count {
          slots = table(of: hashes, slotCount: 2 * slots.count)
        }
      }
      group[window] = Int32(found)
    }
    return (group, firstWindows)
  }

  /// A table with the same contexts in more slots.
  private static func table(of hashes: [Int], slotCount: Int) -> [Int32] {
    var slots = [Int32](repeating: -1, count: slotCount)
    for (number, hash) in hashes.enumerated() {
      var slot = hash & (slotCount - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = Int32(number)
    }
    return slots
  }

  /// A row's hash, two entries at a time.
  @inline(__always)
  private static func hash(_ rows: Span<Int32>, from start: Int, count: Int) -> Int {
    var hasher = Hasher()
    var column = 0
    while column + 1 < count {
      let low = UInt64(UInt32(bitPattern: rows[start + column]))
      let high = UInt64(UInt32(bitPattern: rows[start + column + 1]))
      hasher.combine(high << 32 | low)
      column += 2
    }
    if column < count { hasher.combine(rows[start + column]) }
    return hasher.finalize()
  }

  @inline(__always)
  private static func areEqual(
    _ rows: Span<Int32>, _ left: Int, _ right: Int, count: Int
  ) -> Bool {
    for column in 0..<count where rows[left + column] != rows[right + column] { return false }
    return true
  }

  /// The contexts of the given windows, one after the other.
  private static func rows(_ selection: [Int32], of windows: ContextWindows) -> [Int32] {
    var rows: [Int32] = []
    rows.reserveCapacity(selection.count * windows.blockSize)
    for window in selection { rows.append(contentsOf: windows.context(of: Int(window))) }
    return rows
  }
}

// MARK: - Counting what follows

extension DistinctContexts {
  /// The targets of each group, ascending, with their counts.
  private static func countTargets(
    of windows: ContextWindows, group: [Int32], groupCount: Int
  ) -> (starts: [Int32], targets: [Int32], counts: [Int32]) {
    let (members, memberStarts) = targetsByGroup(windows.targets, group, groupCount)
    var starts: [Int32] = [0]
    var targets: [Int32] = []
    var counts: [Int32] = []
    starts.reserveCapacity(groupCount + 1)
    var tally = [Int32](repeating: 0, count: windows.vocabularyCount)  // zero between groups
    for number in 0..<groupCount {
      let first = targets.count
      for member in memberStarts[number]..<memberStarts[number + 1] {
        let target = members[member]
        if tally[Int(target)] == 0 { targets.append(target) }
        tally[Int(target)] += 1
      }
      targets[first...].sort()
      for index in first..<targets.count {
        counts.append(tally[Int(targets[index])])
        tally[Int(targets[index])] = 0
      }
      starts.append(Int32(targets.count))
    }
    return (starts, targets, counts)
  }

  /// The targets sorted by their group (a counting sort), and where each group starts.
  private static func targetsByGroup(
    _ targets: [Int32], _ group: [Int32], _ groupCount: Int
  ) -> (members: [Int32], starts: [Int]) {
    var starts = [Int](repeating: 0, count: groupCount + 1)
    for number in group { starts[Int(number) + 1] += 1 }
    for number in 0..<groupCount { starts[number + 1] += starts[number] }
    var next = starts
    var members = [Int32](repeating: 0, count: targets.count)
    for window in 0..<targets.count {
      let number = Int(group[window])
      members[next[number]] = targets[window]
      next[number] += 1
    }
    return (members, starts)
  }
}

// MARK: - Distinct contexts in blocks: enough rows for a good product, few enough to stay in the cache, and

// fewer where a row is so wide that even those would take more memory than training does.

extension DistinctContexts {
  /// Some consecutive contexts.
  struct Block {
    /// Their numbers.
    let indices: Range<Int>
    /// Their ids, row by row.  (indices.count · block)
    let contexts: ArraySlice<Int32>
  }

  /// The most contexts in a block.
  private static let blockLength = 256

  /// The most elements in a matrix with a row for each context of a block, unless one row has more:
  /// 128 MiB of doubles.
  private static let blockElements = 1 << 24

  /// How many contexts a block has if matrices with a row for each of them are so wide: 1…256.
  static func blockLength(width: Int) -> Int {
    precondition(width > 0, "DistinctContexts: rows of \(width) elements")
    return max(1, min(blockLength, blockElements / width))
  }

  /// All contexts, in order, a block at a time.
  /// - Parameter width: The columns of the widest matrix that is made of a block.
  func blocks(width: Int) -> some Sequence<Block> {
    let length = Self.blockLength(width: width)
    return stride(from: 0, to: count, by: length).lazy.map { start in
      let indices = start..<min(start + length, count)
      let ids = indices.lowerBound * blockSize..<indices.upperBound * blockSize
      return Block(indices: indices, contexts: contexts[ids])
    }
  }

  /// The number of windows with a context.
  func weight(of context: Int) -> Int {
    targetRange(of: context).reduce(0) { $0 + Int(targetCounts[$1]) }
  }

  /// The number of windows with any of the contexts.
  public var windowCount: Int { targetCounts.reduce(0) { $0 + Int($1) } }
}
