// How probable a model finds words: the distributions along a word, the probabilities of its
// characters and of its end.
//
// Nothing is drawn. The chain is the one that words are drawn from, with the same options.

import RealModule

/// The distributions along a word, and the probabilities that follow from them.
public struct WordScorer {
  private let network: NextCharacterNetwork
  private let options: ChainOptions

  /// Prepares to score words by the chain of a network, alone or mixed with counts.
  public init(_ source: some Predicting) {
    self.init(NextCharacterNetwork(source.predictor), ChainOptions())
  }

  /// Prepares to score words by a chain with options.
  ///
  /// - Throws: `ConstraintError.option` for a value that defines no chain.
  public init(_ source: some Predicting, _ options: ChainOptions) throws(ConstraintError) {
    try options.validate()
    self.init(NextCharacterNetwork(source.predictor), options)
  }

  init(_ network: NextCharacterNetwork, _ options: ChainOptions) {
    self.network = network
    self.options = options
  }

  /// The natural logarithms of the probabilities of a word's characters and of its end.
  ///
  /// Their sum is the word's; −∞ for what top-k or top-p leave out.  (characters + 1)
  public func logProbabilities(of word: [Int32]) -> [Double] {
    var logs: [Double] = []
    forEachDistribution(along: word) { distribution in
      let target = logs.count < word.count ? Int(word[logs.count]) : 0
      logs.append(.log(distribution[target]))
    }
    return logs
  }

  /// The distribution of the character after a prefix.  (vocabulary)
  public func distribution(after text: [Int32]) -> [Double] {
    requireKnown(text)
    network.evaluate(text.lastPadded(to: network.contextLength))
    var distribution = [Double](repeating: 0, count: network.shape.vocabulary)
    network.distribution(0, options, into: &distribution)
    return distribution
  }

  /// The logarithm of the probability that a word begins with a text.
  func logProbability(ofPrefix prefix: [Int32]) -> Double {
    logProbabilities(of: prefix).dropLast().reduce(0, +)
  }

  private func requireKnown(_ ids: [Int32]) {
    let count = network.shape.vocabulary
    precondition(
      ids.allSatisfy { $0 >= 0 && $0 < count }, "WordScorer: \(ids) in a vocabulary of \(count)")
  }

  /// Passes on the distributions after none, one, two, … and all of the characters.
  private func forEachDistribution(along word: [Int32], _ body: ([Double]) -> Void) {
    requireKnown(word)
    let length = network.contextLength
    let padded = [Int32](repeating: Vocabulary.terminator, count: length) + word
    var distribution = [Double](repeating: 0, count: network.shape.vocabulary)
    var first = 0
    while first <= word.count {
      let count = min(network.batchRows, word.count + 1 - first)
      var contexts: [Int32] = []
      for row in first..<first + count { contexts += padded[row..<row + length] }
      network.evaluate(contexts)
      for row in 0..<count {
        network.distribution(row, options, into: &distribution)
        body(distribution)
      }
      first += count
    }
  }
}

/// The logarithms of the probabilities along a word.
public struct WordScore: Equatable, Sendable {
  /// Of each character and of the end.  (characters + 1)
  public let logProbabilities: [Double]

  /// Scores a word of ids, given without a terminator.
  public init(_ word: [Int32], _ scorer: WordScorer) {
    logProbabilities = scorer.logProbabilities(of: word)
  }

  /// The logarithm of the word's probability.
  public var sum: Double { logProbabilities.reduce(0, +) }
  /// The mean per character, the end being one.
  public var mean: Double { sum / Double(logProbabilities.count) }

  /// The character that the model expected least, and its probability; of equals the first.
  public var leastExpected: (index: Int, probability: Double) {
    let index = logProbabilities.indices.min { logProbabilities[$0] < logProbabilities[$1] } ?? 0
    return (index, .exp(logProbabilities[index]))
  }
}
