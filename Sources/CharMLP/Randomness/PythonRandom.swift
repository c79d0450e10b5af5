// The part of Python's `random` module that decides which words a run trains on: `random.seed(42)`
// and `random.shuffle(words)`, so that a list is split here as in the lecture's notebook. Checked
// against CPython 3.11. Only integers are seeds: Python hashes strings and bytes first, and without
// a seed takes one from the clock; neither is wanted here.

/// Python's `random.Random` for integer seeds: the same seed gives the same draws and shuffles.
package struct PythonRandom: Sendable, Equatable {
  private(set) var twister: MersenneTwister

  /// Seeds as `random.seed(seed)` does; as there, the sign of `seed` is ignored.
  ///
  /// The key of `init_by_array` is `|seed|` in base 2³², lowest digit first, without leading zeros.
  package init(seed: some BinaryInteger) {
    twister = MersenneTwister(key: Self.digits(of: seed))
  }

  /// Draws an integer of `count` random bits, 0…64, as `random.getrandbits(count)` does.
  package mutating func getrandbits(_ count: Int) -> UInt64 {
    precondition((0...64).contains(count), "getrandbits draws 0 to 64 bits, not \(count)")
    if count == 0 { return 0 }
    if count <= 32 { return UInt64(twister.next() >> UInt32(32 - count)) }
    let low = UInt64(twister.next())
    let high = UInt64(twister.next() >> UInt32(64 - count))
    return high << 32 | low
  }

  /// Draws an integer in [0, bound), as `random._randbelow(bound)` does.
  ///
  /// Bits are drawn until they fall below the bound, so every value is equally likely, and the
  /// number of words consumed varies.
  package mutating func randbelow(_ bound: Int) -> Int {
    precondition(bound > 0, "randbelow needs a positive bound, not \(bound)")
    // The width of `bound`, not of `bound − 1`: a power of two is drawn with a bit to spare.
    let width = Int.bitWidth - bound.leadingZeroBitCount
    while true {
      let candidate = getrandbits(width)
      if candidate < UInt64(bound) { return Int(candidate) }
    }
  }

  /// Shuffles in place, as `random.shuffle` does: Fisher and Yates, from the last element down.
  package mutating func shuffle<Elements>(_ elements: inout Elements)
  where Elements: MutableCollection & RandomAccessCollection {
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      let j = randbelow(i + 1)
      elements.swapAt(
        elements.index(elements.startIndex, offsetBy: i),
        elements.index(elements.startIndex, offsetBy: j))
    }
  }

  /// `|seed|` in base 2³², lowest digit first, at least one digit.
  private static func digits(of seed: some BinaryInteger) -> [UInt32] {
    var digits: [UInt32] = []
    var rest = seed.magnitude
    repeat {
      digits.append(UInt32(truncatingIfNeeded: rest))
      rest >>= 32
    } while rest != 0
    return digits
  }
}
