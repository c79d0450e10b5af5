// A view of a float matrix in an arena's memory, for code that works in place.
//
// Rows are padded to whole vectors, so that loops need no remainder and small products run faster.
// The padding holds zeros, and every kernel keeps it so. It is the engine's only way to its memory,
// and public only because code that is inlined in other modules has to be: users of the library
// have `Matrix`.

import CBLAS

/// A float matrix whose rows start on a vector's boundary.
///
/// It owns nothing: its `Arena` must outlive it.
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

  /// Vector number `vector` of a row: sixteen columns from 16 · `vector` on.
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

  /// Sixteen floats from a column on, even past the end of the row; the arena keeps a spare vector
  /// after the last row.
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

  /// The four floats from a column on, a multiple of four.
  @inlinable
  public subscript(row: Int, four column: Int) -> SIMD4<Float> {
    @inline(always) get {
      assert(row >= 0 && row < rows && column >= 0 && column &+ 4 <= stride)
      return unsafe UnsafeRawPointer(start + (row &* stride &+ column)).load(as: SIMD4<Float>.self)
    }
    @inline(always) nonmutating set {
      assert(row >= 0 && row < rows && column >= 0 && column &+ 4 <= stride)
      unsafe UnsafeMutableRawPointer(start + (row &* stride &+ column))
        .storeBytes(of: newValue, as: SIMD4<Float>.self)
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

  /// Copies a matrix's columns from `firstColumn` on into the elements; the padding stays.
  public func assign(_ matrix: Matrix<Float>, column firstColumn: Int = 0) {
    precondition(
      rows <= matrix.rows && firstColumn + columns <= matrix.columns,
      "assign: \(matrix.shapeDescription) from column \(firstColumn) to (\(rows), \(columns))")
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] = matrix[row, firstColumn + column] }
    }
  }

  /// Copies the elements into a matrix's columns from `firstColumn` on.
  public func copy(to matrix: inout Matrix<Float>, column firstColumn: Int = 0) {
    precondition(
      rows <= matrix.rows && firstColumn + columns <= matrix.columns,
      "copy: (\(rows), \(columns)) to column \(firstColumn) of \(matrix.shapeDescription)")
    for row in 0..<rows {
      for column in 0..<columns { matrix[row, firstColumn + column] = self[row, column] }
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

// MARK: Products
//
// As for matrices, a transposition is a tag on the operand. The three combinations are those of a
// linear layer: its output, its input's gradient, its weights' gradient.

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
///
/// - Parameter depth: How many leading columns of a, and rows of b, may be nonzero; all of them by
///   default. The rest is left out where that changes no bit.
package func multiply(
  _ a: PaddedMatrix, _ b: PaddedMatrix, depth: Int? = nil, into c: PaddedMatrix,
  isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.rows, b.columns), c)
  let depth = withoutZeros(depth, of: a.columns, c)
  sgemm(CblasNoTrans, a, CblasNoTrans, b, depth: depth, c, isAdding)
}

/// c ← a @ b.T, or c + a @ b.T, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: PaddedMatrix, _ b: TransposedPaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.stored.columns, b.stored.rows), c)
  sgemm(CblasNoTrans, a, CblasTrans, b.stored, depth: a.columns, c, isAdding)
}

/// c ← a.T @ b, or c + a.T @ b, by `cblas_sgemm`.  The memory of c must not be that of a or b.
///
/// - Parameter rows: How many leading rows of a.T may be nonzero; all of them by default. In the
///   rest c must already be zero: it is left out where that changes no bit.
package func multiply(
  _ a: TransposedPaddedMatrix, _ b: PaddedMatrix, rows: Int? = nil, into c: PaddedMatrix,
  isAdding: Bool = false
) {
  check((a.stored.columns, a.stored.rows), (b.rows, b.columns), c)
  let c = c[rows: 0..<withoutZeros(rows, of: c.rows, c)]
  sgemm(CblasTrans, a.stored, CblasNoTrans, b, depth: b.rows, c, isAdding)
}

