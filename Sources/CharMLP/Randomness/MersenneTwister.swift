// MT19937, the 32-bit Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8(1), 1998), seeded as
// in their revision of 2002. Python's `random` and PyTorch's CPU generator both draw from it, so both
// of ours (`PythonRandom`, `TorchGenerator`) are thin readings of this one stream.
//
// It is deliberately not a `RandomNumberGenerator`: what the standard library's `shuffle` and
// `random(in:)` draw from a generator may change with the Swift release, and a seed must mean the same
// run for ever. Nor is it a source of secrets: 624 outputs reveal the whole stream.

/// The MT19937 generator: the same seed gives the same sequence of 32-bit words, on every machine.
public struct MersenneTwister: Sendable, Equatable {
  /// The number of 32-bit words in the state, the recurrence's degree n.
  public static let wordCount = 624

  @usableFromInline var words: [UInt32]  // (wordCount)

  /// The index of the next word to hand out; `wordCount` when all are used and a twist is due.
  @usableFromInline var position: Int

  /// Draws the next 32 bits.
  @inlinable
  public mutating func next() -> UInt32 {
    if position == Self.wordCount { twist() }
    let word = words[position]
    position &+= 1
    return Self.tempered(word)
  }

  /// Moves the whole state on by one generation of `wordCount` words.
  ///
  /// `x[i] ← x[(i + 397) mod 624] ^ (high bit of x[i], low bits of x[(i + 1) mod 624]) · A`, for i from
  /// 0 to 623 in place. The loop is split where the indices wrap, so that no index is ever reduced; the
  /// precondition lets the compiler drop every bounds check and vectorize both loops.
  @usableFromInline
  mutating func twist() {
    var x = words.mutableSpan
    precondition(x.count == Self.wordCount, "a Mersenne Twister has \(Self.wordCount) words")
    let offset = 397  // m in the paper
    let wrap = Self.wordCount - offset
    for i in 0..<wrap {
      x[i] = x[i + offset] ^ Self.mixed(x[i], x[i + 1])
    }
    for i in wrap..<(Self.wordCount - 1) {
      x[i] = x[i - wrap] ^ Self.mixed(x[i], x[i + 1])
    }
    let last = Self.wordCount - 1
    x[last] = x[offset - 1] ^ Self.mixed(x[last], x[0])
    position = 0
  }

  /// One row of the recurrence: the joined word, times the twist matrix A over GF(2).
  private static func mixed(_ upper: UInt32, _ lower: UInt32) -> UInt32 {
    let joined = (upper & 0x8000_0000) | (lower & 0x7fff_ffff)
    return (joined >> 1) ^ ((0 &- (lower & 1)) & 0x9908_b0df)
  }

  /// The output transformation of the paper, which evens out the high bits.
  @inlinable
  static func tempered(_ word: UInt32) -> UInt32 {
    var y = word
    y ^= y >> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return y ^ (y >> 18)
  }
}
