// The most probable words, in order, by best-first search.
//
// No word is more probable than all words with the same prefix together: R of the word space, if
// that is known, otherwise the probability of the prefix itself. The prefix with the highest bound
// is expanded next, so finished words come up from the most probable one on. Nothing is drawn. A
// prefix whose bound is below the `count` best finished words is dropped: none of its words can be
// among them.
//
// Memory has a bound, which is the same on every machine, so that no result depends on how much
// there is. When it is reached, the half with the highest bounds is kept. The search is exact until
// it comes down to the bounds of the other half, and ends there.

import RealModule

/// Words in the order of their probability, from the most probable one on.
public struct MostLikelyWords: WordSource {
  private let language: EncodedConstraints
  private let scorer: WordScorer
  private let space: WordSpace?
  private let forbidden: ForbiddenWords
  private let budget: Int
  /// Prefixes expanded since the last word.
  private var expandedCount = 0
  private(set) var nodes: [Node] = []
  /// Nodes with their bounds, the best first.
  private var open = Heap<OpenNode>()
  /// The `count` highest bounds of finished words, the least first.
  private var finished = Heap<Double>()
  private let count: Int
  /// The most nodes.
  private let nodeLimit: Int
  /// The nodes that there is memory for; more end the search.
  private let memoryNodes: Int
  private let memoryLimit: Int
  /// The highest bound of a prefix for which there was no room.
  private var lost = -Double.infinity

  /// The most bytes for the search, including the exact distributions that it may use.
  public static let byteLimit = 512 << 20
  /// A node and its bound, in arrays half as large again; and while room is made, its new number
  /// and half a bound, which sorting takes.
  private static let bytesPerNode =
    (MemoryLayout<Node>.stride + MemoryLayout<OpenNode>.stride) * 3 / 2 + 12

  /// A prefix, or a finished word if its character is the terminator.
  struct Node {
    var parent: Int32
    let id: Int32
    let position: WordSpace.Position
    let logProbability: Double
  }

  /// Prepares to search; the request's seed and `isUnique` do not matter.
  ///
  /// - Parameters:
  ///   - predictor: What gives words their probability.
  ///   - request: The constraints, and the options of the chain.
  ///   - count: How many words are wanted; there may be none after them.
  ///   - memoryLimit: The bytes available. Below `byteLimit` the search may end earlier than on
  ///     other machines; the words that it finds are the same.
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  public init(
    _ predictor: Predictor, _ request: Sampler.Request, count: Int = .max, memoryLimit: Int = .max
  ) throws(ConstraintError) {
    try self.init(
      predictor, request, count: count, stateLimit: WordSpace.stateLimit, memoryLimit: memoryLimit)
  }

  init(
    _ predictor: Predictor, _ request: Sampler.Request, count: Int = .max, stateLimit: Int,
    nodeLimit: Int? = nil, memoryLimit: Int = .max
  ) throws(ConstraintError) {
    try request.validate()
    guard count >= 0 else {
      throw .option("count", found: "\(count)", expected: "0 or more words")
    }
    language = try EncodedConstraints(request.constraints, predictor.model.vocabulary)
    let network = NextCharacterNetwork(predictor)
    scorer = WordScorer(network, request.chain)
    space = WordSpace(network, request.chain, language, request.forbidden, stateLimit: stateLimit)
    forbidden = request.forbidden
    budget = request.shortBudget(vocabulary: predictor.model.shape.vocabulary)
    self.count = count
    // Whatever the vocabulary, there is room for four expansions at least.
    let room = (Self.byteLimit - (space?.byteCount ?? 0)) / Self.bytesPerNode
    self.memoryLimit = min(memoryLimit, Self.byteLimit)
    memoryNodes =
      memoryLimit < Self.byteLimit
      ? max(0, (memoryLimit - (space?.byteCount ?? 0)) / Self.bytesPerNode) : .max
    self.nodeLimit = max(nodeLimit ?? room, 4 * predictor.model.shape.vocabulary)
    let start = WordSpace.Position.start(of: language)
    let logProbability = scorer.logProbability(ofPrefix: language.prefix)
    let bound = space.map { $0.mass(start) } ?? 1
    add(
      Node(parent: -1, id: -1, position: start, logProbability: logProbability),
      bound: logProbability + .log(bound))
  }

