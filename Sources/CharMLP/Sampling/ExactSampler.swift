// Words from their exact conditional distribution: no word is ever drawn in vain.

import RealModule

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

// MARK: - All of a chain that words under some constraints can meet, as two tables

/// The contexts that the prefix leads to, each with its distribution; the first is the prefix's own.
struct ExploredChain: Sendable {
  /// By context and id.  (contexts, vocabulary)
  let probabilities: [Double]
  /// The context after each character; 0 where the character's probability is zero or it is not
  /// allowed.  (contexts, vocabulary)
  let successors: [Int32]
  let contexts: Int

  /// The most bytes of distributions.
  private static let byteLimit = 256 << 20

  /// Nil if there are more contexts than `stateLimit` allows for so many states of the automaton.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: WordLanguage,
    stateLimit: Int
  ) {
    let limit = min(
      stateLimit / language.automaton.count,
      Self.byteLimit / ContextGraph.bytesPerContext(vocabulary: network.shape.vocabulary))
    guard
      options.isTruncating || Self.contextCount(network.shape, language) <= Double(limit),
      var graph = ContextGraph(network, options, limit: limit),
      graph.number(after: language.prefix[...]) != nil, graph.explore(language.allowedLetters)
    else { return nil }
    let count = network.shape.vocabulary
    contexts = graph.count
    probabilities = (0..<contexts * count).map { graph.step($0 / count, $0 % count).probability }
    successors = (0..<contexts * count).map { max(0, graph.step($0 / count, $0 % count).successor) }
  }

  /// How many contexts a chain without zeros leads to: a word's beginnings, and full blocks.
  private static func contextCount(_ shape: ModelShape, _ language: WordLanguage) -> Double {
    var (count, ofLength) = (1.0, 1.0)
    let longest = language.maxLength.map { max(0, $0 - language.prefix.count) } ?? .max
    for _ in 0..<min(shape.blockSize, longest) {
      ofLength *= Double(language.letterCount)
      count += ofLength
    }
    return count
  }
}

// MARK: - What turns a network's logits into the chain that words are drawn from

// Temperature first, then top-k, then top-p, at every step, as everywhere else. The end of a word is a
// character like any other. Constraints on whole words are not here: they condition the chain that this
// defines (see WordConstraints). Logits are Float, probabilities Double.

/// How the distribution of the next character follows from its logits.
public struct ChainOptions: Equatable, Sendable {
  /// What the logits are divided by; above 0.
  public var temperature: Double
  /// How many of the likeliest characters are kept, at least 1; nil keeps all. Of equals the one with
  /// the lower id is kept.
  public var topK: Int?
  /// The smallest set of the likeliest characters whose probabilities reach this sum is kept
  /// (nucleus sampling; Holtzman et al., "The curious case of neural text degeneration", 2020); above 0,
  /// at most 1, which keeps all.
  public var topP: Double

  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    precondition(
      temperature > 0 && (topK ?? 1) >= 1 && topP > 0 && topP <= 1,
      "ChainOptions: temperature \(temperature), top-k \(topK ?? 0), top-p \(topP)")
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
  }

  /// Whether characters may lose all their probability.
  var isTruncating: Bool { topK != nil || topP < 1 }
}

extension ChainOptions {
  /// softmax(logits / temperature), truncated and normalized again.
  ///
  /// - Parameters:
  ///   - count: The vocabulary's count.
  ///   - logit: A logit by its id.
  ///   - probabilities: Becomes the distribution, by id.  (count)
  @inline(__always)
  func distribution(
    count: Int, logit: (Int) -> Float, into probabilities: inout [Double]
  ) {
    var largest = -Float.infinity
    for id in 0..<count where logit(id) > largest { largest = logit(id) }
    let scale = 1 / temperature
    var sum = 0.0
    for id in 0..<count {
      let share = Double.exp((Double(logit(id)) - Double(largest)) * scale)
      probabilities[id] = share
      sum += share
    }
    for id in 0..<count { probabilities[id] /= sum }
    if isTruncating { truncate(&probabilities) }
  }

  /// Sets all but the likeliest to zero.
  private func truncate(_ probabilities: inout [Double]) {
    let order = probabilities.indices.sorted {
      (probabilities[$1], $0) < (probabilities[$0], $1)
    }
    var kept = 0
    var sum = 0.0
    let limit = min(topK ?? .max, order.count)
    while kept < limit, sum < topP || topP == 1 {
      sum += probabilities[order[kept]]
      kept += 1
    }
    for id in order[kept...] { probabilities[id] = 0 }
    for id in order[..<kept] { probabilities[id] /= sum }
  }
}

// MARK: - How probable it is that a word which is not finished yet will end as asked

// By backward recursion over (context, automaton state): what the next character adds is what it leads to,
//   h(c, a) = Σₓ p(x | c) · h(c x, δ(a, x)) + p(end | c) · [a accepts].
// With a longest length there is one layer for each number of characters that may still come, until two
// layers agree; without one there is a single layer, the recursion's smallest fixed point. Before the
// shortest length a layer for each length forbids the end. Only positive terms are added: nothing cancels,
// and what is zero is impossible.

