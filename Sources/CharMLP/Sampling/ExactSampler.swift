// Words from their exact conditional distribution: no word is ever drawn in vain.

/// Draws from a word space.
struct ExactSampler: Sendable {
  private var space: WordSpace
  private let isUnique: Bool
  private let budget: Int
  private var weights: [Double]

  init(_ space: WordSpace, isUnique: Bool, budget: Int) {
    self.space = space
    self.isUnique = isUnique
    self.budget = budget
    weights = Array(repeating: 0, count: space.vocabularyCount)
  }

  /// The least share of the probability that is still drawn from.
  static let leastShare = 1e-9

  /// Draws the word of a stream.
  mutating func draw(_ stream: Philox, into word: inout DrawnWord) throws(SamplingError) {
    guard space.shareLeft >= Self.leastShare else { throw .exhausted }
    var stream = stream
    var position = space.start
    var probability = LogProduct(space.prefixLogProbability)
    word.ids.removeAll(keepingCapacity: true)
    word.ids.append(contentsOf: space.language.prefix)
    while true {
      let id = drawCharacter(at: position, stream.uniform())
      probability.multiply(space.probability(position, id))
      if id == Vocabulary.terminator { break }
      word.ids.append(Int32(id))
      guard word.ids.count <= budget else { throw .budgetSpent(characters: budget) }
      position = space.advance(position, id)
    }
    word.logProbability = probability.log
    if isUnique { space.forbid(word.ids) }
  }

  /// The first id whose running sum exceeds a share of the whole.
  @inline(__always)
  private mutating func drawCharacter(at position: WordSpace.Position, _ share: Double) -> Int {
    let threshold = share * space.weigh(position, into: &weights)
    var sum = 0.0
    var last = 0
    for id in 0..<weights.count where weights[id] > 0 {
      sum += weights[id]
      last = id
      if threshold < sum { break }
    }
    // Rounding may leave the threshold at the very end; the last possible id is drawn then.
    return last
  }
}
