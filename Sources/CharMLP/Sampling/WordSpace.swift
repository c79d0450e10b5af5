// All words that may be drawn, with their exact probabilities, as a walk from character to
// character; no draw is ever rejected.
//
// At a position (context, automaton state, length, node of forbidden words) each character weighs
//   p(x | c) · R(position after x),
// where R is h of the completion table, without the forbidden words: at a node of their tree R is
// the sum of these weights. So a forbidden word's probability is missing along its path, and yet
// nothing is ever subtracted: R is exactly zero if, and only if, no word is left. Dividing by R
// gives the conditional distribution.

import RealModule

/// The constrained chain: contexts × automaton × lengths, less a tree of forbidden words.
struct WordSpace: Sendable {
  let language: EncodedConstraints
  /// The logarithm of the probability that a word begins with the prefix.
  let prefixLogProbability: Double
  let vocabularyCount: Int

  let chain: ExploredChain
  let completion: CompletionTable
  /// Forbidden words that begin with the prefix, without it.
  var forbidden: ForbiddenWords
  /// R at the nodes of forbidden words.  (nodes)
  var masses: [Double] = []
  /// The position of each node of forbidden words.  (nodes)
  var positions: [Position] = []

  /// The position of an unfinished word.
  struct Position {
    var context: Int32
    var state: Int32
    var length: Int32
    /// −1 once no forbidden word begins like this one.
    var node: Int32

    /// The position of every word after the prefix.
    static func start(of language: EncodedConstraints) -> Position {
      Position(
        context: 0, state: Int32(language.startState), length: Int32(language.prefix.count),
        node: 0)
    }
  }

  /// The most (context, automaton state) pairs.
  static let stateLimit = 300_000

  /// Nil if the chain has too many states for an exact answer.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: EncodedConstraints,
    _ forbidden: ForbiddenWords, stateLimit: Int = Self.stateLimit
  ) {
    guard
      let chain = ExploredChain(network, options, language, stateLimit: stateLimit),
      let completion = CompletionTable(chain, language)
    else { return nil }
    self.language = language
    self.chain = chain
    self.completion = completion
    self.forbidden = forbidden.following(language.prefix)
    vocabularyCount = network.shape.vocabulary
    prefixLogProbability = WordScorer(network, options).logProbability(ofPrefix: language.prefix)
    measureForbidden()
  }

  // MARK: Walking

  /// The position of every word after the prefix.
  var start: Position { .start(of: language) }

  /// The position after one more character.
  @inline(__always)
  func advance(_ position: Position, _ id: Int) -> Position {
    let node = Int(position.node)
    return Position(
      context: chain.successors[Int(position.context) * vocabularyCount + id],
      state: Int32(language.automaton.next(Int(position.state), id)),
      length: position.length + 1,
      node: node < 0 ? -1 : forbidden.child(of: node, Int32(id)).map(Int32.init) ?? -1)
  }

  /// R: the probability that a word from here meets the constraints and is not forbidden.
  @inline(__always)
  func mass(_ position: Position) -> Double {
    position.node >= 0 ? masses[Int(position.node)] : completed(position)
  }

  /// The share of the constrained words' probability that is not forbidden; 0 if no word meets the
  /// constraints.
  var shareLeft: Double {
    let all = completed(start)
    return all > 0 && prefixLogProbability.isFinite ? mass(start) / all : 0
  }

  /// The probability of the next character in the chain, without constraints.
  @inline(__always)
  func probability(_ position: Position, _ id: Int) -> Double {
    chain.probabilities[Int(position.context) * vocabularyCount + id]
  }

  /// h, without regard to forbidden words.
  private func completed(_ position: Position) -> Double {
    completion.probability(
      Int(position.context), Int(position.state), length: Int(position.length))
  }

  /// Computes the weight of each character, the end being 0, and returns their sum.  (vocabulary)
  @inline(__always)
  func weigh(_ position: Position, into weights: inout [Double]) -> Double {
    let row = Int(position.context) * vocabularyCount
    let (state, length, node) = (Int(position.state), Int(position.length), Int(position.node))
    let mayEnd = language.mayEnd(state, length: length) && !(node >= 0 && forbidden.isWord(node))
    weights[0] = mayEnd ? chain.probabilities[row] : 0
    var sum = weights[0]
    if let maxLength = language.maxLength, length >= maxLength {
      for id in 1..<vocabularyCount { weights[id] = 0 }
      return sum
    }
    let layer = completion.layer(ofLength: length + 1)
    for id in 1..<vocabularyCount {
      let target = language.automaton.next(state, id) * chain.contexts
      let context = Int(chain.successors[row + id])
      weights[id] = chain.probabilities[row + id] * completion.layers[layer][target + context]
    }
    if node >= 0 {
      forbidden.forEachChild(of: node) { child in
        let id = forbidden.id(of: child)
        weights[id] = chain.probabilities[row + id] * masses[child]
      }
    }
    for id in 1..<vocabularyCount { sum += weights[id] }
    return sum
  }

  // MARK: R of forbidden words

  /// Forbids one more word, which begins with the prefix.
  mutating func forbid(_ word: [Int32]) {
    let first = forbidden.nodeCount
    var node = forbidden.add(word[language.prefix.count...])
    for new in first..<forbidden.nodeCount { place(new) }
    var weights = [Double](repeating: 0, count: vocabularyCount)
    while node >= 0 {
      masses[node] = weigh(positions[node], into: &weights)
      node = Int(forbidden.parents[node])
    }
  }

  /// Computes R at every node, each after everything below it.
  mutating func measureForbidden() {
    positions.reserveCapacity(forbidden.nodeCount)
    masses.reserveCapacity(forbidden.nodeCount)
    for node in 0..<forbidden.nodeCount { place(node) }
    var weights = [Double](repeating: 0, count: vocabularyCount)
    for node in (0..<forbidden.nodeCount).reversed() {
      masses[node] = weigh(positions[node], into: &weights)
    }
  }

  /// Finds the position of a node, whose parent's is known.
  private mutating func place(_ node: Int) {
    let parent = Int(forbidden.parents[node])
    positions.append(parent < 0 ? start : advance(positions[parent], forbidden.id(of: node)))
    masses.append(0)
  }
}

