// Words of a chain that has too many contexts to explore: many words at once, a character at a
// time.
//
// Up to 64 words advance in lockstep, so that one product serves all their next characters. A word
// that can no longer meet the constraints is begun again at once; so the words have the exact
// conditional distribution, at the price of the characters thrown away, which a budget bounds.
// Every word has its own random stream, so it does not depend on its neighbours, and words come out
// in order. None is longer than a word list's longest line.

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
  /// Finished words waiting for those before them, by index modulo `window`.
  var waiting: [Waiting]
  private(set) var emitted: UInt64 = 0
  var begun: UInt64 = 0
  /// Words that turned out to be repeated, to be drawn again with the rest of their streams.
  var repeated: [UInt64] = []
  var contexts: [Int32] = []
  var distribution: [Double]

  /// How far a word may be ahead of the first one that is not finished.
  static let window = 1024
  /// The most bytes for distributions.
  static let byteLimit = 64 << 20

  /// - Parameter numbers: The words to draw: all of them, if each is to be drawn once.
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

  /// Hands over the next word if it is finished and returns true, or advances all words and returns
  /// false.
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

// MARK: - Beginning and ending words

extension LockstepSampler {
  /// A word being drawn.
  struct Lane {
    var isActive = false
    /// Which of the sampler's words it is.
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

  /// A finished word, and what it takes to continue its stream.
  struct Waiting {
    var isReady = false
    var hasFailed = false
    var word = DrawnWord()
    var stream = Philox(seed: 0, stream: 0)
    var drawn = 0
  }

  /// Begins a repeated word again, or the next word, in a free lane.
  mutating func beginWord(_ lane: inout Lane) {
    if let index = repeated.popLast() {
      let word = waiting[Int(index % UInt64(Self.window))]
      (lane.index, lane.stream, lane.drawn) = (index, word.stream, word.drawn)
    } else {
      guard begun < emitted + UInt64(Self.window) else { return }
      lane.index = begun
      lane.stream = Philox(seed: seed, stream: numbers[begun])
      lane.drawn = 0
      begun += 1
    }
    lane.isActive = true
    restart(&lane)
  }

  func restart(_ lane: inout Lane) {
    lane.ids.removeAll(keepingCapacity: true)
    lane.ids.append(contentsOf: language.prefix)
    lane.context = startContext
    lane.state = language.startState
    lane.probability = LogProduct(prefixLogProbability)
  }

  /// Finishes a word if it is as asked, or begins it again.
  mutating func end(_ lane: inout Lane) {
    guard language.mayEnd(lane.state, length: lane.ids.count),
      forbidden.isEmpty || !forbidden.contains(lane.ids)
    else { return restart(&lane) }
    finish(&lane, hasFailed: false)
  }

  mutating func finish(_ lane: inout Lane, hasFailed: Bool) {
    let place = Int(lane.index % UInt64(Self.window))
    waiting[place].isReady = true
    waiting[place].hasFailed = hasFailed
    // The arrays are swapped, so that neither is copied.
    swap(&waiting[place].word.ids, &lane.ids)
    waiting[place].word.logProbability = lane.probability.log
    waiting[place].stream = lane.stream
    waiting[place].drawn = lane.drawn
    lane.isActive = false
  }
}

// MARK: - One character for each word

extension LockstepSampler {
  mutating func step() {
    // Taken out, so that each is changed in place.
    var lanes: [Lane] = []
    swap(&lanes, &self.lanes)
    for index in lanes.indices where !lanes[index].isActive { beginWord(&lanes[index]) }
    graph?.evaluate()
    evaluateUnkept(&lanes)
    for index in lanes.indices where lanes[index].isActive { advance(&lanes[index]) }
    swap(&lanes, &self.lanes)
  }

  /// Computes the distributions that there was no room to keep; there are no more lanes than a
  /// batch has rows.
  private mutating func evaluateUnkept(_ lanes: inout [Lane]) {
    let length = network.contextLength
    contexts.removeAll(keepingCapacity: true)
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      contexts.append(contentsOf: repeatElement(0, count: max(0, length - lanes[index].ids.count)))
      contexts.append(contentsOf: lanes[index].ids.suffix(length))
    }
    guard !contexts.isEmpty else { return }
    network.evaluate(contexts)
    var row = 0
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      network.distribution(row, options, into: &distribution)
      lanes[index].steps = ContextGraph.steps(of: distribution)
      row += 1
    }
  }

  /// Draws a character; the word goes on, ends or begins again.
  @inline(__always)
  private mutating func advance(_ lane: inout Lane) {
    let length = lane.ids.count
    // Whether a word must have more characters than its prefix is known at its first draw.
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
        : graph?.number(after: lane.ids.suffix(network.contextLength))) ?? -1
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