  /// Expands the most promising prefix, or finds that it is a finished word.
  ///
  /// - Throws: `SamplingError` if there is none, or the budget is spent.
  public mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard expandedCount < budget else { throw .searchTooLong(beginnings: budget) }
    // A bound that is not a number, of a model whose probabilities are not, is dropped as well.
    while let best = open.elements.first, !(best.bound >= leastBound) { _ = open.removeFirst() }
    guard let best = open.elements.first, best.bound > lost else {
      throw lost > -.infinity ? .searchTooLarge(bytes: Self.byteLimit) : .exhausted
    }
    guard nodes[Int(best.number)].id == Vocabulary.terminator else {
      expandedCount += 1
      guard nodes.count + language.automaton.vocabularyCount <= memoryNodes else {
        throw .searchTooLarge(bytes: memoryLimit)
      }
      if nodes.count + language.automaton.vocabularyCount > nodeLimit { makeRoom() }
      // Making room may have changed its number.
      if let best = open.removeFirst() { expand(Int(best.number)) }
      return false
    }
    _ = open.removeFirst()
    expandedCount = 0
    let node = nodes[Int(best.number)]
    word.ids = text(of: Int(node.parent))
    word.logProbability = node.logProbability
    return true
  }

  /// What a bound must reach: the least of the `count` highest bounds of finished words, or −∞ as
  /// long as there are fewer.
  private var leastBound: Double {
    finished.elements.count < count ? -.infinity : finished.elements.first ?? .infinity
  }

  private mutating func add(_ node: Node, bound: Double) {
    guard bound > -.infinity, bound >= leastBound else { return }
    // Without a count no word ever keeps another out.
    if node.id == Vocabulary.terminator, count < .max {
      if finished.elements.count < count {
        finished.add(bound)
      } else {
        finished.replaceFirst(with: bound)
      }
    }
    if nodes.count == nodes.capacity {
      let capacity = min(max(64, 2 * nodes.count), nodeLimit + 1)
      nodes.reserveCapacity(capacity)
      open.elements.reserveCapacity(capacity)
    }
    open.add(OpenNode(bound: bound, number: Int32(nodes.count)))
    nodes.append(node)
  }

  /// The ids of a prefix.
  private func text(of number: Int) -> [Int32] {
    var ids: [Int32] = []
    var node = nodes[number]
    while node.parent >= 0 {
      ids.append(node.id)
      node = nodes[Int(node.parent)]
    }
    return language.prefix + ids.reversed()
  }

  // MARK: Making room

  /// Drops the prefixes that are not wanted and, of the others, those with the lowest bounds, until
  /// the rest with their ancestors take half of the room or less.
  private mutating func makeRoom() {
    // A sorted array is a heap as well.
    open.elements.sort()
    let least = leastBound
    let wanted = open.elements.prefix { $0.bound >= least }.count
    var kept = min(wanted, nodeLimit / 2)
    var isNeeded = ancestry(ofFirst: kept)
    while kept > 1, isNeeded.count(where: { $0 }) > nodeLimit / 2 {
      kept /= 2
      isNeeded = ancestry(ofFirst: kept)
    }
    if kept < wanted { lost = max(lost, open.elements[kept].bound) }
    open.elements.removeLast(open.elements.count - kept)
    renumber(isNeeded)
  }

  /// Which nodes are among the first open ones or their ancestors.  (nodes)
  private func ancestry(ofFirst count: Int) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for entry in open.elements.prefix(count) {
      var number = entry.number
      while number >= 0, !isNeeded[Int(number)] {
        isNeeded[Int(number)] = true
        number = nodes[Int(number)].parent
      }
    }
    return isNeeded
  }

  /// Closes the gaps between nodes; their order, which decides between equals, stays.
  private mutating func renumber(_ isNeeded: [Bool]) {
    var numbers = [Int32](repeating: -1, count: nodes.count)
    var count = 0
    for number in nodes.indices where isNeeded[number] {
      numbers[number] = Int32(count)
      // A parent's number is lower than its child's, so it is known by now.
      var node = nodes[number]
      if node.parent >= 0 { node.parent = numbers[Int(node.parent)] }
      nodes[count] = node
      count += 1
    }
    nodes.removeLast(nodes.count - count)
    for place in open.elements.indices {
      open.elements[place].number = numbers[Int(open.elements[place].number)]
    }
  }

  // MARK: Expanding a prefix

  private mutating func expand(_ number: Int) {
    let node = nodes[number]
    let count = language.automaton.vocabularyCount
    // What each character is worth with all that may follow it; 0 if it is not possible.
    var weights: [Double]
    let probabilities: [Double]
    if let space {
      weights = Array(repeating: 0, count: count)
      _ = space.weigh(node.position, into: &weights)
      probabilities = (0..<count).map { space.probability(node.position, $0) }
    } else {
      let text = text(of: number)
      probabilities = scorer.distribution(after: text)
      weights = probabilities
      let state = Int(node.position.state)
      if !language.mayEnd(state, length: text.count) || forbidden.contains(text) { weights[0] = 0 }
      for id in 1..<count
      where !language.canContinue(language.automaton.next(state, id), length: text.count + 1) {
        weights[id] = 0
      }
    }
    for id in 0..<count where weights[id] > 0 {
      add(
        Node(
          parent: Int32(number), id: Int32(id), position: position(after: node.position, id),
          logProbability: node.logProbability + .log(probabilities[id])),
        bound: node.logProbability + .log(weights[id]))
    }
  }

  private func position(after position: WordSpace.Position, _ id: Int) -> WordSpace.Position {
    guard id != Vocabulary.terminator else { return position }
    if let space { return space.advance(position, id) }
    var next = position
    next.state = Int32(language.automaton.next(Int(position.state), id))
    return next
  }
}

extension WordSpace {
  /// The bytes of its tables.
  fileprivate var byteCount: Int {
    8 * (chain.probabilities.count + completion.layers.reduce(0) { $0 + $1.count })
      + 4 * chain.successors.count
  }
}

// MARK: - Queues

/// A node's number and bound: the best first, and of equals the lower number.
private struct OpenNode: Comparable {
  let bound: Double
  var number: Int32

  static func < (a: Self, b: Self) -> Bool { (a.bound, b.number) > (b.bound, a.number) }
}

/// A binary heap, the least element first.
private struct Heap<Element: Comparable> {
  var elements: [Element] = []

  mutating func add(_ element: Element) {
    elements.append(element)
    var place = elements.count - 1
    while place > 0, elements[place] < elements[(place - 1) / 2] {
      elements.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func removeFirst() -> Element? {
    guard !elements.isEmpty else { return nil }
    elements.swapAt(0, elements.count - 1)
    let first = elements.removeLast()
    sink()
    return first
  }

  mutating func replaceFirst(with element: Element) {
    elements[0] = element
    sink()
  }

  /// Moves the first element down to its place.
  private mutating func sink() {
    var place = 0
    while true {
      var first = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < elements.count && elements[child] < elements[first] {
        first = child
      }
      if first == place { return }
      elements.swapAt(place, first)
      place = first
    }
  }
}
