// Losses over the parts of a split: a network's, and what counting alone achieves.
//
// A loss says little until it stands beside those of unigrams and n-grams.

import RealModule

/// The mean cross-entropy over each part of a split, in nats per character.
public struct SplitLosses: Equatable, Sendable {
  /// Over the windows that train.
  public let train: Double
  /// Over the windows that validate.
  public let validation: Double
  /// Over the windows that test.
  public let test: Double

  /// Creates losses from known values.
  public init(train: Double, validation: Double, test: Double) {
    (self.train, self.validation, self.test) = (train, validation, test)
  }

  /// The losses of a network.
  package init(_ model: Model, _ dataset: Dataset) {
    self.init(dataset.measured) { model.loss(over: $0.distinct()) }
  }

  /// The losses of the three parts.
  init(_ parts: MeasuredWindows, _ loss: (ContextWindows) -> Double) {
    self.init(
      train: loss(parts.train), validation: loss(parts.validation), test: loss(parts.test))
  }

  /// The perplexity of a loss, exp(loss): the number of equally likely characters with that loss.
  public static func perplexity(_ loss: Double) -> Double { .exp(loss) }

  /// The loss of guessing among so many characters alike, log(count).
  public static func guessing(among count: Int) -> Double { .log(Double(count)) }
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

// MARK: - N-grams
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
