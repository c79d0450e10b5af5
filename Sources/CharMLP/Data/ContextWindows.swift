// The examples that a model with a fixed context is trained on: the lecture's build_dataset.
//
// Words become one sequence of ids, each word followed by the terminator. Every id of it is
// predicted once, by one window: the `blockSize` ids before it in the same word, padded in front
// with terminators, and the id itself. "emma" with block size 3 gives
//   ... → e, ..e → m, .em → m, emm → a, mma → .
// in this order; window number k is the one whose target is id number k.

/// All (context, target) pairs of a sequence of words, in order.
///
/// Contexts are stored in full, ready to be gathered into minibatches: count × blockSize ids. A
/// caller with unusual sizes asks `byteCount` first.
public struct ContextWindows: Equatable, Sendable {
  /// The number of characters in a context.
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
    self.init(words.ids, vocabularyCount: words.vocabularyCount, blockSize: blockSize)
  }

  /// The windows of the same words with another block size.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ windows: ContextWindows, blockSize: Int) {
    self.init(windows.targets, vocabularyCount: windows.vocabularyCount, blockSize: blockSize)
  }

  init(_ targets: [Int32], vocabularyCount: Int, blockSize: Int) {
    precondition(
      Self.byteCount(windows: targets.count, blockSize: blockSize) != nil,
      "ContextWindows: \(targets.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    self.vocabularyCount = vocabularyCount
    self.targets = targets
    contexts = Self.contexts(of: targets.span, blockSize: blockSize)
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

  /// The windows of the first words: as many words as have at most `limit` windows together, but at
  /// least one.
  func words(upTo limit: Int) -> ContextWindows {
    guard count > limit else { return self }
    let ends = targets.indices.lazy.filter { targets[$0] == Vocabulary.terminator }
    let end = targets[..<limit].lastIndex(of: Vocabulary.terminator) ?? ends.first ?? count - 1
    return ContextWindows(
      Array(targets[...end]), vocabularyCount: vocabularyCount, blockSize: blockSize)
  }

  /// The bytes of windows, or nil if the number of entries overflows.
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

  /// The distinct contexts, in order of first appearance, with the counts of their targets.
  package func distinct() -> DistinctContexts { DistinctContexts(self) }

  /// The contexts of a sequence of targets.
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

extension Collection<Int32> {
  /// The last `length` ids of a word's beginning, with terminators before them if there are fewer.
  package func lastPadded(to length: Int) -> [Int32] {
    let known = suffix(length)
    return Array(repeatElement(Vocabulary.terminator, count: length - known.count)) + known
  }
}

// MARK: - Distinct contexts
//
// And how often each character follows each of them.
//
// A prediction depends on the context alone, so a loss over all windows needs only as many
// predictions as there are distinct contexts; the log-probability of each following character is
// weighted with its count. Contexts are in the order of their first appearance.
//
// Few possible contexts have a place each in a table; otherwise a hash table finds them. Its hashes
// are the standard library's, whose seed changes with every run, so that no word list can be made
// to collide.

/// Distinct contexts in order of first appearance, each with the counts of its targets.
package struct DistinctContexts: Equatable, Sendable {
  /// The number of characters in a context.
  package let blockSize: Int
  /// The number of classes of the vocabulary.
  package let vocabularyCount: Int
  /// Row after row: (count, blockSize).
  package let contexts: [Int32]
  /// Where the targets of each context start in `targets` and `targetCounts`, then their length:
  /// (count + 1).
  package let targetStarts: [Int32]
  /// The distinct targets of each context, ascending: (number of distinct windows).
  package let targets: [Int32]
  /// How many windows have this context and this target: (number of distinct windows).
  package let targetCounts: [Int32]

  /// The number of distinct contexts.
  package var count: Int { targetStarts.count - 1 }

  /// Groups windows by their context.
  ///
  /// - Precondition: there are at most 2³¹ - 1 windows.
  package init(_ windows: ContextWindows) {
    precondition(windows.count <= Int(Int32.max), "DistinctContexts: \(windows.count) windows")
    let (group, firstWindows) = Self.numberedGroups(of: windows) ?? Self.groups(of: windows)
    blockSize = windows.blockSize
    vocabularyCount = windows.vocabularyCount
    contexts = Self.rows(firstWindows, of: windows)
    (targetStarts, targets, targetCounts) = Self.countTargets(
      of: windows, group: group, groupCount: firstWindows.count)
  }

  /// Where the targets of a context lie in `targets` and `targetCounts`.
  package func targetRange(of context: Int) -> Range<Int> {
    precondition(
      context >= 0 && context < count,
      "DistinctContexts: there is no context \(context) of \(count)")
    return Int(targetStarts[context])..<Int(targetStarts[context + 1])
  }
}

// MARK: - Finding the distinct rows among few possible ones

extension DistinctContexts {
  /// The most possible contexts that have a place each in a table.
  private static let tableLimit = 1 << 18

  /// The same as `groups`, taking contexts as numbers with a digit for each character; nil if there
  /// are too many possible ones.
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
    var hashes: [UInt64] = []  // of each distinct context: to compare first, and to grow by
    var table = HashTable()
    for window in 0..<windows.count {
      let row = window * blockSize
      let hash = hash(rows, from: row, count: blockSize)
      let known = table.index(forHash: hash) {
        hashes[$0] == hash
          && areEqual(rows, row, Int(firstWindows[$0]) * blockSize, count: blockSize)
      }
      if let known {
        group[window] = Int32(known)
      } else {
        group[window] = Int32(table.add(hash) { hashes[$0] })
        firstWindows.append(Int32(window))
        hashes.append(hash)
      }
    }
    return (group, firstWindows)
  }

  /// A row's hash, two entries at a time.
  @inline(__always)
  private static func hash(_ rows: Span<Int32>, from start: Int, count: Int) -> UInt64 {
    var hasher = Hasher()
    var column = 0
    while column + 1 < count {
      let low = UInt64(UInt32(bitPattern: rows[start + column]))
      let high = UInt64(UInt32(bitPattern: rows[start + column + 1]))
      hasher.combine(high << 32 | low)
      column += 2
    }
    if column < count { hasher.combine(rows[start + column]) }
    return UInt64(bitPattern: Int64(hasher.finalize()))
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

// MARK: - Counting the targets

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

// MARK: - Blocks

// Enough rows for a good product, and few enough to stay in the cache; fewer where rows are so wide
// that even those would take more memory than training does.

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

  /// How many contexts a block has if the matrices made of it have rows of `width`: 1…256.
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
  package var windowCount: Int { targetCounts.reduce(0) { $0 + Int($1) } }
}

// MARK: - Hash table
//
// Numbers things 0, 1, 2, … in the order in which they are added: open addressing with linear
// probing, at most half full.
//
// The things themselves stay with the caller, who hashes and compares them, so that contexts and
// words need not be copied; the standard library's dictionary costs several times as much. What a
// table answers never depends on the hashes.

/// A hash table that gives things numbers.
struct HashTable: Sendable {
  /// Numbers, or −1 where a slot is free; the count is a power of two.
  private var slots: [Int32]
  private var count = 0

  /// - Parameter capacity: How many things can be added before the table grows.
  init(capacity: Int = 512) {
    var slotCount = 2
    while slotCount < 2 * capacity { slotCount *= 2 }
    slots = Array(repeating: -1, count: slotCount)
  }

  /// The number of the equal thing with this hash; nil if none was added.
  @inline(__always)
  func index(forHash hash: UInt64, where isEqual: (Int) -> Bool) -> Int? {
    var slot = start(hash)
    while slots[slot] >= 0 {
      if isEqual(Int(slots[slot])) { return Int(slots[slot]) }
      slot = next(slot)
    }
    return nil
  }

  /// Adds a thing that is not there, and gives it the next number.
  ///
  /// - Parameter hashOf: The hash of a thing by its number, for when the table grows.
  mutating func add(_ hash: UInt64, hashOf: (Int) -> UInt64) -> Int {
    if 2 * count >= slots.count {
      slots = Array(repeating: -1, count: 2 * slots.count)
      for number in 0..<count { place(number, hashOf(number)) }
    }
    place(count, hash)
    count += 1
    return count - 1
  }

  private mutating func place(_ number: Int, _ hash: UInt64) {
    var slot = start(hash)
    while slots[slot] >= 0 { slot = next(slot) }
    slots[slot] = Int32(number)
  }

  @inline(__always)
  private func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

  @inline(__always)
  private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}
