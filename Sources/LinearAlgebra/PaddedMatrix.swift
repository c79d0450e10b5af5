// A window on a float matrix in memory that somebody else owns, for code that works in place.
//
// Rows are padded to whole vectors, so that loops need no remainder and small products run faster.
// The padding holds zeros, and every kernel keeps it so. It is the engine's only way to its memory, and
// public only because what is to be inlined in another module must be: people who embed the library
// have `Matrix`.

import CBLAS

/// A float matrix whose rows start on a vector's boundary.
///
/// It owns nothing: the `Arena` that it was cut from must outlive it.
@safe public struct PaddedMatrix: @unchecked Sendable {
  @usableFromInline let start: UnsafeMutablePointer<Float>
  /// The number of rows.
  public let rows: Int
  /// The number of columns, without padding.
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

  /// The element in a row and a column, which may lie in the padding.
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

// MARK: Copying from matrices and back

extension PaddedMatrix {
  /// The elements without the padding.
  public var matrix: Matrix<Float> {
    var elements: [Float] = []
    elements.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { elements.append(self[row, column]) }
    }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// Copies the block of a matrix that begins at an element into the elements; the padding stays.
  public func assign(_ matrix: Matrix<Float>, row firstRow: Int = 0, column firstColumn: Int = 0) {
    precondition(
      firstRow + rows <= matrix.rows && firstColumn + columns <= matrix.columns,
      "assign: \(matrix.shapeDescription) from (\(firstRow), \(firstColumn)) to (\(rows), \(columns))"
    )
    for row in 0..<rows {
      for column in 0..<columns {
        self[row, column] = matrix[firstRow + row, firstColumn + column]
      }
    }
  }

  /// Copies the elements into the block of a matrix that begins at an element.
  public func copy(
    to matrix: inout Matrix<Float>, row firstRow: Int = 0, column firstColumn: Int = 0
  ) {
    precondition(
      firstRow + rows <= matrix.rows && firstColumn + columns <= matrix.columns,
      "copy: (\(rows), \(columns)) to (\(firstRow), \(firstColumn)) of \(matrix.shapeDescription)")
    for row in 0..<rows {
      for column in 0..<columns {
        matrix[firstRow + row, firstColumn + column] = self[row, column]
      }
    }
  }

  /// Copies the transpose of a matrix's rows from `firstRow` on into the elements.
  public func assign(transposed matrix: Matrix<Float>, row firstRow: Int = 0) {
    precondition(
      columns + firstRow <= matrix.rows && rows == matrix.columns,
      "assign: \(matrix.shapeDescription) from row \(firstRow), transposed, to (\(rows), \(columns))"
    )
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] = matrix[firstRow + column, row] }
    }
  }

  /// Copies the transpose of the elements into a matrix's rows from `firstRow` on.
  public func copy(transposedTo matrix: inout Matrix<Float>, row firstRow: Int = 0) {
    precondition(
      columns + firstRow <= matrix.rows && rows == matrix.columns,
      "copy: (\(rows), \(columns)), transposed, to row \(firstRow) of \(matrix.shapeDescription)")
    for row in 0..<rows {
      for column in 0..<columns { matrix[firstRow + column, row] = self[row, column] }
    }
  }
}

// MARK: Products by sgemm, nothing copied
//
// As for matrices, a transposition is a tag on the operand. The three combinations here are those that a
// linear layer has: its output, its input's gradient, its weights' gradient.

/// A padded matrix that a product takes transposed; see `PaddedMatrix.T`.
package struct TransposedPaddedMatrix {
  fileprivate let stored: PaddedMatrix
}

extension PaddedMatrix {
  /// The transpose, as a tag that a product understands.  (columns, rows)
  // swift-format-ignore: AlwaysUseLowerCamelCase
  package var T: TransposedPaddedMatrix { TransposedPaddedMatrix(stored: self) }
}

/// c ← a @ b, or c + a @ b, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: PaddedMatrix, _ b: PaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.rows, b.columns), c)
  sgemm(CblasNoTrans, a, CblasNoTrans, b, depth: a.columns, c, isAdding)
}

/// c ← a @ b.T, or c + a @ b.T, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: PaddedMatrix, _ b: TransposedPaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.stored.columns, b.stored.rows), c)
  sgemm(CblasNoTrans, a, CblasTrans, b.stored, depth: a.columns, c, isAdding)
}

/// c ← a.T @ b, or c + a.T @ b, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: TransposedPaddedMatrix, _ b: PaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.stored.columns, a.stored.rows), (b.rows, b.columns), c)
  sgemm(CblasTrans, a.stored, CblasNoTrans, b, depth: b.rows, c, isAdding)
}

private func check(
  _ a: (rows: Int, columns: Int), _ b: (rows: Int, columns: Int), _ c: PaddedMatrix
) {
  precondition(
    a.columns == b.rows && c.rows == a.rows && c.columns == b.columns,
    "multiply: (\(a.rows), \(a.columns)) @ (\(b.rows), \(b.columns)) into (\(c.rows), \(c.columns))"
  )
}

private func sgemm(
  _ transposeA: CBLAS_TRANSPOSE, _ a: PaddedMatrix, _ transposeB: CBLAS_TRANSPOSE,
  _ b: PaddedMatrix, depth: Int, _ c: PaddedMatrix, _ isAdding: Bool
) {
  guard c.rows > 0, c.columns > 0 else { return }
  // A sum of nothing: a rank without a window in the minibatch.
  guard depth > 0 else {
    if !isAdding { c.fill(0) }
    return
  }
  _ = BLASLibrary.isReady
  unsafe cblas_sgemm(
    CblasRowMajor, transposeA, transposeB, CInt(c.rows), CInt(c.columns), CInt(depth), 1,
    a.start, CInt(a.stride), b.start, CInt(b.stride), isAdding ? 1 : 0, c.start, CInt(c.stride))
}

extension PaddedMatrix {
  /// The number of floats that a row of `columns` takes.
  package static func stride(_ columns: Int) -> Int {
    max(1, (columns + vectorWidth - 1) / vectorWidth) * vectorWidth
  }

  /// Calls a function with all of the memory, row after row, padding included.
  package func withMutableSpan(_ body: (inout MutableSpan<Float>) -> Void) {
    var span = unsafe MutableSpan(
      _unsafeElements: UnsafeMutableBufferPointer(start: start, count: rows * stride))
    body(&span)
  }
}
