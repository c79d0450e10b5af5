// What the training engine computes for sixteen floats at a time: exp, tanh, 1/√x, and dropout's
// mask.
//
// They are branch-free and built only from operations that become vector instructions: comparisons
// with `replacing(with:where:)` instead of clamping, a rounding constant instead of `.rounded()`.
// They are not the reference: that is swift-numerics, and the tests say how far apart they are.

/// The vector the engine works with: one AVX-512 register, two of AVX2, four of NEON.
public typealias FloatVector = SIMD16<Float>

/// The number of floats in a `FloatVector`; rows are padded to a multiple of it.
@inlinable public var vectorWidth: Int { FloatVector.scalarCount }

/// x · y + z, fused where the instruction exists.
///
/// Without the instruction, `addingProduct` is a library call per element.
@inlinable @inline(always)
public func multiplyAdd(_ x: FloatVector, _ y: FloatVector, _ z: FloatVector) -> FloatVector {
  #if CHARMLP_PORTABLE && arch(x86_64)
    x * y + z
  #else
    z.addingProduct(x, y)
  #endif
}

/// eˣ of every lane, within 1.25 ulp for results that are normal numbers; 0 below, ∞ above, NaN for
/// NaN.
///
/// x = n · ln 2 + f with |f| ≤ ln 2 / 2, and eˣ = 2ⁿ · e^f. The polynomial for e^f and the split of
/// ln 2 into two parts are those of Cephes' `expf` (Moshier).
@inlinable @inline(always)
public func exp(_ x: FloatVector) -> FloatVector {
  // Adding 1.5 · 2²³ leaves no bits below one: the sum's low bits hold the rounded integer.
  let rounder: Float = 12_582_912
  let shifted = multiplyAdd(
    x, FloatVector(repeating: 1.442_695_04), FloatVector(repeating: rounder))
  let n = shifted - rounder
  var f = multiplyAdd(n, FloatVector(repeating: -0.693_359_375), x)
  f = multiplyAdd(n, FloatVector(repeating: 2.121_944_4e-4), f)

  var p = FloatVector(repeating: 1.987_569_15e-4)
  p = multiplyAdd(p, f, FloatVector(repeating: 1.398_199_950_7e-3))
  p = multiplyAdd(p, f, FloatVector(repeating: 8.333_451_907_3e-3))
  p = multiplyAdd(p, f, FloatVector(repeating: 4.166_579_589_4e-2))
  p = multiplyAdd(p, f, FloatVector(repeating: 1.666_666_545_9e-1))
  p = multiplyAdd(p, f, FloatVector(repeating: 5.000_000_120_1e-1))
  let exponential = multiplyAdd(p, f * f, f + 1)

  // 2ⁿ is the integer n, biased, in the exponent's place. It is applied in two halves, because 2ⁿ
  // alone overflows just below the largest result.
  let integer = unsafe unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- 0x4B40_0000
  let half = integer &>> 1
  let first = unsafe unsafeBitCast((half &+ 127) &<< 23, to: FloatVector.self)
  let second = unsafe unsafeBitCast((integer &- half &+ 127) &<< 23, to: FloatVector.self)
  return (exponential * first * second)
    .replacing(with: 0, where: x .< -87.336_54)  // ln of the smallest normal number
    .replacing(with: .infinity, where: x .> 88.722_83)  // ln of the largest number
}

/// tanh of every lane, within 5 ulp; NaN for NaN.
///
/// tanh x = x · P(x²) / Q(x²), odd and of degrees 13 and 6, on |x| ≤ 7.905, beyond which tanh is ±1
/// in Float. The coefficients are those of Eigen's `generic_fast_tanh_float`.
@inlinable @inline(always)
public func tanh(_ x: FloatVector) -> FloatVector {
  let limit: Float = 7.905_311_107_635_498
  let clamped =
    x
    .replacing(with: limit, where: x .> limit)
    .replacing(with: -limit, where: x .< -limit)
  let square = clamped * clamped

  var p = FloatVector(repeating: -2.760_768_477_423_55e-16)
  p = multiplyAdd(p, square, FloatVector(repeating: 2.000_187_904_824_77e-13))
  p = multiplyAdd(p, square, FloatVector(repeating: -8.604_671_522_137_35e-11))
  p = multiplyAdd(p, square, FloatVector(repeating: 5.122_297_090_371_14e-08))
  p = multiplyAdd(p, square, FloatVector(repeating: 1.485_722_357_179_79e-05))
  p = multiplyAdd(p, square, FloatVector(repeating: 6.372_619_288_754_36e-04))
  p = multiplyAdd(p, square, FloatVector(repeating: 4.893_524_558_917_86e-03))

  var q = FloatVector(repeating: 1.198_258_394_667_02e-06)
  q = multiplyAdd(q, square, FloatVector(repeating: 1.185_347_056_866_54e-04))
  q = multiplyAdd(q, square, FloatVector(repeating: 2.268_434_632_439_00e-03))
  q = multiplyAdd(q, square, FloatVector(repeating: 4.893_525_185_543_85e-03))
  // The quotient first: x · P alone would lose bits of the smallest x.
  return clamped * (p / q)
}

/// 1/√x of every lane, within 3 ulp, for normal x > 0.
///
/// Half the exponent, negated, as an integer is a first guess within 3.5 % (Lomont, "Fast inverse
/// square root", 2003); each of Newton's steps y ← y · (3/2 − x/2 · y²) doubles its digits. SIMD's
/// own `squareRoot()` goes lane by lane.
@inlinable @inline(always)
public func reciprocalSquareRoot(_ x: FloatVector) -> FloatVector {
  let bits = unsafe unsafeBitCast(x, to: SIMD16<Int32>.self)
  let half = x * -0.5
  var y = unsafe unsafeBitCast(0x5F37_59DF &- (bits &>> 1), to: FloatVector.self)
  for _ in 0..<3 { y *= multiplyAdd(half, y * y, FloatVector(repeating: 1.5)) }
  return y
}

extension SIMD16<Float> {
  /// The largest lane, by halves: the standard library's `max()` goes lane by lane.
  @inlinable
  public var largestLane: Float {
    @inline(always) get {
      let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
      let four = eight.lowHalf.replacing(
        with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
      let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
      return two.x > two.y ? two.x : two.y
    }
  }

  /// The sum of all lanes, by halves.
  @inlinable
  public var sumOfLanes: Float {
    @inline(always) get {
      let eight = lowHalf + highHalf
      let four = eight.lowHalf + eight.highHalf
      let two = four.lowHalf + four.highHalf
      return two.x + two.y
    }
  }
}

// MARK: - Dropout's mask
//
// Which elements are kept is a function of a key and of an element's place. Nothing is stored: the
// forward and the backward pass ask for the same places and get the same answers, in any order and
// on any number of threads. Each answer is a hash of the place, with the multipliers and shifts of
// MurmurHash3's 32-bit finalizer (Appleby, public domain) and a key between them. As a random
// number generator it is good enough for a mask and no more.

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
// OOPSLA 2014: it maps 64 bits to 64 bits, one to one, and the result looks random.
//
// Dropout's masks, splits by hash and hash tables mix with it. It is only the generator's stateless
// half; sequences of random numbers come from elsewhere.

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
