// What a model's words are like as a whole, computed from its chain: nothing is drawn.
//
// The probability of standing on each context is carried from length to length until no word is left, in
// Double. What a word holds on the average follows by summing over the contexts.

@testable import CharMLP

/// The expected statistics of words that have at least one character.
struct ChainStatistics {
  /// The probability of each length.
  private(set) var lengths: [Double] = []
  /// How often a word holds each pair of neighbours on the average, its two ends being one character.
  /// (vocabulary · vocabulary)
  private(set) var bigrams: [Double]
  /// How often a word holds each character on the average; 0 for the terminator.  (vocabulary)
  private(set) var unigrams: [Double]

  /// The probability that words are still unfinished when the rest is left out.
  static let leastMass = 1e-15

  init(_ model: Model) {
    let count = model.vocabulary.count
    let chain = Chain(model)
    bigrams = Array(repeating: 0, count: count * count)
    unigrams = Array(repeating: 0, count: count)
    // By context: the probability that a word has the length so far and stands there.
    var standing = [Double](repeating: 0, count: chain.contexts)
    standing[0] = 1 / (1 - chain.probabilities[0])
    var isFirst = true
    while standing.reduce(0, +) >= Self.leastMass {
      var next = [Double](repeating: 0, count: chain.contexts)
      var ended = 0.0
      for context in 0..<chain.contexts where standing[context] > 0 {
        for id in 0..<count where id > 0 || !isFirst {
          let share = standing[context] * chain.probabilities[context * count + id]
          bigrams[context % count * count + id] += share
          guard id > 0 else {
            ended += share
            continue
          }
          unigrams[id] += share
          next[chain.after(context, id)] += share
        }
      }
      lengths.append(ended)
      standing = next
      isFirst = false
    }
  }
}

/// Distributions by context; a context is a number in the vocabulary's count as its base, the newest
/// character last, and 0 before a word's first character.
private struct Chain {
  /// (contexts, vocabulary)
  let probabilities: [Double]
  let contexts: Int
  private let count: Int

  init(_ model: Model) {
    let (count, block) = (model.vocabulary.count, model.shape.blockSize)
    let scorer = WordScorer(model)
    contexts = (0..<block).reduce(1) { product, _ in product * count }
    self.count = count
    probabilities = (0..<contexts).flatMap { context in
      var ids: [Int32] = []
      var rest = context
      for _ in 0..<block {
        ids.insert(Int32(rest % count), at: 0)
        rest /= count
      }
      return scorer.distribution(after: ids)
    }
  }

  func after(_ context: Int, _ id: Int) -> Int { (context * count + id) % contexts }
}
