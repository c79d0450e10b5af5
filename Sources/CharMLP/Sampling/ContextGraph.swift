// The Markov chain that a network with a finite context is: contexts, and what follows each how often.
//
// A context has a number once it is met, and its distribution once a batch of such contexts is evaluated.
// What a context leads to is remembered by number, so that a walk on known ground needs neither the
// network nor a table. Memory is bounded: beyond `limit` contexts nothing more is kept.

/// Contexts of a chain with the distributions of the next character.
struct ContextGraph {
  let network: NextCharacterNetwork
  let options: ChainOptions
  let keys: ContextKeys
  let vocabularyCount: Int
  /// The most contexts that are kept.
  let limit: Int

  /// The probability of each character, by context and id.  (contexts, vocabulary)
  private(set) var probabilities: [Double] = []
  /// Running sums over ids 1, 2, …, 0: the end of a word comes last, so that what is left without it
  /// is a sum and no difference.  (contexts, vocabulary)
  private(set) var sums: [Double] = []
  /// The context after each character, −1 where it is not known yet.  (contexts, vocabulary)
  private(set) var successors: [Int32] = []

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
    batch = Array(
      repeating: 0, count: NextCharacterNetwork.batchRows * network.shape.blockSize)
    distribution = Array(repeating: 0, count: vocabularyCount)
  }

  /// The number of contexts.
  var count: Int { table.keys.count }

  /// The bytes that a context takes: two Doubles and a number for each character, and its key.
  static func bytesPerContext(vocabulary: Int) -> Int { vocabulary * 20 + 24 }

  /// The number of the context that ids lead to from the start of a word, if there is room.
  mutating func number(after ids: ArraySlice<Int32>) -> Int? {
    var key: UInt64 = 0
    for id in ids { key = keys.next(key, Int(id)) }
    return number(of: key)
  }

  /// The number of the context after one more character, if it is known or there is room.
  @inline(__always)
  mutating func successor(of context: Int, _ id: Int) -> Int? {
    let known = successors[context * vocabularyCount + id]
    return known >= 0 ? Int(known) : newSuccessor(of: context, id)
  }

  private mutating func newSuccessor(of context: Int, _ id: Int) -> Int? {
    let number = number(of: keys.next(table.keys[context], id))
    if let number { successors[context * vocabularyCount + id] = Int32(number) }
    return number
  }

  private mutating func number(of key: UInt64) -> Int? {
    if let number = table.number(of: key) { return number }
    guard count < limit else { return nil }
    successors.append(contentsOf: repeatElement(-1, count: vocabularyCount))
    return table.add(key)
  }

  /// Evaluates all contexts that have a number and no distribution.
  mutating func evaluate() {
    while evaluatedCount < count {
      let end = min(evaluatedCount + NextCharacterNetwork.batchRows, count)
      for (row, context) in (evaluatedCount..<end).enumerated() {
        keys.write(table.keys[context], to: &batch, row: row)
      }
      network.evaluate(batch, count: end - evaluatedCount)
      for row in 0..<end - evaluatedCount {
        network.distribution(row, options, into: &distribution)
        probabilities.append(contentsOf: distribution)
        Self.appendSums(of: distribution, to: &sums)
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
        where isAllowed[id] && probabilities[context * vocabularyCount + id] > 0 {
          guard newSuccessor(of: context, id) != nil else { return false }
        }
        explored += 1
      }
    }
    return true
  }
}

// MARK: Drawing

extension ContextGraph {
  /// Appends the running sums of a distribution over ids 1, 2, …, 0.
  @inline(__always)
  static func appendSums(of distribution: [Double], to sums: inout [Double]) {
    var sum = 0.0
    for id in 1..<distribution.count {
      sum += distribution[id]
      sums.append(sum)
    }
    sums.append(sum + distribution[0])
  }

  /// The id whose stretch of the running sums a share of their total falls into, by bisection.
  ///
  /// - Parameter isEndless: Leaves the end of the word out; −1 if nothing else is possible.
  @inline(__always)
  static func find(
    _ share: Double, in sums: [Double], _ row: Range<Int>, _ isEndless: Bool
  ) -> Int {
    let end = isEndless ? row.upperBound - 1 : row.upperBound
    let total = sums[end - 1]
    guard total > 0 else { return -1 }
    // A share just below 1 may be rounded up to the total.
    let threshold = min(share * total, total.nextDown)
    var (low, high) = (row.lowerBound, end - 1)
    while low < high {
      let middle = (low + high) >> 1
      if threshold < sums[middle] { high = middle } else { low = middle + 1 }
    }
    let id = low - row.lowerBound + 1
    return id == row.count ? 0 : id
  }
}