private func withoutZeros(_ used: Int?, of count: Int, _ c: PaddedMatrix) -> Int {
  guard let used, BLASLibrary.mayLeaveOutZeros, c.columns % vectorWidth == 0 else { return count }
  precondition(used <= count, "multiply: \(used) of \(count)")
  return used
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
  // An empty sum: this rank has no example of the minibatch.
  guard depth > 0 else {
    if !isAdding { c.fill(0) }
    return
  }
  _ = BLASLibrary.isReady
  var isAdding = isAdding
  if !isAdding, BLASLibrary.shouldClearFirst, c.columns == c.stride {
    c.fill(0)
    isAdding = true
  }
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

// MARK: - Arena
//
// Owns the memory of padded matrices; matrices requested together lie next to each other.
//
// A closure lays out the views. It runs twice, first to add up sizes, then on the allocated memory,
// so each size is written once, and an arena that only measures can say how much an engine will
// need.

/// Blocks of zeroed memory, and the `PaddedMatrix` and `IndexVector` views of them.
///
/// Views are valid as long as the arena lives.
@safe package final class Arena: @unchecked Sendable {
  /// What an arena does about memory.
  package enum Purpose: Sendable {
    case allocation
    /// Counts bytes and allocates nothing; its views must not be read or written.
    case measurement
  }

  package let purpose: Purpose
  /// The bytes of all blocks; nil if their number exceeds an Int.
  package private(set) var byteCount: Int? = 0
  /// What the system's allocator set aside for all blocks, for the test that compares it with
  /// `byteCount`.
  package var allocatedByteCount: Int {
    unsafe blocks.reduce(0) { sum, start in unsafe sum + Int(usable_size(start)) }
  }
  private var blocks: [UnsafeMutableRawPointer] = unsafe []

  /// Cache lines are 64 bytes, and so are the widest vectors.
  private static let alignment = 64

  package init(_ purpose: Purpose = .allocation) { self.purpose = purpose }

  deinit {
    while let start = unsafe blocks.popLast() { unsafe start.deallocate() }
  }

  /// Lays out views in a new block that has just the room for them.
  package func block<Views>(_ layOut: (inout Layout) -> Views) -> Views {
    var measured = unsafe Layout(start: nil)
    let views = layOut(&measured)
    guard let start = unsafe allocate(measured.used) else { return views }
    var layout = unsafe Layout(start: start)
    return layOut(&layout)
  }

  /// A vector of `rows` · `columns` zeros in a block of its own.
  package func indices(_ rows: Int, _ columns: Int = 1) -> IndexVector {
    precondition(rows >= 0 && columns >= 0, "Arena: (\(rows), \(columns)) numbers")
    let count = product(rows, columns)
    guard let start = unsafe allocate(count) else {
      return unsafe IndexVector(
        start: Layout.nowhere.assumingMemoryBound(to: Int32.self), count: count ?? .max)
    }
    return unsafe IndexVector(
      start: start.bindMemory(to: Int32.self, capacity: count ?? 0), count: count ?? 0)
  }

  /// Room for elements of four bytes, all zero; nil if nothing is to be allocated.
  ///
  /// - Parameter count: nil if it exceeds an Int.
  private func allocate(_ count: Int?) -> UnsafeMutableRawPointer? {
    // One vector more, for reads and writes that begin in the last row and run past its end.
    let elements = count.flatMap { sum($0, vectorWidth) }
    let bytes = elements.flatMap { product($0, MemoryLayout<Float>.stride) }
    byteCount = byteCount.flatMap { total in bytes.flatMap { sum(total, $0) } }
    guard purpose == .allocation else { return nil }
    guard let bytes else { preconditionFailure("Arena: more bytes than an Int can count") }
    let start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    unsafe blocks.append(start)
    return unsafe start
  }
}

extension Arena {
  /// Hands out the matrices of one block, one after the other, or only adds up their sizes.
  @safe package struct Layout {
    private let start: UnsafeMutablePointer<Float>?
    /// The floats handed out; nil if their number exceeds an Int.
    fileprivate private(set) var used: Int? = 0

    /// Where the views of a measuring arena point: they must not be used.
    fileprivate static var nowhere: UnsafeMutableRawPointer {
      unsafe UnsafeMutableRawPointer(bitPattern: alignment)!
    }

    fileprivate init(start: UnsafeMutableRawPointer?) {
      unsafe self.start = start?.assumingMemoryBound(to: Float.self)
    }

    /// The next matrix.
    package mutating func matrix(_ rows: Int, _ columns: Int) -> PaddedMatrix {
      let stride = PaddedMatrix.stride(columns)
      defer { used = used.flatMap { used in product(rows, stride).flatMap { sum(used, $0) } } }
      return view(at: used ?? 0, rows: rows, columns: columns, stride: stride)
    }

    /// All matrices so far as one of a single row, for updates that treat all elements alike.
    package var whole: PaddedMatrix {
      view(at: 0, rows: 1, columns: used ?? 0, stride: used ?? 0)
    }

    private func view(at offset: Int, rows: Int, columns: Int, stride: Int) -> PaddedMatrix {
      let place = unsafe start.map { unsafe $0 + offset }
      return unsafe PaddedMatrix(
        start: place ?? Self.nowhere.assumingMemoryBound(to: Float.self), rows: rows,
        columns: columns, stride: stride)
    }
  }
}

private func product(_ a: Int, _ b: Int) -> Int? {
  let (result, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? nil : result
}

private func sum(_ a: Int, _ b: Int) -> Int? {
  let (result, overflow) = a.addingReportingOverflow(b)
  return overflow ? nil : result
}

// MARK: Whole numbers

/// A view of integers in an arena, such as row numbers for gathering and scattering.
///
/// Like `PaddedMatrix`, it owns nothing, may be handed to a thread without counting references, and
/// is public only so that it is inlined in other modules.
@safe public struct IndexVector: @unchecked Sendable {
  @usableFromInline let start: UnsafeMutablePointer<Int32>
  /// How many numbers there are.
  public let count: Int

  fileprivate init(start: UnsafeMutablePointer<Int32>, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// The number at an index.
  @inlinable
  public subscript(index: Int) -> Int {
    @inline(always) get {
      assert(index >= 0 && index < count)
      return unsafe Int(start[index])
    }
    @inline(always) nonmutating set {
      assert(index >= 0 && index < count)
      unsafe start[index] = Int32(truncatingIfNeeded: newValue)
    }
  }
}
