// The n-gram model that every loss is printed beside: interpolated Kneser-Ney over characters.
//
// R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995; interpolated
// as in Chen and Goodman (1999). It predicts from the last order − 1 characters: what a network of block
// size order − 1 sees. It is counted, not trained, and so it shows what training has to beat.
//
// At the level of the full context counts are numbers of windows; at all shorter ones they are
// continuation counts (see NGramCounts). The empty context is interpolated with the uniform distribution,
// so that every symbol has a positive probability everywhere; a context that was never seen is skipped.

import RealModule

/// Interpolated Kneser-Ney:
/// p(c | context) = (count − D(count)) / total + backoff · p(c | context without its oldest character),
/// with total = Σ count and backoff = Σ D(count) / total over all that was seen to follow the context;
/// for a character that never did, the first term is zero.
public struct NGramModel: Sendable {
  /// The length of the n-grams: a context of order − 1 characters and the one that follows.
  public let order: Int
  private let smoothing: KneserNey
  private var counts: NGramCounts { smoothing.counts }

  /// A model on counts.
  ///
  /// - Parameter order: From 1 to the counts' maximum order.
  public init(_ counts: NGramCounts, order: Int, discounting: Discounting) {
    precondition(
      order >= 1 && order <= counts.maximumOrder,
      "NGramModel: order \(order) on counts up to \(counts.maximumOrder)")
    self.order = order
    smoothing = KneserNey(counts, discounting)
  }

  /// A model of the words behind some windows, whatever their block size.
  public init(of windows: ContextWindows, order: Int, discounting: Discounting) {
    // Order 1 has no context, but windows have at least one character.
    let windows = ContextWindows(windows, blockSize: max(1, order - 1))
    self.init(NGramCounts(windows.distinct()), order: order, discounting: discounting)
  }
}

// MARK: Predicting

extension NGramModel {
  /// The discounts by context length, 0 to order − 1.
  public var discounts: [Discounts] { (0..<order).map { level($0).discounts[$0] } }

  /// The probabilities of the next character, which sum to one.  (vocabulary)
  ///
  /// - Parameter context: The ids before it, of which the last order − 1 matter; a shorter one stands
  ///   at the beginning of a word.
  public func distribution(after context: some Collection<Int32>) -> [Double] {
    let path = path(of: context)
    let vocabularyCount = counts.vocabularyCount
    var probabilities = [Double](repeating: 1 / Double(vocabularyCount), count: vocabularyCount)
    for (length, node) in path.enumerated() {
      for id in probabilities.indices { probabilities[id] *= level(length).backoffs[node] }
      for entry in counts.entries(of: node) {
        probabilities[Int(counts.targets[entry])] += level(length).share(entry, node, length)
      }
    }
    return probabilities
  }

  /// The probability that `target` follows `context`.
  public func probability(of target: Int32, after context: some Collection<Int32>) -> Double {
    precondition(
      target >= 0 && target < counts.vocabularyCount,
      "NGramModel: there is no id \(target) in a vocabulary of \(counts.vocabularyCount)")
    return probability(of: target, along: path(of: context))
  }

  /// The natural logarithm of the probability of a word: of its characters and of its end.
  ///
  /// - Parameter word: The ids of its characters, without a terminator.
  public func logProbability(of word: [Int32]) -> Double {
    var sum = 0.0
    for end in 0..<word.count + 1 {
      let target = end < word.count ? word[end] : Vocabulary.terminator
      sum += Double.log(probability(of: target, after: word[..<end]))
    }
    return sum
  }

  /// The mean cross-entropy over all windows behind `contexts`, in nats per character.
  ///
  /// - Precondition: their block size is at least order − 1, and there is a window.
  public func loss(over contexts: DistinctContexts) -> Double {
    precondition(
      contexts.blockSize >= order - 1 && contexts.vocabularyCount == counts.vocabularyCount
        && contexts.count > 0,
      "NGramModel: order \(order) over \(contexts.count) contexts of \(contexts.blockSize)")
    return KneserNey.losses(of: [smoothing], over: contexts)[0][order - 1]
  }

  /// The nodes of a context, which terminators precede as long as it is too short.
  private func path(of context: some Collection<Int32>) -> [Int] {
    let known = context.suffix(order - 1)
    let padding = repeatElement(Vocabulary.terminator, count: order - 1 - known.count)
    var path: [Int] = []
    counts.find((Array(padding) + known)[...], length: order - 1, path: &path)
    return path
  }

  private func probability(of target: Int32, along path: [Int]) -> Double {
    var entries: [Int] = []
    counts.find(target, along: path, entries: &entries)
    return path.indices.reduce(1 / Double(counts.vocabularyCount)) { shorter, length in
      level(length).interpolate(shorter, entries[length], path[length], length)
    }
  }

  /// The counts that matter for contexts of a length.
  private func level(_ length: Int) -> KneserNey.Level {
    length == order - 1 ? smoothing.windows : smoothing.continuations
  }
}

// MARK: - Kneser-Ney smoothing of counts: what all orders of n-gram models with one way to discount share

