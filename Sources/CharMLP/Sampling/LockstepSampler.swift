// Words of a chain with too many contexts to know them all: many words at once, a character at a time.
//
// Sixty-four words go in lockstep, so that the products of their next characters are one product. A word
// that cannot meet the constraints any more is begun again at once, so that what comes out has the exact
// conditional distribution, at the price of what was thrown away: a budget bounds it. Every word has a
// random stream of its own, and so is the same whichever words are its neighbours; words come out in
// their order. None is longer than a word list's longest line. A step of all words stands in
// LockstepSampler+Step, the beginning and the end of one in LockstepSampler+Lanes.

/// Draws words in lockstep, with early rejection.
struct LockstepSampler {
  let network: NextCharacterNetwork
  let options: ChainOptions
  let language: WordLanguage
  private(set) var forbidden: ForbiddenWords
  let seed: UInt64
  let numbers: WordNumbers
  let budget: Int
  private let isUnique: Bool
  let prefixLogProbability: Double

  var graph: ContextGraph?
  let startContext: Int
  var lanes: [Lane]
  /// Finished words that wait for those before them, by index modulo `window`.
  var waiting: [Waiting]
  private(set) var emitted: UInt64 = 0
  var begun: UInt64 = 0
  /// Words that turned out to be drawn before, to go on with.
  var repeated: [UInt64] = []
  var contexts: [Int32] = []
  var distribution: [Double]

  /// How far a word may be ahead of the first one that is not finished.
  static let window = 1024
  /// The bytes of distributions that are kept.
  static let byteLimit = 64 << 20

  /// - Parameter numbers: The words to draw, all of them if none is to be drawn twice.
  init(
    _ network: NextCharacterNetwork, _ language: WordLanguage, _ request: Sampler.Request,
    _ numbers: WordNumbers = .all, byteLimit: Int = Self.byteLimit
  ) {
    precondition(
      !request.isUnique || numbers == .all, "LockstepSampler: unique words of several samplers")
    self.network = network
    self.language = language
    self.numbers = numbers
    options = request.chain
    forbidden = request.forbidden
    seed = request.seed
    isUnique = request.isUnique
    budget = request.budget
    prefixLogProbability = WordScorer(network, options).logProbability(ofPrefix: language.prefix)
    let count = network.shape.vocabulary
    graph = ContextGraph(
      network, options, limit: byteLimit / ContextGraph.bytesPerContext(vocabulary: count))
    startContext = graph?.number(after: language.prefix[...]) ?? -1
    lanes = Array(repeating: Lane(), count: network.batchRows)
    waiting = Array(repeating: Waiting(), count: Self.window)
    distribution = Array(repeating: 0, count: count)
  }

  /// Hands over the next word if it is finished, or takes a step of all words; whether it did the former.
  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard prefixLogProbability.isFinite else { throw .exhausted }
    let place = Int(emitted % UInt64(Self.window))
    guard waiting[place].isReady else {
      step()
      return false
    }
    if waiting[place].hasFailed { throw .budgetSpent(characters: budget) }
    if isUnique, forbidden.contains(waiting[place].word.ids) {
      waiting[place].isReady = false
      repeated.append(emitted)
      return false
    }
    swap(&word, &waiting[place].word)
    waiting[place].isReady = false
    if isUnique { forbidden.add(word.ids) }
    emitted += 1
    return true
  }
}
