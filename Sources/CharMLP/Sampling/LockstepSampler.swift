// Words of a chain that has too many contexts to explore: many words at once, a character at a
// time.
//
// Up to 64 words advance in lockstep, so that one product serves all their next characters. One
// that can no longer meet the constraints is abandoned at once, and the next is started in its
// place. The words that meet the request have the exact conditional distribution, at the price of
// the characters thrown away, which a budget bounds.

import RealModule

// MARK: - Many words at once
//
// Every attempt has its own random stream, so it does not depend on its neighbours; attempts are
// handed over in order, but no lane waits for another. None is longer than a word list's longest
// line.

/// Draws words in lockstep, with early rejection.
struct LockstepSampler {
  private let network: NextCharacterNetwork
  private let language: EncodedConstraints
  private let chain: ChainOptions
  private let seed: UInt64
  private let numbers: WordNumbers
  /// Whether every attempt becomes a word: one that is too long starts again with the rest of its
  /// stream.
  private let acceptsAll: Bool
  private var found: FoundWords
  let prefixLogProbability: Double

  private var graph: ContextGraph?
  private let startContext: Int
  private(set) var lanes: [Lane]
  /// Finished attempts that wait for those before them, by index modulo `window`.
  private var finished: [Finished]
  /// How many attempts have ended and been handed over.
  private(set) var collectedCount: UInt64 = 0
  /// How many attempts have been started.
  private var startedCount: UInt64 = 0
  private var distribution: [Double]

  /// How far an attempt may be ahead of the first one that has not ended.
  private static let window = 1024
  /// The most bytes for distributions.
  static let byteLimit = 64 << 20

  /// - Parameters:
  ///   - numbers: The attempts to make: all of them, if each word is to be drawn once.
  ///   - acceptsAll: Whether the request is a prefix alone, so that every attempt is a word.
  init(
    _ network: NextCharacterNetwork, _ language: EncodedConstraints, _ request: Sampler.Request,
    _ numbers: WordNumbers = .all, acceptsAll: Bool, budget: Int, byteLimit: Int = Self.byteLimit
  ) {
    self.network = network
    self.language = language
    self.numbers = numbers
    self.acceptsAll = acceptsAll
    (chain, seed) = (request.chain, request.seed)
    found = FoundWords(request, budget: budget)
    prefixLogProbability = WordScorer(network, chain).logProbability(ofPrefix: language.prefix)
    let count = network.shape.vocabulary
    graph = ContextGraph(
      network, chain, limit: byteLimit / ContextGraph.bytesPerContext(vocabulary: count))
    startContext = graph?.number(after: language.prefix[...]) ?? -1
    lanes = Array(repeating: Lane(), count: network.batchRows)
    finished = Array(repeating: Finished(), count: Self.window)
    distribution = Array(repeating: 0, count: count)
  }

