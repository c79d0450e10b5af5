// The most probable words, in order, by best-first search.
//
// No word is more probable than all words with the same beginning together: R of the word space,
// where that is known, otherwise the probability of the beginning itself. The beginning with the
// highest bound is expanded next, so finished words come up from the most probable one on. Nothing is
// drawn. A beginning that is worth less than as many finished words as are wanted is dropped: none of
// its words is among them.
//
// Memory has a bound, which is the same on every machine, so that no result depends on how much there is.
// Where it is reached, the half that is worth most is kept. The search is exact as long as it has not come
// down to what the other half was worth, and ends there.

import RealModule

/// Words in the order of their probability, from the most probable one on.
public struct MostLikelyWords: WordSource {
  let language: WordLanguage
  let scorer: WordScorer
  let space: WordSpace?
  let forbidden: ForbiddenWords
  private let budget: Int
  /// Beginnings expanded since the last word.
  private var expandedCount = 0
  private(set) var nodes: [Node] = []
  /// Nodes with their bounds, the best first.
  private var open = BestFirstQueue()
  /// The finished words, as far as they are among those that are wanted.
  private var finished: HighestNumbers
  /// The most nodes.
  private let nodeLimit: Int
  /// The nodes that there is memory for; more end the search.
  private let memoryNodes: Int
  private let memoryLimit: Int
  /// What the best beginning was worth for which there was no room.
  private var lost = -Double.infinity

  /// The most bytes for the search, the exact distributions that it may go by included.
  public static let byteLimit = 512 << 20
  /// A node and its bound in arrays that have grown by half again, a new number for each node, and half
  /// of the bounds once more, as sorting takes them.
  private static let bytesPerNode =
    (MemoryLayout<Node>.stride + MemoryLayout<BestFirstQueue.Entry>.stride) * 3 / 2 + 12

  /// A beginning of words, or a finished word if its character is the terminator.
  struct Node {
    var parent: Int32
    let id: Int32
    let position: WordSpace.Position
    let logProbability: Double
  }

  /// Prepares to search; the request's seed and `isUnique` do not matter.
  ///
  /// - Parameters:
  ///   - count: How many words are wanted; there may be none after them.
  ///   - memoryLimit: The bytes that there are. Below `byteLimit` the search may end earlier than elsewhere; the words
  ///     that it finds are the same.
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
    language = try WordLanguage(request.constraints, predictor.model.vocabulary)
    let network = NextCharacterNetwork(predictor)
    scorer = WordScorer(network, request.chain)
    space = WordSpace(network, request.chain, language, request.forbidden, stateLimit: stateLimit)
    forbidden = request.forbidden
    budget = request.shortBudget(vocabulary: predictor.model.shape.vocabulary)
    finished = HighestNumbers(count)
    // Room for one more expansion than fits into a quarter of it, whatever the vocabulary.
    let room = (Self.byteLimit - (space?.byteCount ?? 0)) / Self.bytesPerNode
    self.memoryLimit = min(memoryLimit, Self.byteLimit)
    memoryNodes =
      memoryLimit < Self.byteLimit
      ? max(0, (memoryLimit - (space?.byteCount ?? 0)) / Self.bytesPerNode) : .max
    self.nodeLimit = max(nodeLimit ?? room, 4 * predictor.model.shape.vocabulary)
    let start =
      space?.start
      ?? WordSpace.Position(
        context: 0, state: Int32(language.startState), length: Int32(language.prefix.count), node: 0
      )
    let logProbability = scorer.logProbability(ofPrefix: language.prefix)
    let bound = space.map { $0.mass(start) } ?? 1
    add(
      Node(parent: -1, id: -1, position: start, logProbability: logProbability),
      bound: logProbability + .log(bound))
  }

  /// Expands the most promising beginning, or finds that it is a finished word.
  ///
  /// - Throws: `SamplingError` if there is none, or the budget is spent.
  public mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard expandedCount < budget else { throw .searchTooLong(beginnings: budget) }
    // A bound that is no number, of a model whose probabilities are none, is dropped as well.
    while let best = open.best, !(best.bound >= finished.least) { _ = open.removeBest() }
    guard let best = open.best, best.bound > lost else {
      throw lost > -.infinity ? .searchTooLarge(bytes: Self.byteLimit) : .exhausted
    }
    guard nodes[Int(best.number)].id == Vocabulary.terminator else {
      expandedCount += 1
      guard nodes.count + language.automaton.vocabularyCount <= memoryNodes else {
        throw .searchTooLarge(bytes: memoryLimit)
      }
      if nodes.count + language.automaton.vocabularyCount > nodeLimit { makeRoom() }
      // It may have another number now.
      if let number = open.removeBest() { expand(number) }
      return false
    }
    _ = open.removeBest()
    expandedCount = 0
    let node = nodes[Int(best.number)]
    word.ids = text(of: Int(node.parent))
    word.logProbability = node.logProbability
    return true
  }

  mutating func add(_ node: Node, bound: Double) {
    guard bound > -.infinity, bound >= finished.least else { return }
    if node.id == Vocabulary.terminator { finished.add(bound) }
    if nodes.count == nodes.capacity {
      nodes.reserveCapacity(min(max(64, 2 * nodes.count), nodeLimit + 1))
      open.reserveCapacity(min(max(64, 2 * nodes.count), nodeLimit + 1))
    }
    open.add(nodes.count, bound)
    nodes.append(node)
  }

  /// The ids of a beginning.
  func text(of number: Int) -> [Int32] {
    var ids: [Int32] = []
    var node = nodes[number]
    while node.parent >= 0 {
      ids.append(node.id)
      node = nodes[Int(node.parent)]
    }
    return language.prefix + ids.reversed()
  }
}

