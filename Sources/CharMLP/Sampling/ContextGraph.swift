// The Markov chain that a network with a finite context is: contexts, and what follows each how often.
//
// A context has a number once it is met, and its distribution once a batch of such contexts is evaluated.
// What a context leads to is remembered by number, so that a walk on known ground needs neither the
// network nor a table. Memory is bounded: beyond `limit` contexts nothing more is kept. How a character is
// drawn stands in ContextGraph+Drawing.

/// Contexts of a chain with the distributions of the next character.
struct ContextGraph {
  let network: NextCharacterNetwork
  let options: ChainOptions
  let keys: ContextKeys
  let vocabularyCount: Int
  /// The most contexts that are kept.
  let limit: Int

  /// What each character is drawn by, and where it leads; the end of a word comes last.
  /// (contexts, vocabulary)
  private(set) var steps: [Step] = []
  /// Where to look for a share of each context's running sums.  (contexts, guide.width)
  private(set) var guides: [UInt64] = []
  /// How guides are laid out.
  let guide: Guide

  /// A character after a context. All that a draw needs of it is in one or two cache lines.
  struct Step: Sendable {
    /// The running sum of the probabilities of the ids 1, 2, … up to this one, or of all for the end: what
    /// is left without the end is a sum and no difference.
    var sum: Double
    var probability: Double
    /// The context after it, −1 where it is not known yet.
    var successor: Int32 = -1
  }

  private var table = KeyTable()
  private var evaluatedCount = 0
  private var batch: [Int32]
  private var distribution: [Double]

  /// Nil if contexts do not fit into 63 bits.
  init?(_ network: NextCharacterNetwork, _ options: ChainOptions, limit: Int) {
    guard let keys = ContextKeys(network.shape) else { return nil }
    self.network = network
    self.options = options
    self.keys = keys
    self.limit = limit
    vocabularyCount = network.shape.vocabulary
    guide = Guide(vocabulary: network.shape.vocabulary)
    batch = Array(
      repeating: 0, count: network.batchRows * network.shape.blockSize)
    distribution = Array(repeating: 0, count: vocabularyCount)
  }

  /// The number of contexts.
  var count: Int { table.keys.count }

  /// The bytes that a context takes: a step for each character, its guide and its key.
  static func bytesPerContext(vocabulary: Int) -> Int {
    vocabulary * MemoryLayout<Step>.stride + Guide(vocabulary: vocabulary).width * 8 + 24
  }

  /// The place of a character's step in a context's row: the end comes last.
  @inline(__always)
  func place(_ id: Int) -> Int { id == 0 ? vocabularyCount - 1 : id - 1 }

  /// The step of a character after a context.
  @inline(__always)
  func step(_ context: Int, _ id: Int) -> Step { steps[context * vocabularyCount + place(id)] }

  /// The number of the context that ids lead to from the start of a word, if there is room.
  mutating func number(after ids: ArraySlice<Int32>) -> Int? {
    var key: UInt64 = 0
    for id in ids { key = keys.next(key, Int(id)) }
    return number(of: key)
  }

  /// The number of the context after one more character, if it is known or there is room.
  @inline(__always)
  mutating func successor(of context: Int, _ id: Int) -> Int? {
    let known = step(context, id).successor
    return known >= 0 ? Int(known) : newSuccessor(of: context, id)
  }

  private mutating func newSuccessor(of context: Int, _ id: Int) -> Int? {
    let number = number(of: keys.next(table.keys[context], id))
    if let number { steps[context * vocabularyCount + place(id)].successor = Int32(number) }
    return number
  }

  private mutating func number(of key: UInt64) -> Int? {
    if let number = table.number(of: key) { return number }
    guard count < limit else { return nil }
    return table.add(key)
  }

  /// Evaluates all contexts that have a number and no distribution.
  mutating func evaluate() {
    while evaluatedCount < count {
      let end = min(evaluatedCount + network.batchRows, count)
      for (row, context) in (evaluatedCount..<end).enumerated() {
        keys.write(table.keys[context], to: &batch, row: row)
      }
      network.evaluate(batch, count: end - evaluatedCount)
      for row in 0..<end - evaluatedCount {
        network.distribution(row, options, into: &distribution)
        let row = Self.steps(of: distribution)
        steps.append(contentsOf: row)
        guide.append(of: row, to: &guides)
      }
      evaluatedCount = end
    }
  }

  /// Evaluates every context that the numbered ones lead to; false if there is no room for them.
  ///
  /// - Parameter isAllowed: Whether a character may be used, by id.
  mutating func explore(_ isAllowed: [Bool]) -> Bool {
    var explored = 0
    while explored < count {
      evaluate()
      for context in explored..<evaluatedCount {
        for id in 1..<vocabularyCount
        where isAllowed[id] && step(context, id).probability > 0 {
          guard newSuccessor(of: context, id) != nil else { return false }
        }
        explored += 1
      }
    }
    return true
  }
}
