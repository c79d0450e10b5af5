// A network with a finite context is a Markov chain. This is as much of the chain as has been
// visited: contexts, the distribution of the next character after each, and the context that each
// character leads to.
//
// A context gets a number when it is met, and its distribution when a batch of new contexts is
// evaluated. Successors are kept by number, so that a walk through known contexts needs neither the
// network nor a hash table. Memory is bounded: beyond `limit` contexts nothing more is kept.

/// The visited contexts of a chain, with the distributions of the next character.
struct ContextGraph {
  let network: NextCharacterNetwork
  let options: ChainOptions
  let keys: ContextKeys
  let vocabularyCount: Int
  /// The most contexts kept.
  let limit: Int

  /// The characters after each context; the end of a word comes last.  (contexts, vocabulary)
  private(set) var steps: [Step] = []
  /// Where to begin the search in each context's running sums.  (contexts, guide.width)
  private(set) var guides: [UInt64] = []
  /// How guides are laid out.
  let guide: Guide

  /// A character after a context: all that a draw needs, in one or two cache lines.
  struct Step: Sendable {
    /// The running sum of the probabilities of the ids 1, 2, … up to this one, then the end. So the
    /// total without the end is a sum, not a difference.
    var sum: Double
    var probability: Double
    /// The context after it, −1 where not known yet.
    var successor: Int32 = -1
  }

  /// Each context as a number (see ContextKeys).
  private var contexts: [UInt64] = []
  private var table = HashTable()
  private var evaluatedCount = 0
  private var batch: [Int32]
  private var context: [Int32]
  private var distribution: [Double]

  /// Nil if contexts do not fit into 63 bits.
  init?(_ network: NextCharacterNetwork, _ options: ChainOptions, limit: Int) {
    guard
      let keys = ContextKeys(
        vocabulary: network.shape.vocabulary, length: network.contextLength,
        canForget: network.contextLength > network.shape.blockSize)
    else { return nil }
    self.network = network
    self.options = options
    self.keys = keys
    self.limit = limit
    vocabularyCount = network.shape.vocabulary
    guide = Guide(vocabulary: network.shape.vocabulary)
    batch = Array(
      repeating: 0, count: network.batchRows * network.contextLength)
    context = Array(repeating: 0, count: network.contextLength)
    distribution = Array(repeating: 0, count: vocabularyCount)
  }

  /// The number of contexts.
  var count: Int { contexts.count }