/// h by layer, automaton state and context.
struct CompletionTable: Sendable {
  /// h, by automaton state and context, with a state of zeros at the end for the dead one.
  /// (layers)(states + 1, contexts)
  private(set) var layers: [[Double]] = []
  /// The layer for the shortest length: the first that may end. Those before it forbid the end.
  private let forcedCount: Int
  /// The layer with most characters to come.
  private let last: Int
  private let minLength: Int
  private let maxLength: Int?

  /// Layers of all but a few words' weight agree to this relative precision.
  static let tolerance = 1e-14
  /// The most numbers that all layers together may hold: 256 MB.
  static let entryLimit = 32_000_000
  /// The most terms that are added up in search of the fixed point: some seconds' worth.
  private static let termLimit = 2_000_000_000

  /// Nil if the layers would need too much memory, or the fixed point too many sweeps.
  init?(_ chain: ExploredChain, _ language: WordLanguage) {
    let sweep = Sweep(chain, language.automaton)
    minLength = language.minLength
    maxLength = language.maxLength
    let first = language.prefix.count
    forcedCount = max(0, language.minLength - first)
    let limit = Self.entryLimit / sweep.zeros.count - forcedCount
    guard limit >= 1 else { return nil }
    // Free layers by the number of characters to come, 0, 1, …; or the fixed point alone.
    var free: [[Double]] = []
    if let maxLength = language.maxLength {
      var next = sweep.zeros
      for _ in 0...maxLength - max(first, language.minLength) {
        guard free.count < limit else { return nil }
        let layer = sweep.layer(before: next, mayEnd: true)
        if Self.agree(layer, next) { break }
        free.append(layer)
        next = layer
      }
      if free.isEmpty { free = [sweep.zeros] }
    } else {
      guard let fixed = sweep.fixedPoint(termLimit: Self.termLimit) else { return nil }
      free = [fixed]
    }
    last = free.count - 1
    layers = free
    for _ in 0..<forcedCount {
      layers.append(sweep.layer(before: layers[layers.count - 1], mayEnd: false))
    }
  }

  /// The layer of words that have `length` characters so far.
  @inline(__always)
  func layer(ofLength length: Int) -> Int {
    if length < minLength { return last + (minLength - length) }
    guard let maxLength else { return last }
    return min(last, maxLength - length)
  }

  private static func agree(_ left: [Double], _ right: [Double]) -> Bool {
    zip(left, right).allSatisfy { abs($0 - $1) <= tolerance * $0 }
  }
}

/// One step of the recursion over all states.
private struct Sweep {
  let zeros: [Double]
  private let chain: ExploredChain
  private let automaton: ConstraintAutomaton
  private var contexts: Int { chain.contexts }

  init(_ chain: ExploredChain, _ automaton: ConstraintAutomaton) {
    self.chain = chain
    self.automaton = automaton
    zeros = Array(repeating: 0, count: (automaton.count + 1) * chain.contexts)
  }

  /// The layer with one character more to come than `next`.
  func layer(before next: [Double], mayEnd: Bool) -> [Double] {
    var layer = zeros
    for state in 0..<automaton.count {
      let ending = mayEnd && automaton.accepts[state] ? 1.0 : 0
      let targets = targets(of: state)
      for context in 0..<contexts {
        layer[state * contexts + context] = value(
          context, targets.span, ending, next.span)
      }
    }
    return layer
  }

  /// The smallest h with h = layer(before: h), by sweeps in place from zero; nil if they do not settle.
  func fixedPoint(termLimit: Int) -> [Double]? {
    var h = zeros
    let sweepLimit = termLimit / (zeros.count * automaton.vocabularyCount)
    let targets = (0..<automaton.count).map { self.targets(of: $0) }
    for _ in 0..<sweepLimit {
      var hasChanged = false
      for state in (0..<automaton.count).reversed() {
        let ending = automaton.accepts[state] ? 1.0 : 0
        let place = state * contexts
        let rows = targets[state]
        for context in 0..<contexts {
          let new = value(context, rows.span, ending, h.span)
          if abs(new - h[place + context]) > CompletionTable.tolerance * new { hasChanged = true }
          h[place + context] = new
        }
      }
      if !hasChanged { return h }
    }
    return nil
  }

  /// Where the layer's values of the state after each character begin.  (vocabulary)
  private func targets(of state: Int) -> [Int] {
    (0..<automaton.vocabularyCount).map { automaton.next(state, $0) * contexts }
  }

  @inline(__always)
  private func value(
    _ context: Int, _ targets: Span<Int>, _ ending: Double, _ next: Span<Double>
  ) -> Double {
    let row = context * automaton.vocabularyCount
    let probabilities = chain.probabilities.span
    let successors = chain.successors.span
    var sum = probabilities[row] * ending
    for id in 1..<automaton.vocabularyCount {
      sum += probabilities[row + id] * next[targets[id] + Int(successors[row + id])]
    }
    return sum
  }
}