// MARK: - Explored chain

/// The contexts that can follow the prefix, each with its distribution; the first is the prefix's
/// own.
struct ExploredChain: Sendable {
  /// By context and id.  (contexts, vocabulary)
  let probabilities: [Double]
  /// The context after each character; 0 where the character's probability is zero or it is not
  /// allowed.  (contexts, vocabulary)
  let successors: [Int32]
  let contexts: Int

  /// The most bytes for distributions.
  private static let byteLimit = 256 << 20

  /// Nil if contexts times states of the automaton exceed `stateLimit`.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: EncodedConstraints,
    stateLimit: Int
  ) {
    let limit = min(
      stateLimit / language.automaton.count,
      Self.byteLimit / ContextGraph.bytesPerContext(vocabulary: network.shape.vocabulary))
    guard
      options.isTruncating || Self.contextCount(network, language) <= Double(limit),
      var graph = ContextGraph(network, options, limit: limit),
      graph.number(after: language.prefix[...]) != nil, graph.explore(language.allowedLetters)
    else { return nil }
    let count = network.shape.vocabulary
    contexts = graph.count
    probabilities = (0..<contexts * count).map { graph.step($0 / count, $0 % count).probability }
    successors = (0..<contexts * count).map { max(0, graph.step($0 / count, $0 % count).successor) }
  }

  /// How many contexts a chain without zeros has: prefixes of words, and full blocks.
  private static func contextCount(_ network: NextCharacterNetwork, _ language: EncodedConstraints)
    -> Double
  {
    var (count, ofLength) = (1.0 + Double(network.longContextCount), 1.0)
    let longest = language.maxLength.map { max(0, $0 - language.prefix.count) } ?? .max
    for _ in 0..<min(network.shape.blockSize, longest) {
      ofLength *= Double(language.letterCount)
      count += ofLength
    }
    return count
  }
}