  /// The bytes of a context: a step for each character, its guide and its key.
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
    number(of: ids.reduce(0) { [keys] in keys.next($0, Int($1)) })
  }

  /// The number of the context after one more character, if it is known or there is room.
  @inline(__always)
  mutating func successor(of context: Int, _ id: Int) -> Int? {
    let known = step(context, id).successor
    return known >= 0 ? Int(known) : newSuccessor(of: context, id)
  }

  private mutating func newSuccessor(of context: Int, _ id: Int) -> Int? {
    let number = number(of: keys.next(contexts[context], id))
    if let number { steps[context * vocabularyCount + place(id)].successor = Int32(number) }
    return number
  }

  /// The number of a context, or of one that differs only in characters that do not matter.
  private mutating func number(of key: UInt64) -> Int? {
    let key = keys.canForget ? significant(key) : key
    let hash = WordHash.mixed(key)
    if let number = table.index(forHash: hash, where: { contexts[$0] == key }) { return number }
    guard count < limit else { return nil }
    let number = table.add(hash) { [contexts] in WordHash.mixed(contexts[$0]) }
    contexts.append(key)
    return number
  }

  /// A context without the characters that the next one does not depend on. Later ones do not
  /// either: an n-gram that never occurred with a character before it does not when it is longer.
  private mutating func significant(_ key: UInt64) -> UInt64 {
    keys.write(key, to: &context, row: 0)
    return keys.keeping(network.significantLength(of: context), of: key)
  }

  /// Evaluates all contexts that have no distribution yet.
  mutating func evaluate() {
    while evaluatedCount < count {
      let end = min(evaluatedCount + network.batchRows, count)
      for (row, context) in (evaluatedCount..<end).enumerated() {
        keys.write(contexts[context], to: &batch, row: row)
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

  /// Evaluates every context that can be reached; false if there is no room for them.
  ///
  /// - Parameter isAllowed: Whether each character may be used.  (vocabulary)
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

// MARK: - Drawing a character

// A uniform number picks the first character whose running sum exceeds that share of the total. A
// guide says for each of a few equal intervals of [0, 1) where the running sums enter it, so that
// a search begins where it nearly always ends (Chen and Asau, "On generating random variates from
// an empirical distribution", 1974). A row's totals and its guide share a cache line, so a draw
// reads two or three lines, where bisection reads six.

extension ContextGraph {
  /// The layout of a context's guide: the totals with and without the end, then a byte for each
  /// interval, eight to a number.
  struct Guide: Sendable {
    /// Intervals, a power of two and at least as many as characters.
    let intervals: Int
    /// Numbers per context.
    let width: Int

    init(vocabulary: Int) {
      var intervals = 8
      while intervals < vocabulary { intervals *= 2 }
      self.intervals = intervals
      width = 2 + intervals / 8
    }

    /// Appends the guide of a row of steps.
    func append(of row: [Step], to guides: inout [UInt64]) {
      guides.append(row[row.count - 1].sum.bitPattern)
      guides.append(row[max(0, row.count - 2)].sum.bitPattern)
      var place = 0
      for first in stride(from: 0, to: intervals, by: 8) {
        var packed: UInt64 = 0
        for interval in first..<first + 8 {
          let beginning = Double(interval) / Double(intervals)
          while place < row.count - 1, row[place].sum <= beginning { place += 1 }
          // Starting too early is slower, but right.
          packed |= UInt64(min(place, 255)) << UInt64(8 * (interval - first))
        }
        guides.append(packed)
      }
    }
  }

  /// The id drawn by a uniform number after a context.
  ///
  /// - Parameter isEndless: Leaves out the end of the word; −1 if nothing else is possible.
  @inline(__always)
  func find(_ share: Double, after context: Int, _ isEndless: Bool) -> Int {
    let header = context * guide.width
    let total = Double(bitPattern: guides[isEndless ? header + 1 : header])
    guard total > 0 else { return -1 }
    let threshold = Self.threshold(share, total)
    let interval = min(Int(threshold * Double(guide.intervals)), guide.intervals - 1)
    let packed = guides[header + 2 + (interval >> 3)]
    let first = context * vocabularyCount
    var place = first + Int((packed >> UInt64(8 * (interval & 7))) & 0xFF)
    while threshold >= steps[place].sum { place += 1 }
    return Self.id(place - first, of: vocabularyCount)
  }

  /// The same for a row without a guide.
  static func find(_ share: Double, in row: [Step], _ isEndless: Bool) -> Int {
    let total = row[row.count - (isEndless ? 2 : 1)].sum
    guard total > 0 else { return -1 }
    let threshold = threshold(share, total)
    let place = row.firstIndex { threshold < $0.sum } ?? row.count - 1
    return id(place, of: row.count)
  }

  /// The steps of a distribution, in the order of the ids 1, 2, …, 0.
  static func steps(of distribution: [Double]) -> [Step] {
    var steps: [Step] = []
    steps.reserveCapacity(distribution.count)
    var sum = 0.0
    for id in 1..<distribution.count {
      sum += distribution[id]
      steps.append(Step(sum: sum, probability: distribution[id]))
    }
    steps.append(Step(sum: sum + distribution[0], probability: distribution[0]))
    return steps
  }

  /// A share just below 1 may be rounded up to the total, which no sum exceeds.
  @inline(__always)
  private static func threshold(_ share: Double, _ total: Double) -> Double {
    min(share * total, total.nextDown)
  }

  @inline(__always)
  private static func id(_ place: Int, of count: Int) -> Int { place == count - 1 ? 0 : place + 1 }
}

// MARK: - Contexts as numbers

/// Contexts as numbers in the base of the vocabulary, the newest character last.
///
/// Where characters may be forgotten there is one digit more, which stands for a forgotten one.
struct ContextKeys: Sendable {
  let length: Int
  /// Whether some contexts are kept without their oldest characters.
  let canForget: Bool
  private let base: UInt64
  /// base^(length − 1), what the oldest character counts for.
  private let highest: UInt64

  /// Nil if the contexts do not fit into 63 bits.
  init?(vocabulary: Int, length: Int, canForget: Bool = false) {
    base = UInt64(vocabulary) + (canForget ? 1 : 0)
    var count: UInt64 = 1
    for _ in 0..<length {
      let (product, overflow) = count.multipliedReportingOverflow(by: base)
      guard !overflow, product < 1 << 63 else { return nil }
      count = product
    }
    (self.length, self.canForget) = (length, canForget)
    highest = count / base
  }

  /// The context with all but its last characters forgotten.
  func keeping(_ count: Int, of key: UInt64) -> UInt64 {
    guard count < length else { return key }
    var power: UInt64 = 1
    for _ in 0..<count { power *= base }
    var forgotten: UInt64 = 0
    for _ in count..<length { forgotten = forgotten * base + (base - 1) }
    return forgotten * power + key % power
  }

  /// The context after one more character.
  @inline(__always)
  func next(_ key: UInt64, _ id: Int) -> UInt64 {
    (key % highest) * base + UInt64(id)
  }

  /// Writes a context's ids, the oldest first, into a row.
  func write(_ key: UInt64, to contexts: inout [Int32], row: Int) {
    var rest = key
    for position in stride(from: length - 1, through: 0, by: -1) {
      let (quotient, id) = rest.quotientAndRemainder(dividingBy: base)
      contexts[row * length + position] = Int32(id)
      rest = quotient
    }
  }
}
