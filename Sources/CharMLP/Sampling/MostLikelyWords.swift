// The most probable words, in order, by best-first search.
//
// No word is more probable than all words with the same beginning together: R of the word space,
// where that is known, otherwise the probability of the beginning itself. The beginning with the
// highest bound is expanded next, so finished words come up from the most probable one on. Nothing
// is drawn and nothing pruned; memory grows with the expanded beginnings.

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

  /// A beginning of words, or a finished word if its character is the terminator.
  struct Node {
    let parent: Int
    let id: Int32
    let position: WordSpace.Position
    let logProbability: Double
  }

  /// Prepares to search; the request's seed and `isUnique` do not matter.
  ///
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  public init(_ model: Model, _ request: Sampler.Request) throws(ConstraintError) {
    try self.init(model, request, stateLimit: WordSpace.stateLimit)
  }

  init(_ model: Model, _ request: Sampler.Request, stateLimit: Int) throws(ConstraintError) {
    language = try WordLanguage(request.constraints, model.vocabulary)
    let network = NextCharacterNetwork(model)
    scorer = WordScorer(network, request.chain)
    space = WordSpace(network, request.chain, language, request.forbidden, stateLimit: stateLimit)
    forbidden = request.forbidden
    budget = request.budget
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
    guard expandedCount < budget else { throw .budgetSpent(characters: budget) }
    guard let number = open.removeBest() else { throw .exhausted }
    let node = nodes[number]
    guard node.id == Vocabulary.terminator else {
      expandedCount += 1
      expand(number)
      return false
    }
    expandedCount = 0
    word.ids = text(of: node.parent)
    word.logProbability = node.logProbability
    return true
  }

  mutating func add(_ node: Node, bound: Double) {
    guard bound > -.infinity else { return }
    open.add(nodes.count, bound)
    nodes.append(node)
  }

  /// The ids of a beginning.
  func text(of number: Int) -> [Int32] {
    var ids: [Int32] = []
    var node = nodes[number]
    while node.parent >= 0 {
      ids.append(node.id)
      node = nodes[node.parent]
    }
    return language.prefix + ids.reversed()
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
          parent: number, id: Int32(id), position: next,
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
        Node(parent: number, id: Int32(id), position: position, logProbability: logProbability),
        bound: logProbability)
    }
  }
}

/// Numbers by their bounds, the highest first and of equals the lower number: a binary heap.
struct BestFirstQueue {
  private var heap: [(bound: Double, number: Int)] = []

  mutating func add(_ number: Int, _ bound: Double) {
    heap.append((bound, number))
    var place = heap.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func removeBest() -> Int? {
    guard let best = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var place = 0
    while true {
      var first = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, first)
      {
        first = child
      }
      if first == place { return best.number }
      heap.swapAt(place, first)
      place = first
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (heap[left].bound, heap[right].number) > (heap[right].bound, heap[left].number)
  }
}
