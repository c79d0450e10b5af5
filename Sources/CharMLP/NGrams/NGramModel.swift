// The n-gram model that every loss is compared with: interpolated Kneser-Ney over characters.
//
// R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995;
// interpolated as in Chen and Goodman (1999). It predicts from the last order − 1 characters, as a
// network of block size order − 1 does. It is counted, not trained, and so it shows what training
// has to beat.

import RealModule

// MARK: - The model
//
// Counts after the full context are numbers of windows; after all shorter ones they are
// continuation counts (see NGramCounts). The empty context is interpolated with the uniform
// distribution, so that every symbol has a positive probability everywhere; a context that was
// never seen is skipped.

/// Interpolated Kneser-Ney: p(c | context) = (count − D(count)) / total + backoff · p(c | context
/// without its oldest character), with total = Σ count and backoff = Σ D(count) / total over all
/// that was seen to follow the context; for a character that never did, the first term is zero.
public struct NGramModel: Sendable {
  /// The length of the n-grams: a context of order − 1 characters and the one that follows.
  public let order: Int
  let smoothing: KneserNey
  var counts: NGramCounts { smoothing.counts }

  /// A model of the words that some windows come from, whatever their block size.
  ///
  /// - Parameters:
  ///   - windows: What is counted.
  ///   - order: The length of the n-grams, at least 1.
  ///   - discounting: How counts are discounted.
  public init(of windows: ContextWindows, order: Int, discounting: Discounting) {
    precondition(order >= 1, "NGramModel: order \(order)")
    self.order = order
    // Order 1 has no context, but windows have at least one character.
    let windows = ContextWindows(windows, blockSize: max(1, order - 1))
    smoothing = KneserNey(NGramCounts(windows.distinct()), discounting)
  }

  /// The probabilities of the next character, which sum to one.  (vocabulary)
  ///
  /// - Parameter context: The ids before it, of which the last order − 1 matter; fewer begin a
  ///   word.
  public func distribution(after context: some Collection<Int32>) -> [Double] {
    let known = context.suffix(order - 1)
    precondition(
      known.allSatisfy { $0 >= 0 && $0 < counts.vocabularyCount },
      "NGramModel: \(Array(known)) in a vocabulary of \(counts.vocabularyCount)")
    var path: [Int] = []
    counts.find(known.lastPadded(to: order - 1)[...], length: order - 1, path: &path)
    var probabilities = [Double](repeating: 0, count: counts.vocabularyCount)
    fill(&probabilities, along: path)
    return probabilities
  }

  /// Computes the distribution after a context whose nodes are given.
  func fill(_ probabilities: inout [Double], along path: [Int]) {
    for id in probabilities.indices { probabilities[id] = 1 / Double(counts.vocabularyCount) }
    for (length, node) in path.enumerated() {
      let level = level(length)
      let backoff = level.backoffs[node]
      for id in probabilities.indices { probabilities[id] *= backoff }
      for entry in counts.entries(of: node) {
        probabilities[Int(counts.targets[entry])] += level.share(entry, node, length)
      }
    }
  }

  /// Finds the nodes of a full context, from the empty one to the longest suffix that was seen.
  func find(_ context: ArraySlice<Int32>, path: inout [Int]) {
    counts.find(context, length: order - 1, path: &path)
  }

  /// How many contexts of more than `length` characters were counted.
  func contextCount(longerThan length: Int) -> Int {
    guard order - 1 > length else { return 0 }
    return counts.levelStarts[order] - counts.levelStarts[length + 1]
  }

  /// What is subtracted from counts of one, of two and of three or more, by the length of the
  /// context: a row for each from none to order − 1.
  public var discounts: [[Double]] {
    (0..<order).map { length in
      let discounts = level(length).discounts[length]
      return [discounts.one, discounts.two, discounts.threeOrMore]
    }
  }

  /// The counts after contexts of a length.
  private func level(_ length: Int) -> KneserNey.Level {
    length == order - 1 ? smoothing.windows : smoothing.continuations
  }
}

// MARK: - Kneser-Ney smoothing

/// Counts and what smoothing subtracts from them: all that models of every order share.
///
/// A model's longest contexts count windows and all shorter ones count continuations, so two sets
/// of sums over the tree are enough for every order.
struct KneserNey: Sendable {
  let counts: NGramCounts
  /// For the full context of a model of any order.
  let windows: Level
  /// For all shorter contexts.
  let continuations: Level

