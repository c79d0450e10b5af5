// Words of a chain that has too many contexts to explore: many words at once, a character at a
// time; and, before the search for them begins, an estimate of how rare they are.
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
  private let isFree: Bool
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
  ///   - isFree: Whether the request is a prefix alone, so that every attempt is a word.
  init(
    _ network: NextCharacterNetwork, _ language: EncodedConstraints, _ request: Sampler.Request,
    _ numbers: WordNumbers = .all, isFree: Bool, budget: Int, byteLimit: Int = Self.byteLimit
  ) {
    self.network = network
    self.language = language
    self.numbers = numbers
    self.isFree = isFree
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
    return attempt.isWord && found.takes(word.ids)
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
    if isFree { restart(&lane) } else { finish(&lane, isWord: false) }
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
    let used = isFree ? min(lanes.count, 2 + 2 * Int(collectedCount)) : lanes.count
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
    // Whether a word must have more characters than its prefix is known at its first draw.
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
      guard length < WordList.lineLimit, language.mayGoOn(state, length: length + 1) else {
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

  /// Whether a word that was found is handed over.
  mutating func takes(_ word: [Int32]) -> Bool {
    guard !(isUnique && forbidden.contains(word)) else { return false }
    if isUnique { forbidden.add(word) }
    drawn = 0
    return true
  }
}

// MARK: - How rare the words are
//
// A few thousand words are drawn as the search would draw them. If many meet the request, their
// share is the answer. If not, words are drawn from a proposal that favours the request: a bigram
// model of words of the chain, small enough for its completion table h to be known, says after each
// character how promising it is. With the chain's own p, the next character is drawn in proportion
// to p(x) h(x), and a weight corrects for that,
//
//   P(word) / Q(word) = Π Z / Π h,  Z = Σ p(x) h(x) at each character, h at each but the first,
//
// and the mean of this ratio over words drawn from Q is the probability of the request, without
// bias whatever the bigram model says (importance sampling). The words themselves are thrown away:
// their distribution is a different one, and no known bound on the ratio would allow rejection
// sampling from it.

/// The probability of the words that a request allows, and what drawing costs.
public struct Rarity: Equatable, Sendable {
  /// The probability that a word of the chain that begins with the prefix meets the request.
  public let probability: Double
  /// Its standard error, as a share of it.
  public let error: Double
  /// The mean number of characters drawn before a word is finished or abandoned.
  public let charactersPerAttempt: Double
  /// The attempts that one thread makes in a second; measured, so not the same every time.
  public let attemptsPerSecond: Double

  /// The mean number of characters drawn in search of a word that meets the request.
  public var charactersPerWord: Double { charactersPerAttempt / probability }
  /// The mean time of the search for a word by one thread, in seconds.
  public var secondsPerWord: Double { 1 / (probability * attemptsPerSecond) }

  /// How many words the model makes for one that meets the request, to two digits.
  var roundedOdds: Int {
    let odds = 1 / probability
    guard odds < 1e17 else { return .max }
    var unit = 1.0
    while odds / unit >= 100 { unit *= 10 }
    return Int((odds / unit).rounded() * unit)
  }
}

extension Rarity {
  private static let attempts: UInt64 = 2048
  /// This many words that meet the request are enough to go by.
  private static let enough = 50
  private static let guidingWords: UInt64 = 4000
  /// The most characters times symbols that each part of the estimate may take: about a second's
  /// worth.
  private static let workLimit = 30_000_000

  /// Nil if it cannot be estimated: words are too long, or too rare for the bigram model as well.
  init?(_ plan: Sampler.Plan) {
    let limit = Self.workLimit / plan.language.automaton.vocabularyCount
    let network = NextCharacterNetwork(plan.predictor)
    var request = plan.request
    request.isUnique = false
    var search = LockstepSampler(network, plan.language, request, isFree: false, budget: .max)
    guard search.prefixLogProbability.isFinite else { return nil }
    let start = ContinuousClock.now
    let trial = search.words(of: Self.attempts, enough: Self.enough, limit: limit)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let attempts = Double(search.collectedCount)
    guard attempts >= 64 || trial.words.count >= Self.enough else { return nil }
    charactersPerAttempt = Double(trial.drawn) / attempts
    // At first every context is new; a long search goes faster.
    let rate = attempts / seconds
    if trial.words.count >= Self.enough {
      probability = Double(trial.words.count) / attempts
      error = ((1 - probability) / Double(trial.words.count)).squareRoot()
      attemptsPerSecond = rate
      return
    }
    guard let free = try? EncodedConstraints(WordConstraints(), plan.predictor.model.vocabulary)
    else {
      return nil
    }
    var drawing = Sampler.Request(seed: plan.request.seed)
    drawing.chain = plan.request.chain
    var examples = LockstepSampler(network, free, drawing, isFree: true, budget: .max)
    let words = examples.words(of: Self.guidingWords, enough: .max, limit: limit).words
    guard words.count >= 100, let guide = BigramProposal(words, plan.language),
      let mean = guide.meanRatio(plan, network, limit: limit)
    else { return nil }
    (probability, error) = mean
    attemptsPerSecond = probability < 1e-6 ? search.warmRate() : rate
  }
}

extension LockstepSampler {
  /// How many attempts end in a second, once a second has passed.
  fileprivate mutating func warmRate() -> Double {
    var word = DrawnWord()
    var (first, start) = (collectedCount, ContinuousClock.now)
    for second in 1...2 {
      (first, start) = (collectedCount, .now)
      let length = second == 1 ? Duration.seconds(1) : .milliseconds(300)
      while ContinuousClock.now - start < length {
        for _ in 0..<256 { _ = collect(into: &word) }
      }
    }
    return Double(collectedCount - first) / ((ContinuousClock.now - start) / .seconds(1))
  }

  /// The words of `attempts` attempts, or of fewer if enough are found or they take more than
  /// `limit` characters, with the characters drawn for them.
  fileprivate mutating func words(
    of attempts: UInt64, enough: Int, limit: Int
  ) -> (words: [[Int32]], drawn: Int) {
    var (words, drawn, steps) = ([[Int32]](), 0, 0)
    var word = DrawnWord()
    while collectedCount < attempts, words.count < enough, steps * lanes.count < limit {
      guard let attempt = collect(into: &word) else {
        steps += 1
        continue
      }
      drawn += attempt.drawn
      if attempt.isWord { words.append(word.ids) }
    }
    return (words, drawn)
  }
}

// MARK: - Importance sampling

/// A bigram model of words, and the probability h that its words will meet the request.
private struct BigramProposal {
  private let chain: ExploredChain
  private let completion: CompletionTable
  private let language: EncodedConstraints
  private let count: Int

  private static let draws = 1024

  /// Nil if the table would be too large.
  init?(_ words: [[Int32]], _ language: EncodedConstraints) {
    count = language.automaton.vocabularyCount
    let targets = words.flatMap { $0 + [Vocabulary.terminator] }
    let windows = ContextWindows(targets, vocabularyCount: count, blockSize: 2)
    let model = NGramModel(of: windows, order: 3, discounting: .fixed)
    let limit = WordSpace.stateLimit / language.automaton.count
    guard let chain = ExploredChain(model, language, limit: limit),
      let completion = CompletionTable(chain, language)
    else { return nil }
    (self.chain, self.completion, self.language) = (chain, completion, language)
  }

  /// An unfinished word.
  private struct Lane {
    var stream: Philox
    var ids: [Int32]
    var context = 0
    var state: Int
    /// log Π Z / Π h so far.
    var logRatio = 0.0
    var isFinished = false
  }

  /// The mean of P(word) / Q(word) over words drawn from the proposal, 0 for forbidden ones,
  /// and its standard error as a share of it; nil if the mean is 0 or the words are too long.
  func meanRatio(
    _ plan: Sampler.Plan, _ network: NextCharacterNetwork, limit: Int
  ) -> (mean: Double, error: Double)? {
    let length = network.contextLength
    var (sum, squares, draws, work) = (0.0, 0.0, 0, 0)
    var distribution = [Double](repeating: 0, count: count)
    var weights = distribution
    while draws < Self.draws {
      var lanes = (0..<network.batchRows).map { lane in
        Lane(
          stream: Philox(seed: plan.request.seed, stream: .max - UInt64(draws + lane)),
          ids: language.prefix, state: language.startState)
      }
      while case let active = lanes.indices.filter({ !lanes[$0].isFinished }), !active.isEmpty {
        work += active.count
        guard work < limit else { return nil }
        network.evaluate(active.flatMap { lanes[$0].ids.lastPadded(to: length) })
        for (row, lane) in active.enumerated() {
          network.distribution(row, plan.request.chain, into: &distribution)
          advance(&lanes[lane], distribution, &weights)
        }
      }
      for lane in lanes
      where lane.logRatio > -.infinity && !plan.request.forbidden.contains(lane.ids) {
        let ratio = Double.exp(lane.logRatio)
        sum += ratio
        squares += ratio * ratio
      }
      draws += lanes.count
    }
    let mean = sum / Double(draws)
    guard mean > 0, mean.isFinite else { return nil }
    let variance = max(0, squares / Double(draws) - mean * mean)
    return (mean, (variance / Double(draws)).squareRoot() / mean)
  }

  /// Draws the next character in proportion to p(x) h(x).
  private func advance(_ lane: inout Lane, _ distribution: [Double], _ weights: inout [Double]) {
    let length = lane.ids.count
    // An attempt draws its first character among those that may come.
    let isFirst = length == language.prefix.count && length < language.minLength
    weights[0] = language.mayEnd(lane.state, length: length) ? distribution[0] : 0
    for id in 1..<count {
      weights[id] =
        distribution[id]
        * completion.probability(
          Int(chain.successors[lane.context * count + id]),
          language.automaton.next(lane.state, id), length: length + 1)
    }
    let sum = weights.reduce(0, +)
    guard sum > 0, length < WordList.lineLimit else {
      lane.logRatio = -.infinity
      lane.isFinished = true
      return
    }
    lane.logRatio += .log(isFirst ? sum / (1 - distribution[0]) : sum)
    let chosen = weights.index(atRunningSum: lane.stream.uniform() * sum)
    guard chosen != Vocabulary.terminator else {
      lane.isFinished = true
      return
    }
    lane.context = Int(chain.successors[lane.context * count + chosen])
    lane.state = language.automaton.next(lane.state, chosen)
    lane.ids.append(Int32(chosen))
    lane.logRatio -= .log(completion.probability(lane.context, lane.state, length: length + 1))
  }
}

extension ExploredChain {
  /// The contexts of an n-gram model that can follow a language's prefix, as far as they were
  /// counted; nil if there are too many.
  fileprivate init?(_ model: NGramModel, _ language: EncodedConstraints, limit: Int) {
    let (count, length) = (language.automaton.vocabularyCount, model.order - 1)
    let isAllowed = language.allowedLetters
    var path: [Int] = []
    /// A context without the characters that were never counted together.
    func significant(_ context: [Int32]) -> [Int32] {
      let full = context.lastPadded(to: length)
      model.find(full[...], path: &path)
      return Array(full.suffix(path.count - 1))
    }
    var contexts = [significant(language.prefix)]
    var numbers = [contexts[0]: 0]
    var distribution = [Double](repeating: 0, count: count)
    var probabilities: [Double] = []
    var successors: [Int32] = []
    var explored = 0
    while explored < contexts.count {
      let context = contexts[explored]
      model.counts.find(context[...], length: context.count, path: &path)
      model.fill(&distribution, along: path)
      probabilities += distribution
      for id in 0..<count {
        guard id > 0, isAllowed[id] else {
          successors.append(0)
          continue
        }
        let next = significant(context + [Int32(id)])
        let number = numbers[next] ?? contexts.count
        if number == contexts.count {
          guard number < limit else { return nil }
          numbers[next] = number
          contexts.append(next)
        }
        successors.append(Int32(number))
      }
      explored += 1
    }
    self.probabilities = probabilities
    self.successors = successors
    self.contexts = contexts.count
  }
}
