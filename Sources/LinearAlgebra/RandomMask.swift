// The mask of dropout: which elements are kept, as a function of a key and of an element's place.
//
// Nothing is stored: the forward and the backward pass ask for the same places and get the same answers,
// in any order and on any number of threads. Each answer is a hash of the place, with the multipliers
// and shifts of MurmurHash3's 32-bit finalizer (Appleby, public domain) and a key between them.
// It is not a generator of random numbers for anything finer than a mask.

/// Zeros where an element is dropped, 1 / (1 − rate) where it is kept, so that the mean stays as it is.
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

  /// What a kept element is divided by to be what it was: 1 − rate.
  @inlinable public var keptShare: Float { 1 - rate }

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
