// One level of the tree of contexts while it is built: all contexts of one length.
//
// The longest contexts come sorted from a radix sort, with counts that are known. Every shorter level
// follows from the one below it: contexts that differ in their oldest character alone become one, their
// counts are added, and how many there were of them is the continuation count.

/// The distinct contexts of one length, in the order of their ids read backwards.
struct NGramLevel {
  /// A context of the distinct ones that ends in this one: (nodes).
  private(set) var rows: [Int] = []
  /// The oldest character of each context: (nodes).
  private(set) var symbols: [Int32] = []
  /// How many contexts one longer end in each: (nodes).
  private(set) var childCounts: [Int32] = []
  /// How many distinct characters follow each: (nodes).
  private(set) var targetCounts: [Int32] = []
  /// These characters, ascending: (entries).
  private(set) var targets: [Int32] = []
  /// In how many windows each follows: (entries).
  private(set) var counts: [Int32] = []
  /// After how many distinct longer contexts each follows: (entries).
  private(set) var continuations: [Int32] = []

  /// The levels from the empty context to the full ones.
  static func all(of contexts: DistinctContexts) -> [NGramLevel] {
    precondition(contexts.count > 0, "NGramCounts: there are no windows")
    var levels = [NGramLevel(longest: contexts)]
    for length in (0..<contexts.blockSize).reversed() {
      levels.append(NGramLevel(length: length, above: levels[levels.count - 1], of: contexts))
    }
    return levels.reversed()
  }

  /// The full contexts.
  private init(longest contexts: DistinctContexts) {
    rows = contexts.rowsReadBackwards()
    symbols = rows.map { contexts.contexts[$0 * contexts.blockSize] }
    childCounts = Array(repeating: 0, count: rows.count)
    for row in rows {
      let range = contexts.targetRange(of: row)
      targetCounts.append(Int32(range.count))
      targets.append(contentsOf: contexts.targets[range])
      counts.append(contentsOf: contexts.targetCounts[range])
    }
    continuations = Array(repeating: 0, count: targets.count)
  }

  /// The contexts of a length, from those one longer.
  private init(length: Int, above longer: NGramLevel, of contexts: DistinctContexts) {
    var tally = Tally(vocabularyCount: contexts.vocabularyCount)
    var firstEntry = 0
    for node in longer.rows.indices {
      let row = longer.rows[node]
      let isSame = rows.last.map { contexts.areEqual(row, $0, last: length) } ?? false
      if !isSame {
        append(&tally)
        rows.append(row)
        symbols.append(
          length == 0 ? 0 : contexts.contexts[(row + 1) * contexts.blockSize - length])
        childCounts.append(0)
      }
      childCounts[childCounts.count - 1] += 1
      let entries = firstEntry..<firstEntry + Int(longer.targetCounts[node])
      tally.add(longer.targets, longer.counts, entries)
      firstEntry = entries.upperBound
    }
    append(&tally)
  }

  /// Appends what was counted for the last context, if there is one.
  private mutating func append(_ tally: inout Tally) {
    guard !rows.isEmpty else { return }
    tally.seen.sort()
    targetCounts.append(Int32(tally.seen.count))
    for target in tally.seen {
      targets.append(target)
      counts.append(tally.counts[Int(target)])
      continuations.append(tally.continuations[Int(target)])
    }
    tally.clear()
  }
}

/// Counts by character; zero between two contexts.
private struct Tally {
  var seen: [Int32] = []
  var counts: [Int32]
  var continuations: [Int32]

  init(vocabularyCount: Int) {
    counts = Array(repeating: 0, count: vocabularyCount)
    continuations = counts
  }

  mutating func add(_ targets: [Int32], _ added: [Int32], _ entries: Range<Int>) {
    for entry in entries {
      let target = Int(targets[entry])
      if continuations[target] == 0 { seen.append(targets[entry]) }
      counts[target] += added[entry]
      continuations[target] += 1
    }
  }

  mutating func clear() {
    for target in seen {
      counts[Int(target)] = 0
      continuations[Int(target)] = 0
    }
    seen.removeAll(keepingCapacity: true)
  }
}

extension DistinctContexts {
  /// The numbers of the contexts, sorted by their ids from the newest to the oldest: a counting sort
  /// for each character of the block.
  func rowsReadBackwards() -> [Int] {
    var rows = Array(0..<count)
    for column in 0..<blockSize {
      var starts = [Int](repeating: 0, count: vocabularyCount + 1)
      for row in rows { starts[Int(contexts[row * blockSize + column]) + 1] += 1 }
      for id in 0..<vocabularyCount { starts[id + 1] += starts[id] }
      var sorted = rows
      for row in rows {
        let id = Int(contexts[row * blockSize + column])
        sorted[starts[id]] = row
        starts[id] += 1
      }
      rows = sorted
    }
    return rows
  }

  /// Whether two contexts have the same last `length` ids.
  fileprivate func areEqual(_ left: Int, _ right: Int, last length: Int) -> Bool {
    let (leftEnd, rightEnd) = ((left + 1) * blockSize, (right + 1) * blockSize)
    for back in 1..<length + 1 where contexts[leftEnd - back] != contexts[rightEnd - back] {
      return false
    }
    return true
  }
}
