// The distributions of the next character, by a network alone or mixed with counts: after many
// contexts, fast, as sampling needs them; and along a word, to score it.
//
// Batch norm with fixed statistics is linear and so part of the first layer (see Model). At each
// position of a context there are only as many inputs as characters, so C @ W1[position] is
// computed once for each, and a context adds up `blockSize` rows, as in the engine's first layer
// per distinct input.
//
// BLAS computes a product of few rows, and sometimes the last rows of one, along other paths and
// with other bits than the rest. So a product here always has `productRows` rows, used or not, and
// a batch uses only those that take the path of the first: the logits of a context depend neither
// on its row nor on its neighbours.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule

/// logits = tanh(Σ over positions of rows[position, id] + b1) @ W2 + b2.
final class NextCharacterNetwork {
  let shape: ModelShape

  /// The characters of a context: as many as the network sees, or the n-gram model beside it.
  let contextLength: Int

  /// The most contexts evaluated at once.
  let batchRows: Int

  /// The rows of every product.
  private static let productRows = 64

  private let rows: PaddedMatrix  // (block·vocabulary, hidden), batch norm folded in
  private let b1: PaddedMatrix  // (1, hidden)
  private let W2: PaddedMatrix  // (hidden, vocabulary)
  private let b2: PaddedMatrix  // (1, vocabulary)
  private let h: PaddedMatrix  // (productRows, hidden)
  private let logits: PaddedMatrix  // (productRows, vocabulary)
  private let arena = Arena()

  private let counting: Predictor.Counting?
  private var contexts: [Int32] = []  // those evaluated last
  private var counted: [Double] = []  // (vocabulary), the n-gram model's probabilities
  private var path: [Int] = []

  init(_ predictor: Predictor) {
    let model = predictor.model
    counting = predictor.counting
    contextLength = predictor.contextLength
    shape = model.shape
    let (hidden, count) = (shape.hidden, shape.vocabulary)
    let tableRows = shape.blockSize * count
    (rows, b1, h, W2, b2, logits) = arena.block {
      (
        $0.matrix(tableRows, hidden), $0.matrix(1, hidden), $0.matrix(Self.productRows, hidden),
        $0.matrix(hidden, count), $0.matrix(1, count), $0.matrix(Self.productRows, count)
      )
    }
    rows.assign(model.parameters.rowsOfInputs(model.foldedW1))
    b1.assign(model.foldedb1)
    W2.assign(model.parameters.W2)
    b2.assign(model.parameters.b2)
    batchRows = Self.rowsAlike(h, W2, into: logits)
    counted = Array(repeating: 0, count: count)
  }

  /// How many rows of a product have the bits of the first if all hold the same numbers.
  ///
  /// Long sums in another order nearly always differ; four rows of random numbers leave no doubt.
  private static func rowsAlike(
    _ h: PaddedMatrix, _ W2: PaddedMatrix, into logits: PaddedMatrix
  ) -> Int {
    var count = productRows
    var generator = Philox(seed: 0, stream: 0)
    for _ in 0..<4 {
      for column in 0..<h.columns {
        let number = Float(generator.uniform()) - 0.5
        for row in 0..<productRows { h[row, column] = number }
      }
      multiply(h, W2.padded, into: logits.padded)
      count =
        (1..<count).first { row in
          (0..<logits.columns).contains { logits[row, $0] != logits[0, $0] }
        } ?? count
    }
    return count
  }

  /// Computes the logits after up to `batchRows` contexts; see `logit`.
  ///
  /// - Parameters:
  ///   - contexts: Ids row by row.  (n · contextLength)
  ///   - contextCount: How many of the rows to use; nil is all.
  func evaluate(_ contexts: [Int32], count contextCount: Int? = nil) {
    let (block, count, length) = (shape.blockSize, shape.vocabulary, contextLength)
    let contextCount = contextCount ?? contexts.count / length
    precondition(
      contextCount <= batchRows && contextCount * length <= contexts.count,
      "NextCharacterNetwork: \(contexts.count) ids for \(contextCount) contexts of \(length)")
    self.contexts = contexts
    for row in 0..<contextCount {
      for v in 0..<h.vectors {
        var sum = b1[0, vector: v]
        for position in 0..<block {
          let id = contexts[(row + 1) * length - block + position]
          sum += rows[position * count + Int(id), vector: v]
        }
        h[row, vector: v] = tanh(sum)
      }
    }
    multiply(h, W2.padded, into: logits.padded)
  }

  /// How many of a context's last characters the next one depends on: as many as the network sees,
  /// or as were counted together.
  func significantLength(of context: [Int32]) -> Int {
    guard let counting else { return shape.blockSize }
    counting.ngram.find(context[...], path: &path)
    return max(shape.blockSize, path.count - 1)
  }

  /// How many contexts longer than the network's are distinguished, because they were counted.
  var longContextCount: Int { counting?.ngram.contextCount(longerThan: shape.blockSize) ?? 0 }

