// The distinct contexts of a set of windows, and how often each character follows each of them.
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

extension ContextWindows {
  /// The distinct contexts, in order of first appearance, with the counts of their targets.
  package func distinct() -> DistinctContexts { DistinctContexts(self) }
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
      let known = table.number(hash) {
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
