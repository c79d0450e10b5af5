// Every word that may be drawn, with its exact probability, as a walk from character to character.
//
// At a position (context, automaton state, length, node of forbidden words) each character weighs
//   p(x | c) · R(what it leads to),
// where R is h of the completion table, less the forbidden words: at a node of their tree R is the sum of
// these weights. So a forbidden word's probability is taken away along its path, and yet nothing is ever
// subtracted: R is exactly zero if, and only if, no word is left. Dividing by R makes the conditional
// distribution. The walk itself stands in WordSpace+Walking, R of forbidden words in WordSpace+Forbidden.

/// The constrained chain: contexts × automaton × lengths, less a tree of forbidden words.
struct WordSpace: Sendable {
  let language: WordLanguage
  /// The logarithm of the probability that a word begins with the prefix.
  let prefixLogProbability: Double
  let vocabularyCount: Int

  let chain: ExploredChain
  let completion: CompletionTable
  /// Forbidden words that begin with the prefix, without it.
  var forbidden: ForbiddenWords
  /// R at the nodes of forbidden words.  (nodes)
  var masses: [Double] = []
  /// Where each node of forbidden words is.  (nodes)
  var positions: [Position] = []

  /// Where a word stands that is not finished.
  struct Position {
    var context: Int32
    var state: Int32
    var length: Int32
    /// −1 once no forbidden word begins like this one.
    var node: Int32
  }

  /// The most (context, automaton state) pairs.
  static let stateLimit = 300_000

  /// Nil if the chain has too many states for an exact answer.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: WordLanguage,
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
}

// MARK: - From a position to the next, and what each character weighs there

extension WordSpace {
  /// Where every word stands after the prefix.
  var start: Position {
    Position(
      context: 0, state: Int32(language.startState), length: Int32(language.prefix.count), node: 0)
  }

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

  /// R: the probability that a word from here ends as asked and is not forbidden.
  @inline(__always)
  func mass(_ position: Position) -> Double {
    position.node >= 0 ? masses[Int(position.node)] : completed(position)
  }

  /// The share of the constrained words' probability that is not forbidden; 0 if there is none at all.
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
    if let maxLength = language.maxLength, position.length > maxLength { return 0 }
    let layer = completion.layer(ofLength: Int(position.length))
    return completion.layers[layer][
      Int(position.state) * chain.contexts + Int(position.context)]
  }

  /// What each character weighs, 0 being the end, and the sum of all.  (vocabulary)
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
}

// MARK: - R at the nodes of forbidden words: for all of them at first, then along the path of each new one

extension WordSpace {
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

  /// Finds R at every node: a node after all that is below it.
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