  /// The logit of a character after one of the contexts evaluated last.
  @inline(__always)
  func logit(_ row: Int, _ id: Int) -> Float { logits[row, id] + b2[0, id] }

  /// The distribution after one of the contexts evaluated last.
  func distribution(_ row: Int, _ options: ChainOptions, into probabilities: inout [Double]) {
    // A mixture gets its temperature as a whole, below.
    softmax(row, temperature: counting == nil ? options.temperature : 1, into: &probabilities)
    if let counting {
      let context = contexts[row * contextLength..<(row + 1) * contextLength]
      counting.ngram.find(context, path: &path)
      counting.ngram.fill(&counted, along: path)
      for id in probabilities.indices {
        probabilities[id] =
          counting.weight * probabilities[id] + (1 - counting.weight) * counted[id]
      }
      options.applyTemperature(to: &probabilities)
    }
    if options.isTruncating { options.truncate(&probabilities) }
  }

  /// softmax(logits / temperature)
  @inline(__always)
  private func softmax(_ row: Int, temperature: Double, into probabilities: inout [Double]) {
    let count = shape.vocabulary
    var largest = -Float.infinity
    for id in 0..<count where logit(row, id) > largest { largest = logit(row, id) }
    let scale = 1 / temperature
    var sum = 0.0
    for id in 0..<count {
      let share = Double.exp((Double(logit(row, id)) - Double(largest)) * scale)
      probabilities[id] = share
      sum += share
    }
    for id in 0..<count { probabilities[id] /= sum }
  }
}

// MARK: - Chain options

/// How the distribution of the next character follows from its logits: temperature, then top-k,
/// then top-p, at every step.
///
/// The end of a word is a character like any other. Constraints on whole words condition the chain
/// that these options define (see WordConstraints). Logits are Float, probabilities Double.
public struct ChainOptions: Equatable, Sendable {
  /// What the logits are divided by; above 0.
  public var temperature: Double
  /// How many of the likeliest characters are kept, at least 1; nil keeps all. Of equally likely
  /// ones the lower id is kept.
  public var topK: Int?
  /// The smallest set of the likeliest characters whose probabilities reach this sum is kept
  /// (nucleus sampling; Holtzman et al., "The curious case of neural text degeneration", 2020). It
  /// is above 0 and at most 1, which keeps all.
  public var topP: Double

  /// By default the chain of the model as it is; values are checked where they are used.
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
  }

  /// - Throws: `ConstraintError.option` for a value that defines no chain.
  func validate() throws(ConstraintError) {
    guard temperature > 0, temperature.isFinite else {
      throw .option("temperature", found: "\(temperature)", expected: "a number above 0")
    }
    guard (topK ?? 1) >= 1 else {
      throw .option("top-k", found: "\(topK ?? 0)", expected: "at least 1")
    }
    guard topP > 0, topP <= 1 else {
      throw .option("top-p", found: "\(topP)", expected: "above 0 and at most 1")
    }
  }

  /// Whether some characters may lose all their probability.
  var isTruncating: Bool { topK != nil || topP < 1 }

  /// Takes a distribution to the power of 1 / temperature, and normalizes it again.
  func applyTemperature(to probabilities: inout [Double]) {
    guard temperature != 1 else { return }
    // Divided by the largest before, so that the powers do not all vanish.
    let largest = probabilities.max() ?? 1
    var sum = 0.0
    for id in probabilities.indices {
      let power = Double.exp(.log(probabilities[id] / largest) / temperature)
      probabilities[id] = power
      sum += power
    }
    for id in probabilities.indices { probabilities[id] /= sum }
  }

  /// Sets all but the likeliest to zero, and normalizes the rest.
  func truncate(_ probabilities: inout [Double]) {
    let order = probabilities.indices.sorted {
      (probabilities[$1], $0) < (probabilities[$0], $1)
    }
    var kept = 0
    var sum = 0.0
    let limit = min(topK ?? .max, order.count)
    while kept < limit, sum < topP || topP == 1 {
      sum += probabilities[order[kept]]
      kept += 1
    }
    for id in order[kept...] { probabilities[id] = 0 }
    for id in order[..<kept] { probabilities[id] /= sum }
  }
}

// MARK: - Scores of words
//
// Nothing is drawn. The chain is the one that words are drawn from, with the same options.

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
    requireKnown(word)
    let length = network.contextLength
    let padded = [Int32](repeating: Vocabulary.terminator, count: length) + word
    let targets = word + [Vocabulary.terminator]
    var distribution = [Double](repeating: 0, count: network.shape.vocabulary)
    var logs: [Double] = []
    while logs.count < targets.count {
      let batch = logs.count..<min(logs.count + network.batchRows, targets.count)
      network.evaluate(batch.flatMap { padded[$0..<$0 + length] })
      for row in batch.indices {
        network.distribution(row - batch.lowerBound, options, into: &distribution)
        logs.append(.log(distribution[Int(targets[row])]))
      }
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
