// Words of a chain with too many contexts to know them all: many words at once, a character at a time.
//
// Sixty-four words go in lockstep, so that the products of their next characters are one product. A word
// that cannot meet the constraints any more is begun again at once, so that what comes out has the exact
// conditional distribution, at the price of what was thrown away: a budget bounds it. Every word has a
// random stream of its own, and so is the same whichever words are its neighbours; words come out in
// their order. None is longer than a word list's longest line.

/// Draws words in lockstep, with early rejection.
struct LockstepSampler {
  private let network: NextCharacterNetwork
  private let options: ChainOptions
  private let language: WordLanguage
  private var forbidden: ForbiddenWords
  private let seed: UInt64
  private let isUnique: Bool
  private let budget: Int
  private let prefixLogProbability: Double

  private var graph: ContextGraph?
  private let startContext: Int
  private var lanes: [Lane]
  /// Finished words that wait for those before them, by number modulo `window`.
  private var waiting: [Waiting]
  private var emitted: UInt64 = 0
  private var begun: UInt64 = 0
  /// Words that turned out to be drawn before, to go on with.
  private var repeated: [UInt64] = []
  private var contexts: [Int32] = []
  private var distribution: [Double]

  /// How far a word may be ahead of the first one that is not finished.
  private static let window = 1024
  /// The bytes of distributions that are kept.
  static let byteLimit = 64 << 20

  private struct Lane {
    var isActive = false
    var number: UInt64 = 0
    var stream = Philox(seed: 0, stream: 0)
    /// The context's number, −1 if it is not kept.
    var context = 0
    var state = 0
    var ids: [Int32] = []
    var probability = LogProduct()
    var drawn = 0
    /// Running sums of a distribution that is not kept, as in ContextGraph.
    var sums: [Double] = []
    var probabilities: [Double] = []
  }

  private struct Waiting {
    var isReady = false
    var hasFailed = false
    var word = DrawnWord()
    var stream = Philox(seed: 0, stream: 0)
    var drawn = 0
  }

  init(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: WordLanguage,
    _ forbidden: ForbiddenWords, seed: UInt64, isUnique: Bool, budget: Int,
    byteLimit: Int = Self.byteLimit
  ) {
    self.network = network
    self.options = options
    self.language = language
    self.forbidden = forbidden
    self.seed = seed
    self.isUnique = isUnique
    self.budget = budget
    prefixLogProbability = WordScorer(network, options).logProbability(ofPrefix: language.prefix)
    let count = network.shape.vocabulary
    graph = ContextGraph(
      network, options, limit: byteLimit / ContextGraph.bytesPerContext(vocabulary: count))
    startContext = graph?.number(after: language.prefix[...]) ?? -1
    lanes = Array(repeating: Lane(), count: NextCharacterNetwork.batchRows)
    waiting = Array(repeating: Waiting(), count: Self.window)
    distribution = Array(repeating: 0, count: count)
  }

  /// Draws the next word.
  mutating func next(into word: inout DrawnWord) throws(SamplingError) {
    guard prefixLogProbability.isFinite else { throw .exhausted }
    let place = Int(emitted % UInt64(Self.window))
    while true {
      while !waiting[place].isReady { step() }
      if waiting[place].hasFailed { throw .budgetSpent(characters: budget) }
      if !isUnique || !forbidden.contains(waiting[place].word.ids) { break }
      waiting[place].isReady = false
      repeated.append(emitted)
    }
    swap(&word, &waiting[place].word)
    waiting[place].isReady = false
    if isUnique { forbidden.add(word.ids) }
    emitted += 1
  }
}

// MARK: A step of all words

extension LockstepSampler {
  private mutating func step() {
    // Taken out while they are worked on, so that each is changed in place.
    var lanes: [Lane] = []
    swap(&lanes, &self.lanes)
    for index in lanes.indices where !lanes[index].isActive { beginWord(&lanes[index]) }
    graph?.evaluate()
    evaluateUnkept(&lanes)
    for index in lanes.indices where lanes[index].isActive { advance(&lanes[index]) }
    swap(&lanes, &self.lanes)
  }

