// Random matrices for the tests of this target, from a generator with a seed.

import LinearAlgebra

/// Steele, Lea and Flood's SplitMix64: enough randomness for test data, in five lines.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Matrix {
  /// Elements uniform in −1…1.
  static func random(_ rows: Int, _ columns: Int, using generator: inout SplitMix64) -> Matrix {
    let elements = (0..<rows * columns).map { _ in
      Scalar(Int64(truncatingIfNeeded: generator.next() >> 11)) / Scalar(1 << 52) - 1
    }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  var largestMagnitude: Scalar { elements.reduce(0) { Swift.max($0, abs($1)) } }
}