// A model's longest contexts count windows, all shorter ones count continuations, so that two sets of
// sums over the tree are enough for the models of every order. The losses of all of them come from one
// walk: the way to a context passes by the contexts of the lower orders.

/// Counts with what smoothing takes from them.
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

    /// The probability by a context, from that by the next shorter one; an entry of -1 is none.
    @inline(__always)
    func interpolate(_ shorter: Double, _ entry: Int, _ node: Int, _ length: Int) -> Double {
      let rest = backoffs[node] * shorter
      return entry < 0 ? rest : rest + share(entry, node, length)
    }
  }
}

// MARK: Losses

extension KneserNey {
  /// The mean cross-entropy, in nats per character, of the models of all orders over the windows behind
  /// `contexts`, with each way to smooth the same counts: (smoothings)(contexts.blockSize + 1).
  static func losses(of smoothings: [KneserNey], over contexts: DistinctContexts) -> [[Double]] {
    let counts = smoothings[0].counts
    let length = min(counts.maximumOrder - 1, contexts.blockSize)
    var sums = smoothings.map { _ in [Double](repeating: 0, count: length + 1) }
    var path: [Int] = []
    var entries: [Int] = []
    // In the order of the tree, so that one walk's memory is close to the last one's.
    for row in contexts.rowsReadBackwards() {
      let ids = contexts.contexts[row * contexts.blockSize..<(row + 1) * contexts.blockSize]
      counts.find(ids, length: length, path: &path)
      for window in contexts.targetRange(of: row) {
        counts.find(contexts.targets[window], along: path, entries: &entries)
        let weight = Double(contexts.targetCounts[window])
        for index in smoothings.indices {
          smoothings[index].addLosses(weight, path, entries, to: &sums[index])
        }
      }
    }
    let windowCount = Double(contexts.windowCount)
    return sums.map { $0.map { $0 / windowCount } }
  }

  /// Adds the losses of one character after one context, by context length.
  private func addLosses(
    _ weight: Double, _ path: [Int], _ entries: [Int], to sums: inout [Double]
  ) {
    var shorter = 1 / Double(counts.vocabularyCount)
    for length in 0..<path.count {
      let (entry, node) = (entries[length], path[length])
      sums[length] -= weight * .log(windows.interpolate(shorter, entry, node, length))
      if length + 1 < sums.count {
        shorter = continuations.interpolate(shorter, entry, node, length)
      }
    }
    // Contexts that were never seen are skipped, whatever their length.
    guard path.count < sums.count else { return }
    let loss = weight * .log(shorter)
    for length in path.count..<sums.count { sums[length] -= loss }
  }
}

// MARK: - What Kneser-Ney smoothing takes from every count, to give it to what was not seen

// Fixed: 0.75 from every count of every level, as textbooks do. Estimated: from the data, one discount
// for counts of one, one for counts of two and one for all larger ones (modified Kneser-Ney; S. F. Chen
// and J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech
// and Language 13, 1999, equation 26).

/// How the discounts of an n-gram model are chosen.
public enum Discounting: String, CaseIterable, Sendable {
  /// 0.75, whatever the count.
  case fixed
  /// Estimated for each level from how many of its counts are one, two, three and four.
  case estimated
}

/// What is subtracted from counts of one, of two, and of three or more.
public struct Discounts: Equatable, Sendable {
  public let one: Double
  public let two: Double
  public let threeOrMore: Double

  /// 0.75 for all, as in many textbooks.
  public static let fixed = Discounts(one: 0.75, two: 0.75, threeOrMore: 0.75)

  /// Makes discounts; that of a count is above zero and at most the count.
  public init(one: Double, two: Double, threeOrMore: Double) {
    precondition(
      one > 0 && one <= 1 && two > 0 && two <= 2 && threeOrMore > 0 && threeOrMore <= 3,
      "Discounts: \(one), \(two), \(threeOrMore)")
    (self.one, self.two, self.threeOrMore) = (one, two, threeOrMore)
  }

  /// The estimate from how many counts are one, two, three and four: with Y = n₁ / (n₁ + 2n₂),
  /// D₁ = 1 − 2Y n₂/n₁, D₂ = 2 − 3Y n₃/n₂, D₃₊ = 3 − 4Y n₄/n₃.
  ///
  /// Nil where a number that the equations need is zero, or a discount would not be above zero: small
  /// lists, and lists without rare n-grams, have no such estimate.
  public init?(n1: Int, n2: Int, n3: Int, n4: Int) {
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
  /// The discounts of one level by its counts; fixed where they cannot be estimated.
  init(_ discounting: Discounting, of counts: ArraySlice<Int32>) {
    var numbers = [0, 0, 0, 0]
    for count in counts where count <= 4 { numbers[Int(count) - 1] += 1 }
    let estimate = Discounts(n1: numbers[0], n2: numbers[1], n3: numbers[2], n4: numbers[3])
    self = discounting == .estimated ? estimate ?? .fixed : .fixed
  }
}