// MARK: - Making room

extension MostLikelyWords {
  /// Forgets the beginnings that are not wanted and, of the others, those that are worth least, until the
  /// rest and all that it begins with has half of the room or less.
  private mutating func makeRoom() {
    open.sort()
    open.keepFirst(open.count { [finished] in $0.bound >= finished.least })
    var kept = min(open.entries.count, nodeLimit / 2)
    var isNeeded = ancestry(ofFirst: kept)
    while kept > 1, isNeeded.count(where: { $0 }) > nodeLimit / 2 {
      kept /= 2
      isNeeded = ancestry(ofFirst: kept)
    }
    if kept < open.entries.count { lost = max(lost, open.entries[kept].bound) }
    open.keepFirst(kept)
    renumber(isNeeded)
  }

  /// Which nodes the first open ones are, and which they come from.  (nodes)
  private func ancestry(ofFirst count: Int) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for entry in open.entries.prefix(count) {
      var number = entry.number
      while number >= 0, !isNeeded[Int(number)] {
        isNeeded[Int(number)] = true
        number = nodes[Int(number)].parent
      }
    }
    return isNeeded
  }

  /// Moves the nodes together; their order, which decides between equals, stays.
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
    open.renumber { numbers[Int($0)] }
  }
}

extension WordSpace {
  /// The bytes of its tables.
  fileprivate var byteCount: Int {
    8 * (chain.probabilities.count + completion.layers.reduce(0) { $0 + $1.count })
      + 4 * chain.successors.count
  }
}

// MARK: - Expanding a beginning by each character that may follow

extension MostLikelyWords {
  mutating func expand(_ number: Int) {
    if let space { expand(number, space) } else { expandWithoutSpace(number) }
  }

  private mutating func expand(_ number: Int, _ space: WordSpace) {
    let node = nodes[number]
    var weights = [Double](repeating: 0, count: space.vocabularyCount)
    _ = space.weigh(node.position, into: &weights)
    for id in weights.indices where weights[id] > 0 {
      let next = id == 0 ? node.position : space.advance(node.position, id)
      add(
        Node(
          parent: Int32(number), id: Int32(id), position: next,
          logProbability: node.logProbability + .log(space.probability(node.position, id))),
        bound: node.logProbability + .log(weights[id]))
    }
  }

  private mutating func expandWithoutSpace(_ number: Int) {
    let node = nodes[number]
    let text = text(of: number)
    let (state, length) = (Int(node.position.state), text.count)
    for (id, probability) in scorer.distribution(after: text).enumerated() {
      var position = node.position
      if id == 0 {
        guard language.mayEnd(state, length: length), !forbidden.contains(text) else { continue }
      } else {
        position.state = Int32(language.automaton.next(state, id))
        guard language.mayGoOn(Int(position.state), length: length + 1) else { continue }
      }
      let logProbability = node.logProbability + .log(probability)
      add(
        Node(
          parent: Int32(number), id: Int32(id), position: position, logProbability: logProbability),
        bound: logProbability)
    }
  }
}

/// Numbers by their bounds, the highest first and of equals the lower number: a binary heap.
struct BestFirstQueue {
  struct Entry {
    let bound: Double
    var number: Int32

    /// Whether it comes first of two.
    func isBefore(_ other: Entry) -> Bool { (bound, other.number) > (other.bound, number) }
  }

  private(set) var entries: [Entry] = []

  var best: Entry? { entries.first }

  mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

  mutating func add(_ number: Int, _ bound: Double) {
    entries.append(Entry(bound: bound, number: Int32(number)))
    var place = entries.count - 1
    while place > 0, entries[place].isBefore(entries[(place - 1) / 2]) {
      entries.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func removeBest() -> Int? {
    guard let best = entries.first else { return nil }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var place = 0
    while true {
      var first = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < entries.count && entries[child].isBefore(entries[first]) {
        first = child
      }
      if first == place { return Int(best.number) }
      entries.swapAt(place, first)
      place = first
    }
  }
}

// MARK: A queue in order is a heap as well

extension BestFirstQueue {
  /// Puts all into their order.
  mutating func sort() { entries.sort { $0.isBefore($1) } }

  /// How many have a property that the first have, once all are in order.
  func count(where isRight: (Entry) -> Bool) -> Int { entries.prefix(while: isRight).count }

  /// Drops all but the first.
  mutating func keepFirst(_ count: Int) { entries.removeLast(entries.count - count) }

  /// Gives other numbers, in the same order.
  mutating func renumber(_ number: (Int32) -> Int32) {
    for place in entries.indices { entries[place].number = number(entries[place].number) }
  }
}

/// The highest of some numbers, as many as are wanted: a binary heap, the least at its root.
private struct HighestNumbers {
  private let limit: Int
  private var heap: [Double] = []

  init(_ limit: Int) { self.limit = limit }

  /// The least of as many numbers as are wanted; −∞ as long as there are fewer.
  var least: Double { heap.count < limit ? -.infinity : heap.first ?? .infinity }

  mutating func add(_ number: Double) {
    // Where every number is wanted, none ever keeps another out.
    guard limit < .max else { return }
    if heap.count < limit {
      heap.append(number)
      var place = heap.count - 1
      while place > 0, heap[place] < heap[(place - 1) / 2] {
        heap.swapAt(place, (place - 1) / 2)
        place = (place - 1) / 2
      }
    } else if let first = heap.first, number > first {
      heap[0] = number
      sink()
    }
  }

  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
