// Contexts as numbers, and a table from them to small ones.
//
// A context is a number in the vocabulary's count as its base, the newest character last. The table is
// open addressing on a multiplied key: what the standard library's dictionary costs is most of a draw.

/// The arithmetic of contexts as numbers.
struct ContextKeys: Sendable {
  let vocabularyCount: Int
  let blockSize: Int
  /// vocabulary^(block − 1), what the oldest character counts for.
  private let highest: UInt64

  /// Nil if the contexts do not fit into 63 bits.
  init?(_ shape: ModelShape) {
    var count: UInt64 = 1
    for _ in 0..<shape.blockSize {
      let (product, overflow) = count.multipliedReportingOverflow(by: UInt64(shape.vocabulary))
      guard !overflow, product < 1 << 63 else { return nil }
      count = product
    }
    vocabularyCount = shape.vocabulary
    blockSize = shape.blockSize
    highest = count / UInt64(shape.vocabulary)
  }

  /// The context after one more character.
  @inline(__always)
  func next(_ key: UInt64, _ id: Int) -> UInt64 {
    (key % highest) * UInt64(vocabularyCount) + UInt64(id)
  }

  /// Writes a context's ids, the oldest first, into a row.
  func write(_ key: UInt64, to contexts: inout [Int32], row: Int) {
    var rest = key
    for position in stride(from: blockSize - 1, through: 0, by: -1) {
      let (quotient, id) = rest.quotientAndRemainder(dividingBy: UInt64(vocabularyCount))
      contexts[row * blockSize + position] = Int32(id)
      rest = quotient
    }
  }
}

/// Numbers 0, 1, 2 … for keys in the order in which they are added.
struct KeyTable: Sendable {
  /// The keys by their numbers.
  private(set) var keys: [UInt64] = []
  private var slots: [Int32]
  private var shift: UInt64

  init() {
    slots = Array(repeating: -1, count: 1024)
    shift = 64 - 10
  }

  /// The number of a key, or nil.
  func number(of key: UInt64) -> Int? {
    let found = slots[slot(of: key)]
    return found < 0 ? nil : Int(found)
  }

  /// Adds a key that is not there, and gives its number.
  mutating func add(_ key: UInt64) -> Int {
    if 2 * keys.count >= slots.count { grow() }
    let place = slot(of: key)
    slots[place] = Int32(keys.count)
    keys.append(key)
    return keys.count - 1
  }

  /// Where a key is, or would be.
  private func slot(of key: UInt64) -> Int {
    // 2⁶⁴ divided by the golden ratio (Knuth, volume 3, section 6.4).
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while slots[slot] >= 0, keys[Int(slots[slot])] != key {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: 2 * slots.count)
    shift -= 1
    for (number, key) in keys.enumerated() { slots[slot(of: key)] = Int32(number) }
  }
}
