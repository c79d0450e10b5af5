// How rare the words are that a request allows, and how long a search for them will take: estimated
// before it begins.
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

import RealModule

/// The probability of the words that a request allows, and what drawing costs.
public struct RejectionEstimate: Equatable, Sendable {
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

extension RejectionEstimate {
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
    var search = LockstepSampler(network, plan.language, request, acceptsAll: false, budget: .max)
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
    var examples = LockstepSampler(network, free, drawing, acceptsAll: true, budget: .max)
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
    // An attempt leaves out an end that comes too early at its first draw.
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
    // Not 1 − distribution[0], which loses its digits where a word will almost surely end.
    lane.logRatio += .log(isFirst ? sum / distribution.dropFirst().reduce(0, +) : sum)
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
