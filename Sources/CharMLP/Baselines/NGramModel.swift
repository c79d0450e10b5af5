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