  init(_ counts: NGramCounts, _ discounting: Discounting) {
    self.counts = counts
    windows = Level(counts, counts.counts, lengths: 0..<counts.maximumOrder, discounting)
    continuations = Level(
      counts, counts.continuations, lengths: 0..<counts.maximumOrder - 1, discounting)
  }

  /// One kind of counts over all nodes.
  struct Level: Sendable {
    let counts: [Int32]
    /// By the length of the context.
    let discounts: [Discounts]
    /// Σ count over what follows each context: (nodes).
    private(set) var totals: [Double] = []
    /// Σ D(count) / total, what comes from the next shorter context: (nodes).
    private(set) var backoffs: [Double] = []

    init(
      _ tree: NGramCounts, _ counts: [Int32], lengths: Range<Int>, _ discounting: Discounting
    ) {
      self.counts = counts
      discounts = lengths.map { Discounts(discounting, of: counts[tree.entries(ofLength: $0)]) }
      for length in lengths {
        for node in tree.nodes(ofLength: length) {
          var (total, discounted) = (0.0, 0.0)
          for entry in tree.entries(of: node) {
            total += Double(counts[entry])
            discounted += discounts[length].discount(of: counts[entry])
          }
          totals.append(total)
          backoffs.append(discounted / total)
        }
      }
    }

    /// What a context's own counts give the character of an entry: (count − D) / total.
    @inline(__always)
    func share(_ entry: Int, _ node: Int, _ length: Int) -> Double {
      let count = counts[entry]
      return (Double(count) - discounts[length].discount(of: count)) / totals[node]
    }

    /// The probability after a context, from that after the next shorter one; the entry is −1 if
    /// the character never followed the context.
    @inline(__always)
    func interpolate(_ shorter: Double, _ entry: Int, _ node: Int, _ length: Int) -> Double {
      let rest = backoffs[node] * shorter
      return entry < 0 ? rest : rest + share(entry, node, length)
    }
  }
}

// MARK: - Evaluation
//
// One walk of the tree gives the losses of the models of all orders, because the path to a context
// passes through the contexts of the lower orders.

extension KneserNey {
  /// The mean cross-entropy, in nats per character, of the models of all orders over the windows
  /// that `contexts` counts, with each way to smooth the same counts: (smoothings)(block size + 1).
  static func losses(of smoothings: [KneserNey], over contexts: DistinctContexts) -> [[Double]] {
    let length = min(smoothings[0].counts.maximumOrder - 1, contexts.blockSize)
    var sums = smoothings.map { _ in [Double](repeating: 0, count: length + 1) }
    forEachEntry(of: smoothings, over: contexts) { entry, smoothing, probabilities in
      let weight = Double(contexts.targetCounts[entry])
      for length in probabilities.indices {
        sums[smoothing][length] -= weight * .log(probabilities[length])
      }
    }
    let windowCount = Double(contexts.windowCount)
    return sums.map { $0.map { $0 / windowCount } }
  }

  /// Calls `body` with the probabilities that the models of all orders give to the character of
  /// every entry of `contexts`, with each way to smooth the same counts: (orders).
  static func forEachEntry(
    of smoothings: [KneserNey], over contexts: DistinctContexts,
    _ body: (_ entry: Int, _ smoothing: Int, _ probabilities: [Double]) -> Void
  ) {
    let counts = smoothings[0].counts
    let length = min(counts.maximumOrder - 1, contexts.blockSize)
    var probabilities = [Double](repeating: 0, count: length + 1)
    var path: [Int] = []
    var entries: [Int] = []
    // In the order of the tree, so that successive paths are close in memory.
    for row in contexts.rowsReadBackwards() {
      let ids = contexts.contexts[row * contexts.blockSize..<(row + 1) * contexts.blockSize]
      counts.find(ids, length: length, path: &path)
      for window in contexts.targetRange(of: row) {
        counts.find(contexts.targets[window], along: path, entries: &entries)
        for index in smoothings.indices {
          smoothings[index].fill(&probabilities, path, entries)
          body(window, index, probabilities)
        }
      }
    }
  }

  /// Computes the probabilities of one character after one context, by context length.
  private func fill(_ probabilities: inout [Double], _ path: [Int], _ entries: [Int]) {
    var shorter = 1 / Double(counts.vocabularyCount)
    for length in 0..<path.count {
      let (entry, node) = (entries[length], path[length])
      probabilities[length] = windows.interpolate(shorter, entry, node, length)
      if length + 1 < probabilities.count {
        shorter = continuations.interpolate(shorter, entry, node, length)
      }
    }
    // Longer contexts, never seen, are skipped.
    for length in path.count..<max(path.count, probabilities.count) {
      probabilities[length] = shorter
    }
  }
}

