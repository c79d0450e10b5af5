// Models so small that all their words can be written down.

import LinearAlgebra

@testable import CharMLP

/// A network with random parameters over "a", "b", … whose words are short.
///
/// - Parameter ending: What is added to the logit of a word's end.
func tinyModel(
  letters: Int = 2, block: Int = 2, hidden: Int = 5, ending: Float = 2, seed: UInt64 = 1
) throws -> Model {
  let symbols = (0..<letters).compactMap { Unicode.Scalar(97 + $0) }
  let vocabulary = try Vocabulary(symbols: symbols)
  let shape = ModelShape(
    vocabulary: vocabulary.count, blockSize: block, embedding: 3, hidden: hidden)
  var generator = TorchGenerator(seed: seed)
  var parameters = Parameters<Float>.notebook(shape, seed: seed, generator: &generator)
  // The notebook's output layer is nearly uniform; this one has preferences.
  parameters.W2 = 8 * parameters.W2
  parameters.b2[0, 0] += ending
  let bnmean = Matrix(
    rows: 1, columns: hidden, elements: generator.randn(count: hidden))
  let bnvar = Matrix(
    rows: 1, columns: hidden, elements: generator.randn(count: hidden).map { 0.5 + $0 * $0 })
  return Model(
    vocabulary: vocabulary, parameters: parameters,
    statistics: BatchNormStatistics(bnmean: bnmean, bnvar: bnvar))
}

/// Every word of up to `length` characters with its probability in the chain, character by
/// character, straight from the definition, from short to long.
func allWords(
  _ model: Model, _ options: ChainOptions = ChainOptions(), upTo length: Int
) -> [(word: String, probability: Double)] {
  let scorer = WordScorer(NextCharacterNetwork(Predictor(model)), options)
  var words: [(String, Double)] = []
  var beginnings: [([Int32], Double)] = [([], 1)]
  for _ in 0...length {
    var longer: [([Int32], Double)] = []
    for (text, probability) in beginnings where probability > 0 {
      let next = scorer.distribution(after: text)
      words.append((model.vocabulary.decode(text), probability * next[0]))
      for id in 1..<next.count { longer.append((text + [Int32(id)], probability * next[id])) }
    }
    beginnings = longer
  }
  return words
}

extension WordConstraints {
  init(
    min: Int = 1, max: Int? = nil, prefix: String = "", suffix: String = "",
    contains: [String] = [], avoid: String = ""
  ) {
    self.init()
    (minLength, maxLength) = (min, max)
    (self.prefix, self.suffix, self.contains, self.avoid) = (prefix, suffix, contains, avoid)
  }

  /// Whether a word meets all constraints, straight from their definitions.
  func allow(_ word: String) -> Bool {
    word.count >= minLength && word.count <= maxLength ?? .max && word.hasPrefix(prefix)
      && word.hasSuffix(suffix) && contains.allSatisfy { $0.isEmpty || word.contains($0) }
      && !word.contains { avoid.contains($0) }
  }
}

/// The conditional distribution of all words, by enumeration.
func bruteForce(
  _ model: Model, _ options: ChainOptions, _ constraints: WordConstraints,
  forbidden: Set<String> = [], upTo length: Int
) -> [String: Double] {
  let allowed = allWords(model, options, upTo: length).filter {
    constraints.allow($0.word) && !forbidden.contains($0.word) && $0.probability > 0
  }
  // From small to large, so that rounding stays below 1e-15.
  let total = allowed.map(\.probability).sorted().reduce(0, +)
  return Dictionary(uniqueKeysWithValues: allowed.map { ($0.word, $0.probability / total) })
}

/// Half the sum of the absolute differences.
func totalVariation(_ left: [String: Double], _ right: [String: Double]) -> Double {
  Set(left.keys).union(right.keys).map { abs((left[$0] ?? 0) - (right[$0] ?? 0)) }
    .sorted().reduce(0, +) / 2
}