// MARK: - Completion probabilities
//
// The probability that an unfinished word will meet the constraints.

/// h by layer, automaton state and context, by backward recursion:
///   h(c, a) = Σₓ p(x | c) · h(c x, δ(a, x)) + p(end | c) · [a accepts].
///
/// With a longest length there is one layer for each number of characters that may still come,
/// until two layers agree; without one there is a single layer, the recursion's smallest fixed
/// point. Below the shortest length there is a layer for each length, which forbids the end. Only
/// positive terms are added: nothing cancels, and zero means impossible.
struct CompletionTable: Sendable {
  /// h, by automaton state and context, with a state of zeros at the end for the dead one.
  /// (layers)(states + 1, contexts)
  private(set) var layers: [[Double]] = []
  /// The layer with the most characters to come.
  private let last: Int
  private let minLength: Int
  private let maxLength: Int?
  private let contexts: Int

  /// The relative precision to which layers agree.
  static let tolerance = 1e-14
  /// The most numbers in all layers together: 256 MB.
  static let entryLimit = 32_000_000
  /// The most terms added in search of the fixed point: some seconds' worth.
  private static let termLimit = 2_000_000_000

  /// Nil if the layers would need too much memory, or the fixed point too many sweeps.
  init?(_ chain: ExploredChain, _ language: EncodedConstraints) {
    let sweep = Sweep(chain, language.automaton)
    minLength = language.minLength
    maxLength = language.maxLength
    contexts = chain.contexts
    let first = language.prefix.count
    let forcedCount = max(0, language.minLength - first)
    let limit = Self.entryLimit / sweep.zeros.count - forcedCount
    guard limit >= 1 else { return nil }
    // Layers of words that may end, by the number of characters to come, 0, 1, …; or the fixed
    // point alone.
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

  /// The layer of words of `length` characters so far.
  @inline(__always)
  func layer(ofLength length: Int) -> Int {
    if length < minLength { return last + (minLength - length) }
    guard let maxLength else { return last }
    return min(last, maxLength - length)
  }

  /// h of an unfinished word of `length` characters.
  @inline(__always)
  func probability(_ context: Int, _ state: Int, length: Int) -> Double {
    if let maxLength, length > maxLength { return 0 }
    return layers[layer(ofLength: length)][state * contexts + context]
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

  /// The smallest h with h = layer(before: h), by sweeps in place from zero; nil if they do not
  /// settle.
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

  /// Where the values of the state after each character begin in a layer.  (vocabulary)
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

// MARK: - Drawing

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

  /// The smallest share of the probability that is still drawn from.
  static let leastShare = 1e-9

  /// Draws a word with the numbers of a stream.
  mutating func draw(_ stream: Philox, into word: inout DrawnWord) throws(SamplingError) {
    guard space.shareLeft >= Self.leastShare else { throw .exhausted }
    var stream = stream
    var position = space.start
    var probability = LogProduct(space.prefixLogProbability)
    word.ids.removeAll(keepingCapacity: true)
    word.ids.append(contentsOf: space.language.prefix)
    while true {
      let sum = space.weigh(position, into: &weights)
      let id = weights.index(atRunningSum: stream.uniform() * sum)
      probability.multiply(space.probability(position, id))
      if id == Vocabulary.terminator { break }
      word.ids.append(Int32(id))
      guard word.ids.count <= budget else { throw .budgetSpent(characters: budget) }
      position = space.advance(position, id)
    }
    word.logProbability = probability.log
    if isUnique { space.forbid(word.ids) }
  }
}

extension [Double] {
  /// The first index at which the running sum of weights exceeds a number below their sum.
  @inline(__always)
  func index(atRunningSum threshold: Double) -> Int {
    var sum = 0.0
    var last = 0
    for index in indices where self[index] > 0 {
      sum += self[index]
      last = index
      if threshold < sum { break }
    }
    // By rounding, no sum may exceed the threshold; then the last possible index is drawn.
    return last
  }
}
