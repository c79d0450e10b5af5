// Dropout's mask: which elements are kept, as a function of a key and of an element's place; and
// SplitMix64, which makes the key.
//
// Nothing is stored: the forward and the backward pass ask for the same places and get the same
// answers, in any order and on any number of threads. Each answer is a hash of the place, with the
// multipliers and shifts of MurmurHash3's 32-bit finalizer (Appleby, public domain) and a key
// between them. It is not a random number generator for anything finer than a mask.

/// Zeros where an element is dropped, 1 / (1 − rate) where it is kept, which preserves the mean.
public struct RandomMask: Equatable, Sendable {
  /// The share of elements that is dropped, at least 0 and below 1.
  public let rate: Float

  @usableFromInline let scale: Float
  @usableFromInline let threshold: Float
  @usableFromInline let stride: UInt32
  @usableFromInline let firstKey: UInt32
  @usableFromInline let secondKey: UInt32

  /// The mask of one step of a run, for matrices of up to `columns` columns.
  public init(rate: Float, seed: UInt64, step: Int, columns: Int) {
    precondition(rate >= 0 && rate < 1, "RandomMask: a rate of \(rate)")
    self.rate = rate
    scale = 1 / (1 - rate)
    threshold = 1 + rate
    stride = UInt32(truncatingIfNeeded: PaddedMatrix.stride(columns))
    let key = SplitMix64.output(
      seed &+ UInt64(truncatingIfNeeded: step) &* SplitMix64.increment)
    firstKey = UInt32(truncatingIfNeeded: key)
    secondKey = UInt32(truncatingIfNeeded: key >> 32)
  }

  /// 1 − rate. Multiplying a kept element by it undoes the mask's scaling.
  @inlinable public var keepProbability: Float { 1 - rate }

  /// The mask of sixteen elements of a row, from a column on.
  @inlinable
  public subscript(row: Int, from column: Int) -> FloatVector {
    @inline(always) get {
      let place = UInt32(truncatingIfNeeded: row) &* stride &+ UInt32(truncatingIfNeeded: column)
      let lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      var hash = (lanes &+ place) ^ firstKey
      hash ^= hash &>> 16
      hash = hash &* 0x85EB_CA6B
      hash ^= (hash &>> 13) ^ secondKey
      hash = hash &* 0xC2B2_AE35
      hash ^= hash &>> 16
      // The upper bits as the fraction of a number in 1..<2: comparing integers goes lane by lane.
      let bits = (hash &>> 9) | 0x3F80_0000
      let uniform = unsafe unsafeBitCast(bits, to: FloatVector.self)
      return FloatVector(repeating: scale).replacing(with: 0, where: uniform .< threshold)
    }
  }

  /// The mask of a whole matrix.  (rows, columns)
  public func matrix<Scalar: MatrixScalar>(_ rows: Int, _ columns: Int) -> Matrix<Scalar> {
    var mask = Matrix<Scalar>.zeros(rows, columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let vector = self[row, from: column / vectorWidth * vectorWidth]
        mask[row, column] = vector[column % vectorWidth] == 0 ? 0 : 1 / (1 - Scalar(rate))
      }
    }
    return mask
  }
}

// MARK: - SplitMix64
//
// The output function of Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014: 64 bits for 64 bits, one to one, as if drawn at random.
//
// Dropout's masks, splits by hash and hash tables mix with it. It is the one stateless piece of the
// generator; sequences of random numbers come from elsewhere.

/// Mixes the bits of 64-bit numbers, the same way in every run and on every machine.
public enum SplitMix64 {
  /// What the generator adds to its state at each step: 2⁶⁴ divided by the golden ratio.
  @inlinable public static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  /// The output for a state.
  @inlinable
  public static func output(_ state: UInt64) -> UInt64 {
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}
