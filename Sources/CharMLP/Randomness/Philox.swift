// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC11): a counter-based generator, whose n-th block of a stream is a function of the seed, the
// stream and n.
//
// So every sampled word has a stream of its own that costs nothing to start, and no two streams of
// a seed overlap. The tests compare it with the paper's known answers. It is no source of secrets,
// and not what the notebook draws from: that is `TorchGenerator`.

/// Streams of random numbers: the same seed and stream give the same numbers, on every machine.
package struct Philox: Sendable, Equatable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var second: UInt64 = 0
  private var hasSecond = false

  /// Starts a stream of a seed: the seed is the key, the stream the high half of the counter.
  @inline(__always)
  package init(seed: UInt64, stream: UInt64) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(
      0, 0, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
  }

  /// Draws a number in [0, 1), a multiple of 2⁻⁵³.
  @inline(__always)
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Draws 64 bits: half a block, the first two words of it first.
  @inline(__always)
  package mutating func next() -> UInt64 {
    if hasSecond {
      hasSecond = false
      return second
    }
    let block = Self.block(counter: counter, key: key)
    let low = (UInt64(counter.y) << 32 | UInt64(counter.x)) &+ 1
    counter.x = UInt32(truncatingIfNeeded: low)
    counter.y = UInt32(truncatingIfNeeded: low >> 32)
    second = UInt64(block.w) << 32 | UInt64(block.z)
    hasSecond = true
    return UInt64(block.y) << 32 | UInt64(block.x)
  }

  /// Ten rounds of the paper's bijection; multipliers and Weyl constants are its table 2.
  @inline(__always)
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let left = UInt64(x0) &* 0xD251_1F53
      let right = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1, x2, x3) = (
        UInt32(truncatingIfNeeded: right >> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: right),
        UInt32(truncatingIfNeeded: left >> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: left)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(x0, x1, x2, x3)
  }
}