  /// Lets a free lane take up a word that was drawn before, or the next one.
  private mutating func beginWord(_ lane: inout Lane) {
    if let number = repeated.popLast() {
      let word = waiting[Int(number % UInt64(Self.window))]
      (lane.number, lane.stream, lane.drawn) = (number, word.stream, word.drawn)
    } else {
      guard begun < emitted + UInt64(Self.window) else { return }
      (lane.number, lane.stream, lane.drawn) = (begun, Philox(seed: seed, stream: begun), 0)
      begun += 1
    }
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

  /// Computes the distributions that there is no room to keep: one batch, for there are no more lanes.
  private mutating func evaluateUnkept(_ lanes: inout [Lane]) {
    let block = network.shape.blockSize
    contexts.removeAll(keepingCapacity: true)
    for lane in lanes where lane.isActive && lane.context < 0 {
      contexts.append(contentsOf: repeatElement(0, count: max(0, block - lane.ids.count)))
      contexts.append(contentsOf: lane.ids.suffix(block))
    }
    guard !contexts.isEmpty else { return }
    network.evaluate(contexts)
    var row = 0
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      network.distribution(row, options, into: &distribution)
      lanes[index].probabilities.removeAll(keepingCapacity: true)
      lanes[index].probabilities.append(contentsOf: distribution)
      lanes[index].sums.removeAll(keepingCapacity: true)
      ContextGraph.appendSums(of: distribution, to: &lanes[index].sums)
      row += 1
    }
  }

  /// Draws a character, and goes on, ends or begins again.
  @inline(__always)
  private mutating func advance(_ lane: inout Lane) {
    let length = lane.ids.count
    // That a word has a character more than its prefix is known at its first draw.
    let isEndless = length == language.prefix.count && length < language.minLength
    let id = draw(&lane, isEndless)
    lane.drawn += 1
    if lane.drawn > budget {
      finish(&lane, hasFailed: true)
    } else if id < 0 {
      restart(&lane)
    } else if id == Vocabulary.terminator {
      end(&lane)
    } else {
      let state = language.automaton.next(lane.state, id)
      guard length < WordList.lineLimit, language.mayGoOn(state, length: length + 1) else {
        return restart(&lane)
      }
      lane.state = state
      lane.ids.append(Int32(id))
      moveOn(&lane, id)
    }
  }

  @inline(__always)
  private mutating func moveOn(_ lane: inout Lane, _ id: Int) {
    lane.context =
      (lane.context >= 0
        ? graph?.successor(of: lane.context, id)
        : graph?.number(after: lane.ids.suffix(network.shape.blockSize))) ?? -1
  }

  /// The id of the next character, or −1 if only the end could be drawn and may not.
  @inline(__always)
  private func draw(_ lane: inout Lane, _ isEndless: Bool) -> Int {
    let share = lane.stream.uniform()
    let count = distribution.count
    let id: Int
    let probability: Double
    if let graph, lane.context >= 0 {
      let row = lane.context * count
      id = ContextGraph.find(share, in: graph.sums, row..<row + count, isEndless)
      probability = id < 0 ? 0 : graph.probabilities[row + id]
    } else {
      id = ContextGraph.find(share, in: lane.sums, 0..<count, isEndless)
      probability = id < 0 ? 0 : lane.probabilities[id]
    }
    lane.probability.multiply(probability)
    return id
  }

  /// Ends a word if it may be one, or begins it again.
  private mutating func end(_ lane: inout Lane) {
    guard language.mayEnd(lane.state, length: lane.ids.count),
      forbidden.isEmpty || !forbidden.contains(lane.ids)
    else { return restart(&lane) }
    finish(&lane, hasFailed: false)
  }

  private mutating func finish(_ lane: inout Lane, hasFailed: Bool) {
    let place = Int(lane.number % UInt64(Self.window))
    waiting[place].isReady = true
    waiting[place].hasFailed = hasFailed
    // The two arrays change places, so that neither is copied.
    swap(&waiting[place].word.ids, &lane.ids)
    waiting[place].word.logProbability = lane.probability.log
    waiting[place].stream = lane.stream
    waiting[place].drawn = lane.drawn
    lane.isActive = false
  }
}
