// A hash table that numbers things 0, 1, 2, … in the order in which they are added: open addressing
// with linear probing, at most half full.
//
// The things themselves stay with the caller, who hashes and compares them, so that contexts and
// words need not be copied; the standard library's dictionary costs several times as much. What a
// table answers never depends on the hashes.

/// Numbers by hash.
struct HashTable: Sendable {
  /// Numbers, or −1 where a slot is free; the count is a power of two.
  private var slots: [Int32]
  private var count = 0

  /// - Parameter capacity: How many things can be added before the table grows.
  init(capacity: Int = 512) {
    var slotCount = 2
    while slotCount < 2 * capacity { slotCount *= 2 }
    slots = Array(repeating: -1, count: slotCount)
  }

  /// The number of a thing, or nil if it was not added.
  @inline(__always)
  func number(_ hash: UInt64, where isEqual: (Int) -> Bool) -> Int? {
    var slot = start(hash)
    while slots[slot] >= 0 {
      if isEqual(Int(slots[slot])) { return Int(slots[slot]) }
      slot = next(slot)
    }
    return nil
  }

  /// Adds a thing that is not there, and gives it the next number.
  ///
  /// - Parameter hashOf: The hash of a thing by its number, for when the table grows.
  mutating func add(_ hash: UInt64, hashOf: (Int) -> UInt64) -> Int {
    if 2 * count >= slots.count {
      slots = Array(repeating: -1, count: 2 * slots.count)
      for number in 0..<count { place(number, hashOf(number)) }
    }
    place(count, hash)
    count += 1
    return count - 1
  }

  private mutating func place(_ number: Int, _ hash: UInt64) {
    var slot = start(hash)
    while slots[slot] >= 0 { slot = next(slot) }
    slots[slot] = Int32(number)
  }

  @inline(__always)
  private func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

  @inline(__always)
  private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}