  /// Hands over the next word if it is finished and returns true, or advances all words and returns
  /// false.
  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard prefixLogProbability.isFinite else { throw .exhausted }
    try found.spend(0)
    guard let attempt = collect(into: &word) else { return false }
    try found.spend(attempt.drawn)
    return attempt.isWord && found.accepts(word.ids)
  }

  /// Hands over the next attempt if it has ended, or advances all and returns nil.
  mutating func collect(into word: inout DrawnWord) -> Attempt? {
    let place = Int(collectedCount % UInt64(Self.window))
    guard let attempt = finished[place].attempt else {
      step()
      return nil
    }
    if attempt.isWord { swap(&word, &finished[place].word) }
    finished[place].attempt = nil
    collectedCount += 1
    return attempt
  }

  // MARK: Starting and ending attempts

  /// What came of an attempt.
  struct Attempt {
    /// Whether it became a word that meets the request.
    var isWord = false
    /// The characters drawn for it, the end included.
    var drawn = 0
  }

  /// A word being drawn.
  struct Lane {
    var isActive = false
    /// Which of the sampler's attempts it is.
    var index: UInt64 = 0
    var stream = Philox(seed: 0, stream: 0)
    /// The context's number, −1 if not kept.
    var context = 0
    var state = 0
    var ids: [Int32] = []
    var probability = LogProduct()
    var drawn = 0
    /// The steps of a context that is not kept.
    var steps: [ContextGraph.Step] = []
  }

  /// An attempt that has ended and has not been handed over, if there is one.
  struct Finished {
    var attempt: Attempt?
    var word = DrawnWord()
  }

  /// Starts the next attempt in a free lane.
  private mutating func begin(_ lane: inout Lane) {
    guard startedCount < collectedCount + UInt64(Self.window) else { return }
    lane.index = startedCount
    lane.stream = Philox(seed: seed, stream: numbers[startedCount])
    lane.drawn = 0
    startedCount += 1
    lane.isActive = true
    restart(&lane)
  }

  private func restart(_ lane: inout Lane) {
    lane.ids.removeAll(keepingCapacity: true)
    lane.ids.append(contentsOf: language.prefix)
    lane.context = startContext
    lane.state = language.startState
    lane.probability = LogProduct(prefixLogProbability)
  }

  /// Ends an attempt where the word ends.
  private mutating func end(_ lane: inout Lane) {
    let isWord =
      language.mayEnd(lane.state, length: lane.ids.count)
      && !found.forbidden.contains(lane.ids)
    if isWord { finish(&lane, isWord: true) } else { abandon(&lane) }
  }

  /// Ends an attempt whose word cannot meet the request.
  private mutating func abandon(_ lane: inout Lane) {
    if acceptsAll { restart(&lane) } else { finish(&lane, isWord: false) }
  }

  private mutating func finish(_ lane: inout Lane, isWord: Bool) {
    let place = Int(lane.index % UInt64(Self.window))
    finished[place].attempt = Attempt(isWord: isWord, drawn: lane.drawn)
    if isWord {
      // The arrays are swapped, so that neither is copied.
      swap(&finished[place].word.ids, &lane.ids)
      finished[place].word.logProbability = lane.probability.log
    }
    lane.isActive = false
  }

  // MARK: One character for each word

  private mutating func step() {
    // Taken out, so that each is changed in place.
    var lanes: [Lane] = []
    swap(&lanes, &self.lanes)
    // The first few words do not need as many lanes, which would only delay them where each
    // character is much work.
    let used = acceptsAll ? min(lanes.count, 2 + 2 * Int(collectedCount)) : lanes.count
    for index in 0..<used where !lanes[index].isActive { begin(&lanes[index]) }
    graph?.evaluate()
    evaluateUnkept(&lanes)
    for index in lanes.indices where lanes[index].isActive { advance(&lanes[index]) }
    swap(&lanes, &self.lanes)
  }

  /// Computes the distributions that there was no room to keep; there are no more lanes than a
  /// batch has rows.
  private mutating func evaluateUnkept(_ lanes: inout [Lane]) {
    let length = network.contextLength
    var contexts: [Int32] = []
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      contexts += lanes[index].ids.lastPadded(to: length)
    }
    guard !contexts.isEmpty else { return }
    network.evaluate(contexts)
    var row = 0
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      network.distribution(row, chain, into: &distribution)
      lanes[index].steps = ContextGraph.steps(of: distribution)
      row += 1
    }
  }

  /// Draws a character; the word goes on, ends or is abandoned.
  @inline(__always)
  private mutating func advance(_ lane: inout Lane) {
    let length = lane.ids.count
    // Leaving out an end that comes too early is exact at the first draw, where it favours all
    // words alike; later it would favour some.
    let isEndless = length == language.prefix.count && length < language.minLength
    let id = draw(&lane, isEndless)
    lane.drawn += 1
    if lane.drawn > found.budget {
      finish(&lane, isWord: false)
    } else if id < 0 {
      abandon(&lane)
    } else if id == Vocabulary.terminator {
      end(&lane)
    } else {
      let state = language.automaton.next(lane.state, id)
      guard length < WordList.lineLimit, language.canContinue(state, length: length + 1) else {
        return abandon(&lane)
      }
      lane.state = state
      lane.ids.append(Int32(id))
      lane.context =
        (lane.context >= 0
          ? graph?.successor(of: lane.context, id)
          : graph?.number(after: lane.ids.suffix(network.contextLength))) ?? -1
    }
  }

  /// The id of the next character, or −1 if only the end is possible and not allowed.
  @inline(__always)
  private func draw(_ lane: inout Lane, _ isEndless: Bool) -> Int {
    let share = lane.stream.uniform()
    let id: Int
    let probability: Double
    if let graph, lane.context >= 0 {
      id = graph.find(share, after: lane.context, isEndless)
      probability = id < 0 ? 0 : graph.step(lane.context, id).probability
    } else {
      id = ContextGraph.find(share, in: lane.steps, isEndless)
      probability = id < 0 ? 0 : lane.steps[id == 0 ? lane.steps.count - 1 : id - 1].probability
    }
    lane.probability.multiply(probability)
    return id
  }
}

/// The words of a search that are handed over: each within the budget and, where that is asked
/// for, only once.
struct FoundWords {
  let budget: Int
  private(set) var forbidden: ForbiddenWords
  private let isUnique: Bool
  /// The characters drawn since the last word.
  private var drawn = 0

  init(_ request: Sampler.Request, budget: Int) {
    self.budget = budget
    (forbidden, isUnique) = (request.forbidden, request.isUnique)
  }

  /// Counts characters that were drawn.
  mutating func spend(_ characters: Int) throws(SamplingError) {
    drawn += characters
    guard drawn <= budget else { throw .budgetSpent(characters: budget) }
  }

  /// Whether a word that was found is handed over; it counts as drawn then.
  mutating func accepts(_ word: [Int32]) -> Bool {
    guard !(isUnique && forbidden.contains(word)) else { return false }
    if isUnique { forbidden.add(word) }
    drawn = 0
    return true
  }
}
