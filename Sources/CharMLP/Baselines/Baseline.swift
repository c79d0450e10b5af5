// What counting reaches on a split: the losses of n-gram models, to be printed beside a network's.
//
// All orders and both ways to discount, because nobody knows beforehand which is best; the best is
// chosen by validation, never by test.

/// The losses of interpolated Kneser-Ney models of several orders over the parts of a split.
public struct Baseline: Equatable, Sendable {
  /// The orders that are tried.
  public static let orders = 2...6

  /// One model's losses.
  public struct Entry: Equatable, Sendable {
    public let order: Int
    public let discounting: Discounting
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

  /// The model with the smallest validation loss; of equals the one of lower order, then the fixed one.
  public var best: Entry { Self.best(of: entries) }

  /// The better of the models that see the context of a network, as far as counting reaches: order
  /// min(blockSize + 1, 6).
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