extension NGramModel {
  /// The probability of every entry's character, by entry of `contexts`.
  func probabilities(over contexts: DistinctContexts) -> [Double] {
    var result = [Double](repeating: 0, count: contexts.targets.count)
    KneserNey.forEachEntry(of: [smoothing], over: contexts) { entry, _, probabilities in
      result[entry] = probabilities[order - 1]
    }
    return result
  }
}

// MARK: - Discounts

/// How to choose what is subtracted from every count, and given to what was not seen.
public enum Discounting: String, CaseIterable, Sendable {
  /// 0.75 whatever the count, as in many textbooks.
  case fixed
  /// Estimated for each level from how many of its counts are one, two, three and four: one
  /// discount for counts of one, one for counts of two, and one for all larger ones (modified
  /// Kneser-Ney; S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
  /// language modeling", Computer Speech and Language 13, 1999, equation 26).
  case estimated
}

/// What is subtracted from counts of one, of two, and of three or more.
struct Discounts: Equatable, Sendable {
  let one: Double
  let two: Double
  let threeOrMore: Double

  /// 0.75 for all.
  static let fixed = Discounts(one: 0.75, two: 0.75, threeOrMore: 0.75)

  /// Makes discounts, each above zero and at most its count.
  init(one: Double, two: Double, threeOrMore: Double) {
    precondition(
      one > 0 && one <= 1 && two > 0 && two <= 2 && threeOrMore > 0 && threeOrMore <= 3,
      "Discounts: \(one), \(two), \(threeOrMore)")
    (self.one, self.two, self.threeOrMore) = (one, two, threeOrMore)
  }

  /// The estimate from how many counts are one, two, three and four: with Y = n₁ / (n₁ + 2n₂),
  /// D₁ = 1 − 2Y n₂/n₁, D₂ = 2 − 3Y n₃/n₂, D₃₊ = 3 − 4Y n₄/n₃.
  ///
  /// Nil where one of the first four is zero or a discount would not be above zero, as for small
  /// lists and for lists without rare n-grams.
  init?(n1: Int, n2: Int, n3: Int, n4: Int) {
    guard n1 > 0, n2 > 0, n3 > 0, n4 > 0 else { return nil }
    let (n1, n2, n3, n4) = (Double(n1), Double(n2), Double(n3), Double(n4))
    let ratio = n1 / (n1 + 2 * n2)
    let two = 2 - 3 * ratio * n3 / n2
    let threeOrMore = 3 - 4 * ratio * n4 / n3
    guard two > 0, threeOrMore > 0 else { return nil }
    self.init(one: 1 - 2 * ratio * n2 / n1, two: two, threeOrMore: threeOrMore)
  }

  /// The discounts for the counts of one level; fixed where they cannot be estimated.
  init(_ discounting: Discounting, of counts: ArraySlice<Int32>) {
    var numbers = [0, 0, 0, 0]
    for count in counts where count <= 4 { numbers[Int(count) - 1] += 1 }
    let estimate = Discounts(n1: numbers[0], n2: numbers[1], n3: numbers[2], n4: numbers[3])
    self = discounting == .estimated ? estimate ?? .fixed : .fixed
  }

  /// The discount of a count, which is at least 1.
  func discount(of count: Int32) -> Double {
    switch count {
    case 1: one
    case 2: two
    default: threeOrMore
    }
  }
}

// MARK: - Counts
//
// How often each character follows each context, for all context lengths up to a limit. Contexts
// form a tree: a node's parent is its context without the oldest character, which is how an n-gram
// model backs off. Nodes are numbered level by level and, within a level, in the order of their
// contexts read backwards, so that children are neighbours and no node needs a pointer. One tree
// serves the models of all orders.
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
  /// How many windows have the context and this character: (entries).
  let counts: [Int32]
  /// How many distinct characters precede the context in them; zero in the last level: (entries).
  let continuations: [Int32]

  /// Counts the n-grams of the windows that `contexts` counts; the maximum order is their block
  /// size plus one.
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

  // MARK: Finding contexts and characters

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
  /// A row of the distinct contexts that ends in this context: (nodes).
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
    return contexts[leftEnd - length..<leftEnd] == contexts[rightEnd - length..<rightEnd]
  }
}
