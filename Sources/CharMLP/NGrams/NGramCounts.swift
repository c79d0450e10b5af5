// How often each character follows each context, for all context lengths up to a limit.
//
// Contexts form a tree: a node's parent is its context without the oldest character, which is how
// an n-gram model backs off. Nodes are numbered level by level and, within a level, in the order of
// their contexts read backwards, so that children are neighbours and no node needs a pointer. One
// tree serves the models of all orders; the probabilities are NGramModel's.
//
// Two conventions decide the third decimal of a loss. A word is preceded by as many terminators as
// the longest context needs, as in ContextWindows, and its end is a character like any other. The
// continuation count of (context, character) is the number of distinct characters before it, the
// terminator included; padded n-grams are no exception.

/// Counts of all n-grams of encoded words, up to an order.
struct NGramCounts: Sendable {
  /// The longest n-gram that is counted: a context and the character after it.
  let maximumOrder: Int
  /// The number of classes of the vocabulary.
  let vocabularyCount: Int

  /// Where each level's nodes start, the root being level 0; last the number of nodes:
  /// (maximumOrder + 1).
  let levelStarts: [Int]
  /// The oldest character of each node's context: (nodes).
  let symbols: [Int32]
  /// Where each node's children start; they end where the next node's start: (nodes + 1).
  let childStarts: [Int32]
  /// Where each node's entries in the following three start: (nodes + 1).
  let targetStarts: [Int32]
  /// The characters that follow the context, ascending: (entries).
  let targets: [Int32]
  /// In how many windows: (entries).
  let counts: [Int32]
  /// After how many distinct characters before the context; zero in the last level: (entries).
  let continuations: [Int32]

  /// Counts what the windows behind `contexts` hold; the maximum order is their block size plus
  /// one.
  ///
  /// Time and memory are proportional to the number of distinct contexts × the block size.
  init(_ contexts: DistinctContexts) {
    let levels = NGramLevel.all(of: contexts)
    maximumOrder = contexts.blockSize + 1
    vocabularyCount = contexts.vocabularyCount
    levelStarts = levels.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.symbols.count) }
    symbols = levels.flatMap(\.symbols)
    targets = levels.flatMap(\.targets)
    counts = levels.flatMap(\.counts)
    continuations = levels.flatMap(\.continuations)
    targetStarts = [0] + Self.runningSums(levels.flatMap(\.targetCounts), from: 0)
    let firstChild = Int32(levels[0].symbols.count)
    childStarts = [firstChild] + Self.runningSums(levels.flatMap(\.childCounts), from: firstChild)
  }

  private static func runningSums(_ lengths: [Int32], from start: Int32) -> [Int32] {
    var sum = start
    return lengths.map { length in
      sum += length
      return sum
    }
  }
}

// MARK: - Finding contexts and characters

extension NGramCounts {
  /// The nodes of a context and its suffixes, from the empty one on, as far as they were seen.
  ///
  /// - Parameters:
  ///   - context: At least `length` ids, the newest last.
  ///   - length: How many of them to use, at most.
  ///   - path: Becomes the nodes; given by the caller, so that many contexts need one array.
  func find(_ context: ArraySlice<Int32>, length: Int, path: inout [Int]) {
    path.removeAll(keepingCapacity: true)
    path.append(0)
    var node = 0
    for position in 1..<length + 1 {
      let symbol = context[context.endIndex - position]
      let children = Int(childStarts[node])..<Int(childStarts[node + 1])
      guard let child = index(of: symbol, in: symbols, children) else { return }
      path.append(child)
      node = child
    }
  }

  /// Where the counts of a character after each context of a path stand; -1 where it never
  /// followed.
  func find(_ target: Int32, along path: [Int], entries: inout [Int]) {
    entries.removeAll(keepingCapacity: true)
    for node in path {
      // What never followed a context never followed a longer one.
      guard let entry = index(of: target, in: targets, self.entries(of: node)) else { break }
      entries.append(entry)
    }
    while entries.count < path.count { entries.append(-1) }
  }

  /// Where the counts of all characters after a node's context stand.
  func entries(of node: Int) -> Range<Int> {
    Int(targetStarts[node])..<Int(targetStarts[node + 1])
  }

  /// Where the counts after all contexts of the given length stand.
  func entries(ofLength length: Int) -> Range<Int> {
    let nodes = nodes(ofLength: length)
    return Int(targetStarts[nodes.lowerBound])..<Int(targetStarts[nodes.upperBound])
  }

  /// The nodes whose contexts have the given length.
  func nodes(ofLength length: Int) -> Range<Int> {
    levelStarts[length]..<levelStarts[length + 1]
  }
}

/// The place of an element in an ascending stretch of an array, by bisection.
@inline(__always)
private func index(of element: Int32, in array: [Int32], _ range: Range<Int>) -> Int? {
  let elements = array.span
  var (low, high) = (range.lowerBound, range.upperBound)
  while low < high {
    let middle = (low + high) >> 1
    if elements[middle] < element { low = middle + 1 } else { high = middle }
  }
  return low < range.upperBound && elements[low] == element ? low : nil
}

// MARK: - Building the tree

/// One level of the tree while it is built: the distinct contexts of one length, in the order of
/// their ids read backwards.
///
/// The longest contexts come from a radix sort, with known counts. Each shorter level follows from
/// the one below it: contexts that differ only in their oldest character become one, their counts
/// are added, and the number of them is the continuation count.
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

/// Counts by character; all zero between two contexts.
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
  /// The numbers of the contexts, sorted by their ids from the newest to the oldest: a counting
  /// sort for each character of the block.
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
