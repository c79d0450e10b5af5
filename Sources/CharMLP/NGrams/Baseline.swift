// What counting alone achieves on a split: the losses of n-gram models, to be shown beside a
// network's.
//
// All orders and both ways to discount are tried, because the best is not known beforehand; it is
// chosen by validation, never by test.

import RealModule

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
