// New words from a trained network, a character at a time, as the notebook samples them.
//
// The distribution of the next character depends on the last few characters alone, so each is computed
// once and kept, up to a limit.

import RealModule

/// Draws words from a model.
public struct Sampler {
  private let model: Model
  private let temperature: Double
  private let prefix: [Int32]
  private var generator: TorchGenerator
  private var cumulative: [[Int32]: [Double]] = [:]

  /// Contexts whose distributions are kept; the lecture's shape has 19,683 in all.
  private static let keptContexts = 100_000
  /// A word that has not ended by then is drawn again.
  private static let lengthLimit = 1000
  /// Draws without a word, all empty or endless, after which there is nothing to expect.
  private static let attempts = 1000

  /// Prepares to draw.
  ///
  /// - Parameters:
  ///   - temperature: Divides the logits; above 0. Below 1 the likely becomes likelier.
  ///   - prefix: What every word begins with.
  /// - Throws: `VocabularyError` if the prefix has a character that the model does not know.
  public init(
    _ model: Model, seed: UInt64, temperature: Double = 1, prefix: String = ""
  ) throws(VocabularyError) {
    precondition(temperature > 0, "Sampler: temperature \(temperature)")
    self.model = model
    self.temperature = temperature
    self.prefix = try model.vocabulary.encode(prefix)
    generator = TorchGenerator(seed: seed)
  }

  /// The next word; an empty one is drawn again.
  ///
  /// - Throws: `SamplingError.noWord` if a thousand draws in a row gave none.
  public mutating func next() throws(SamplingError) -> String {
    for _ in 0..<Self.attempts {
      if let word = draw(), !word.isEmpty { return model.vocabulary.decode(word) }
    }
    throw .noWord(attempts: Self.attempts)
  }

  /// The ids of one word, or nil if it does not end.
  private mutating func draw() -> [Int32]? {
    let blockSize = model.shape.blockSize
    var word = prefix
    var context = Array(
      (Array(repeating: Vocabulary.terminator, count: blockSize) + prefix).suffix(blockSize))
    while word.count < Self.lengthLimit {
      let id = drawCharacter(after: context)
      if id == Vocabulary.terminator { return word }
      word.append(id)
      context.removeFirst()
      context.append(id)
    }
    return nil
  }

  /// The first id whose cumulative probability exceeds a uniform deviate.
  private mutating func drawCharacter(after context: [Int32]) -> Int32 {
    let sums = distribution(after: context)
    let threshold = generator.uniform() * (sums.last ?? 0)
    return Int32(sums.firstIndex { threshold < $0 } ?? sums.count - 1)
  }

  /// Cumulative probabilities of the next character, not normalized.  (vocabulary)
  private mutating func distribution(after context: [Int32]) -> [Double] {
    if let known = cumulative[context] { return known }
    let logits = model.logits(context[...]).elements.map { Double($0) / temperature }
    let largest = logits.max() ?? 0
    var sum = 0.0
    let sums = logits.map { logit in
      sum += Double.exp(logit - largest)
      return sum
    }
    if cumulative.count < Self.keptContexts { cumulative[context] = sums }
    return sums
  }
}

/// Why no word was drawn.
public enum SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Every draw was empty or endless.
  case noWord(attempts: Int)

  public var description: String {
    switch self {
    case .noWord(let attempts):
      "\(attempts) draws in a row gave no word; train longer, or change the temperature"
    }
  }
}
