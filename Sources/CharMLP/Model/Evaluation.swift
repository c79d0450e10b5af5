// The loss of a network over the parts of a split.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule

extension Model {
  /// The mean cross-entropy over all windows behind `contexts`, in nats per character.
  package func loss(over contexts: DistinctContexts) -> Double {
    var total = 0.0
    for block in contexts.blocks(width: shape.widestRow) {
      let logits = logits(block.contexts)  // (n, vocabulary)
      let norm_logits = logits - logits.max(.columns)  // (n, vocabulary)
      let counts_sum = exp(norm_logits).sum(.columns)  // (n, 1)
      for (row, context) in block.indices.enumerated() {
        let log_sum = Double.log(Double(counts_sum[row, 0]))
        for entry in contexts.targetRange(of: context) {
          let logprob = Double(norm_logits[row, Int(contexts.targets[entry])]) - log_sum
          total -= logprob * Double(contexts.targetCounts[entry])
        }
      }
    }
    return total / Double(contexts.windowCount)
  }
}

extension Model {
  /// The probability of every entry's character, by entry of `contexts`, whose blocks are as long as
  /// this network's or longer.
  func probabilities(over contexts: DistinctContexts) -> [Double] {
    var probabilities = [Double](repeating: 0, count: contexts.targets.count)
    let width = max(shape.widestRow, contexts.blockSize)
    for block in contexts.blocks(width: width) {
      let logits = logits(block.contexts.lastOfEach(shape.blockSize, of: contexts.blockSize))
      let norm_logits = logits - logits.max(.columns)  // (n, vocabulary)
      let counts = exp(norm_logits)  // (n, vocabulary)
      let counts_sum = counts.sum(.columns)  // (n, 1)
      for (row, context) in block.indices.enumerated() {
        for entry in contexts.targetRange(of: context) {
          probabilities[entry] =
            Double(counts[row, Int(contexts.targets[entry])]) / Double(counts_sum[row, 0])
        }
      }
    }
    return probabilities
  }
}

extension ArraySlice<Int32> {
  /// The last `length` ids of every block.
  fileprivate func lastOfEach(_ length: Int, of blockSize: Int) -> ArraySlice<Int32> {
    guard length < blockSize else { return self }
    return stride(from: startIndex, to: endIndex, by: blockSize)
      .flatMap { self[$0 + blockSize - length..<$0 + blockSize] }[...]
  }
}

// MARK: Losses of a split

/// The mean cross-entropy over each part of a split, in nats per character.
public struct SplitLosses: Equatable, Sendable {
  /// Over the windows that train.
  public let train: Double
  /// Over the windows that validate.
  public let validation: Double
  /// Over the windows that test.
  public let test: Double

  /// Puts losses together that are known.
  public init(train: Double, validation: Double, test: Double) {
    (self.train, self.validation, self.test) = (train, validation, test)
  }

  /// The losses of a network.
  package init(_ model: Model, _ dataset: Dataset) {
    train = model.loss(over: dataset.measured.train.distinct())
    validation = model.loss(over: dataset.measured.validation.distinct())
    test = model.loss(over: dataset.measured.test.distinct())
  }

  /// The perplexity of a loss, exp(loss): the number of equally likely characters with that loss.
  public static func perplexity(_ loss: Double) -> Double { .exp(loss) }

  /// The loss of guessing among so many characters alike, log(count).
  public static func guessing(among count: Int) -> Double { .log(Double(count)) }
}
