// A word that was drawn: its characters' numbers, and how probable it was.

/// A word of a model, with the logarithm of its probability in the chain.
public struct DrawnWord: Equatable, Sendable {
  /// The ids of its characters, without a terminator.
  public internal(set) var ids: [Int32] = []
  /// The natural logarithm of the probability that the chain makes this word, constraints aside.
  public internal(set) var logProbability = 0.0

  /// An empty word, to be drawn into.
  public init() {}
}

/// Why no further word was drawn.
public enum SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Of the words that may be drawn less than 10⁻⁹ of the probability is left, or none at all.
  case exhausted
  /// One word took more characters than the budget allows.
  case budgetSpent(characters: Int)

  public var description: String {
    switch self {
    case .exhausted: "less than 1e-9 of the probability is left for words as asked"
    case .budgetSpent(let characters): "\(characters) characters drawn without a word as asked"
    }
  }
}

/// A running product of probabilities that does not underflow.
struct LogProduct {
  private var product = 1.0
  private var logs: Double

  init(_ log: Double = 0) { logs = log }

  @inline(__always)
  mutating func multiply(_ probability: Double) {
    product *= probability
    if product < 1e-280 {
      logs += .log(product)
      product = 1
    }
  }

  var log: Double { logs + .log(product) }
}
