// The n-gram model that every loss is compared with: interpolated Kneser-Ney over characters.
//
// R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995;
// interpolated as in Chen and Goodman (1999). It predicts from the last order − 1 characters, as a
// network of block size order − 1 does. It is counted, not trained, and so it shows what training
// has to beat.
//
// Counts after the full context are numbers of windows; after all shorter ones they are
// continuation counts (see NGramCounts). The empty context is interpolated with the uniform
// distribution, so that every symbol has a positive probability everywhere; a context that was
// never seen is skipped.

import RealModule

/// Interpolated Kneser-Ney: p(c | context) = (count − D(count)) / total + backoff · p(c | context
/// without its oldest character), with total = Σ count and backoff = Σ D(count) / total over all
/// that was seen to follow the context; for a character that never did, the first term is zero.
public struct NGramModel: Sendable {
  /// The length of the n-grams: a context of order − 1 characters and the one that follows.
  public let order: Int
  let smoothing: KneserNey
  var counts: NGramCounts { smoothing.counts }

  /// A model of the words behind some windows, whatever their block size.
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

  /// How many contexts of more than so many characters were counted.
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
  /// behind `contexts`, with each way to smooth the same counts: (smoothings)(contexts.blockSize
  /// + 1).
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

  /// Passes on the probabilities that the models of all orders give to the character of every entry
  /// of `contexts`, with each way to smooth the same counts: entry, smoothing, (orders).
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

  /// The discount of a count, which is at least 1.
  func discount(of count: Int32) -> Double {
    switch count {
    case 1: one
    case 2: two
    default: threeOrMore
    }
  }
}

extension Discounts {
  /// The discounts for the counts of one level; fixed where they cannot be estimated.
  init(_ discounting: Discounting, of counts: ArraySlice<Int32>) {
    var numbers = [0, 0, 0, 0]
    for count in counts where count <= 4 { numbers[Int(count) - 1] += 1 }
    let estimate = Discounts(n1: numbers[0], n2: numbers[1], n3: numbers[2], n4: numbers[3])
    self = discounting == .estimated ? estimate ?? .fixed : .fixed
  }
}

// MARK: - Unigrams
//
// A network that does no better has not even learned how often characters occur.

extension SplitLosses {
  /// The losses of drawing every character, ends of words included, by how often it occurs in the
  /// training words: (count + 1) / (windows + vocabulary).
  public static func unigram(_ dataset: Dataset) -> SplitLosses {
    var counts = [Double](repeating: 1, count: dataset.vocabulary.count)
    for target in dataset.train.targets { counts[Int(target)] += 1 }
    let total = counts.reduce(0, +)
    let losses = counts.map { -Double.log($0 / total) }
    func mean(_ windows: ContextWindows) -> Double {
      windows.targets.reduce(0.0) { $0 + losses[Int($1)] } / Double(windows.count)
    }
    return SplitLosses(
      train: mean(dataset.train), validation: mean(dataset.validation), test: mean(dataset.test))
  }
}

// MARK: - The baseline
//
// All orders and both ways to discount are tried, because the best is not known beforehand; it is
// chosen by validation, never by test.

/// The losses of interpolated Kneser-Ney models of several orders over the parts of a split.
public struct Baseline: Equatable, Sendable {
  /// The orders tried.
  public static let orders = 2...6

  /// One model's losses.
  public struct Entry: Equatable, Sendable {
    /// The length of the n-grams.
    public let order: Int
    /// How counts are discounted.
    public let discounting: Discounting
    /// In nats per character.
    public let losses: SplitLosses
  }

  /// By order, then fixed before estimated.
  public let entries: [Entry]

  /// Counts the training words and evaluates all parts.
  public init(_ dataset: Dataset) {
    let blockSize = Self.orders.upperBound - 1
    let parts = [dataset.train, dataset.validation, dataset.test].map {
      ContextWindows($0, blockSize: blockSize).distinct()
    }
    let counts = NGramCounts(parts[0])
    let smoothings = Discounting.allCases.map { KneserNey(counts, $0) }
    let losses = parts.map { KneserNey.losses(of: smoothings, over: $0) }
    entries = Self.orders.flatMap { order in
      Discounting.allCases.enumerated().map { index, discounting in
        let parts = losses.map { $0[index][order - 1] }
        return Entry(
          order: order, discounting: discounting,
          losses: SplitLosses(train: parts[0], validation: parts[1], test: parts[2]))
      }
    }
  }

  /// The model with the smallest validation loss; of equals the one of lower order, then the fixed
  /// one.
  public var best: Entry { Self.best(of: entries) }

  /// The better of the two models that see a network's context, or as much of it as any model here:
  /// those of order min(blockSize + 1, 6).
  public func best(forBlockSize blockSize: Int) -> Entry {
    precondition(blockSize >= 1, "Baseline: block size \(blockSize)")
    let order = min(blockSize, Self.orders.upperBound - 1) + 1
    return Self.best(of: entries.filter { $0.order == order })
  }

  private static func best(of entries: [Entry]) -> Entry {
    guard let best = entries.min(by: { $0.losses.validation < $1.losses.validation }) else {
      preconditionFailure("Baseline: there is a model of every order")
    }
    return best
  }
}
