// A window on a float matrix in memory that somebody else owns, for code that works in place.
//
// Rows are padded to whole vectors, so that loops need no remainder and small products run faster.
// The padding holds zeros, and every kernel keeps it so. It is the engine's only way to its memory, and
// public only because what is to be inlined in another module must be: people who embed the library
// have `Matrix`.

/// A float matrix whose rows start on a vector's boundary.
///
/// It owns nothing: `PaddedMemory`, which makes it, must outlive it.
@safe public struct PaddedMatrix: @unchecked Sendable {
  @usableFromInline let start: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int

  /// The distance between the starts of two rows, a multiple of `vectorWidth`.
  public let stride: Int

  @usableFromInline
  init(start: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
    unsafe self.start = start
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  /// The number of vectors in a row, padding included.
  @inlinable public var vectors: Int { stride / vectorWidth }

  @inlinable
  public subscript(row: Int, column: Int) -> Float {
    @inline(always) get {
      assert(row >= 0 && row < rows && column >= 0 && column < stride)
      return unsafe start[row &* stride &+ column]
    }
    @inline(always) nonmutating set {
      assert(row >= 0 && row < rows && column >= 0 && column < stride)
      unsafe start[row &* stride &+ column] = newValue
    }
  }

  /// The vector at columns 16 · `vector` … of a row.
  @inlinable
  public subscript(row: Int, vector vector: Int) -> FloatVector {
    @inline(always) get {
      assert(row >= 0 && row < rows && vector >= 0 && vector < vectors)
      return unsafe UnsafeRawPointer(start + (row &* stride &+ vector &* vectorWidth))
        .load(as: FloatVector.self)
    }
    @inline(always) nonmutating set {
      assert(row >= 0 && row < rows && vector >= 0 && vector < vectors)
      unsafe UnsafeMutableRawPointer(start + (row &* stride &+ vector &* vectorWidth))
        .storeBytes(of: newValue, as: FloatVector.self)
    }
  }

  /// Sixteen floats from a column on, wherever the row ends: memory goes on for a vector after the last.
  @inlinable
  public subscript(row: Int, from column: Int) -> FloatVector {
    @inline(always) get {
      assert(row >= 0 && row < rows && column >= 0 && column < stride)
      return unsafe UnsafeRawPointer(start + (row &* stride &+ column))
        .loadUnaligned(as: FloatVector.self)
    }
    @inline(always) nonmutating set {
      assert(row >= 0 && row < rows && column >= 0 && column < stride)
      unsafe UnsafeMutableRawPointer(start + (row &* stride &+ column))
        .storeBytes(of: newValue, as: FloatVector.self)
    }
  }

  /// The same memory seen with fewer rows, or with padding counted as columns.
  @inlinable
  public func resized(rows: Int, columns: Int) -> PaddedMatrix {
    precondition(
      rows <= self.rows && columns <= stride,
      "resized: (\(self.rows), \(stride)) to (\(rows), \(columns))")
    return unsafe PaddedMatrix(start: start, rows: rows, columns: columns, stride: stride)
  }

  /// The same memory with the padding counted as columns: what a product runs fastest on.
  @inlinable
  public var padded: PaddedMatrix { resized(rows: rows, columns: stride) }

  /// Some of the rows.  (range, columns)
  @inlinable
  public subscript(rows range: Range<Int>) -> PaddedMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return unsafe PaddedMatrix(
      start: start + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// Row `index` alone.  (1, columns)
  @inlinable
  public func row(_ index: Int) -> PaddedMatrix { self[rows: index..<index + 1] }

  /// Sets every element of every row, padding included.
  @inlinable
  public func fill(_ value: Float) {
    for row in 0..<rows {
      for vector in 0..<vectors { self[row, vector: vector] = FloatVector(repeating: value) }
    }
  }

  /// Sets what lies between the last column and the end of every row to zero.
  @inlinable
  public func clearPadding() {
    for row in 0..<rows {
      for column in columns..<stride { self[row, column] = 0 }
    }
  }
}
