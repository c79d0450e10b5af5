// A dense matrix, stored row by row in one array.
//
// It is a value: the derivation keeps every intermediate of a pass, and copies share their storage.
// It has what a derivation needs (elementwise arithmetic with broadcasting, reductions, products)
// and deliberately nothing else: no views, no strides, no third dimension. The training engine
// works in place on padded matrices.

import RealModule

/// A matrix of `rows` × `columns` scalars in row-major order.
public struct Matrix<Scalar: MatrixScalar>: Equatable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int

  /// The elements, row by row.  (rows · columns)
  public internal(set) var elements: [Scalar]

  /// Makes a matrix from its elements, row by row.
  ///
  /// It is a programming error if their number is not `rows` · `columns`.
  public init(rows: Int, columns: Int, elements: [Scalar]) {
    precondition(
      rows >= 0 && columns >= 0 && elements.count == rows * columns,
      "Matrix: (\(rows), \(columns)) from \(elements.count) elements")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// Makes a matrix that holds one value everywhere.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public init(rows: Int, columns: Int, repeating value: Scalar) {
    precondition(rows >= 0 && columns >= 0, "Matrix: (\(rows), \(columns))")
    self.init(
      rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
  }

  /// Makes a matrix of zeros.
  public static func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, repeating: 0)
  }

  /// The number of elements, rows · columns.
  public var count: Int { elements.count }

  /// The shape as people write it, for messages: `(rows, columns)`.
  public var shapeDescription: String { "(\(rows), \(columns))" }

  /// The element in a row and a column.
  public subscript(row: Int, column: Int) -> Scalar {
    get { elements[index(row, column)] }
    set { elements[index(row, column)] = newValue }
  }

  /// The same elements in the same order under another shape.
  public func reshaped(_ rows: Int, _ columns: Int) -> Matrix {
    precondition(
      rows * columns == count, "reshaped: \(shapeDescription) to (\(rows), \(columns))")
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// The same matrix in another scalar type, each element rounded to nearest.
  @specialized(where Scalar == Float, Other == Double)
  @specialized(where Scalar == Double, Other == Float)
  public func converted<Other: MatrixScalar>(to type: Other.Type = Other.self) -> Matrix<Other> {
    Matrix<Other>(rows: rows, columns: columns, elements: elements.map { Other($0) })
  }

  private func index(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "Matrix: element (\(row), \(column)) of \(shapeDescription)")
    return row * columns + column
  }
}

// MARK: - Vectorized tanh
//
// For callers to whom 5 ulp do not matter.

/// tanh of every element, sixteen at a time, within 5 ulp; `tanh` is the reference.
public func vectorizedTanh(_ x: Matrix<Float>) -> Matrix<Float> {
  var result = x
  let count = result.elements.count
  unsafe result.elements.withUnsafeMutableBytes { bytes in
    let whole = count / vectorWidth * vectorWidth
    for first in stride(from: 0, to: whole, by: vectorWidth) {
      let offset = first * MemoryLayout<Float>.stride
      let vector = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: FloatVector.self)
      unsafe bytes.storeBytes(of: tanh(vector), toByteOffset: offset, as: FloatVector.self)
    }
    // The rest goes through the same function, so that an element's place does not change its bits.
    for index in whole..<count {
      let offset = index * MemoryLayout<Float>.stride
      let element = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)
      let value = tanh(FloatVector(repeating: element))[0]
      unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: Float.self)
    }
  }
  return result
}

// MARK: - Broadcasting arithmetic
//
// `*` is elementwise; a matrix product is always spelled `matmul`. A dimension of 1 is repeated to
// match the other operand ("keep-dim broadcasting"), and nothing else is: (32, 200) * (1, 200) is
// fine, (32, 200) * (32, 27) is a programming error.

extension Matrix {
  /// The sum, element by element; a dimension of 1 is repeated.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func + (lhs: Matrix, rhs: Matrix) -> Matrix {
    broadcast(lhs, "+", rhs) { $0 + $1 }
  }

  /// The difference, element by element; a dimension of 1 is repeated.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func - (lhs: Matrix, rhs: Matrix) -> Matrix {
    broadcast(lhs, "-", rhs) { $0 - $1 }
  }

  /// The product element by element, not the matrix product; a dimension of 1 is repeated.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func * (lhs: Matrix, rhs: Matrix) -> Matrix {
    broadcast(lhs, "*", rhs) { $0 * $1 }
  }

  /// The matrix repeated along its dimensions of 1 until it has the given shape.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func broadcast(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix.broadcast(self, "broadcast", .zeros(rows, columns)) { element, _ in element }
  }
}

extension Matrix {
  /// The one broadcasting loop: a repeated dimension is walked with a stride of zero.
  @inline(__always)
  private static func broadcast(
    _ lhs: Matrix, _ name: StaticString, _ rhs: Matrix, _ operation: (Scalar, Scalar) -> Scalar
  ) -> Matrix {
    let rows = broadcastDimension(lhs.rows, rhs.rows)
    let columns = broadcastDimension(lhs.columns, rhs.columns)
    guard let rows, let columns else {
      preconditionFailure("\(lhs.shapeDescription) \(name) \(rhs.shapeDescription)")
    }
    let left = lhs.elements.span
    let right = rhs.elements.span
    let (leftRow, rightRow) = (lhs.rows == 1 ? 0 : lhs.columns, rhs.rows == 1 ? 0 : rhs.columns)
    let elements = unsafe [Scalar](unsafeUninitializedCapacity: rows * columns) { result, count in
      // A loop for each kind of operand: with strides known to be 0 or 1 they are vectorized.
      for row in 0..<rows {
        let (l, r, o) = (row * leftRow, row * rightRow, row * columns)
        switch (lhs.columns == columns, rhs.columns == columns) {
        case (true, true):
          for j in 0..<columns {
            unsafe result[o + j] = operation(left[unchecked: l + j], right[unchecked: r + j])
          }
        case (true, false):
          let value = right[r]
          for j in 0..<columns {
            unsafe result[o + j] = operation(left[unchecked: l + j], value)
          }
        case (false, true):
          let value = left[l]
          for j in 0..<columns {
            unsafe result[o + j] = operation(value, right[unchecked: r + j])
          }
        case (false, false):
          preconditionFailure("one operand has the result's columns")
        }
      }
      count = rows * columns
    }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  private static func broadcastDimension(_ left: Int, _ right: Int) -> Int? {
    if left == right { return left }
    if left == 1 { return right }
    return right == 1 ? left : nil
  }
}

// MARK: - Elementwise functions
//
// The functions are the reference: correctly rounded or nearly so, in both precisions. The engine's
// faster ones are tested against these. All are in the same file as the loop they share, because
// without whole-module optimization (debug builds) it is specialized only there.

/// eˣ of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func exp<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.exp($0) } }

/// The natural logarithm of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func log<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.log($0) } }

/// The hyperbolic tangent of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func tanh<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.tanh($0) } }

/// Every element to the given power.
///
/// −1 and −1/2 and 2, the derivation's powers, are computed as 1/x, 1/√x and x·x.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func pow<Scalar>(_ x: Matrix<Scalar>, _ power: Scalar) -> Matrix<Scalar> {
  switch power {
  case -1: x.map { 1 / $0 }
  case -0.5: x.map { 1 / $0.squareRoot() }
  case 2: x.map { $0 * $0 }
  default: x.map { Scalar.pow($0, power) }
  }
}

extension Matrix {
  /// Every element times a scalar.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func * (lhs: Scalar, rhs: Matrix) -> Matrix { rhs.map { lhs * $0 } }

  /// Every element divided by a scalar.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func / (lhs: Matrix, rhs: Scalar) -> Matrix { lhs.map { $0 / rhs } }

  /// A scalar added to every element.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func + (lhs: Matrix, rhs: Scalar) -> Matrix { lhs.map { $0 + rhs } }

  /// Every element subtracted from a scalar.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func - (lhs: Scalar, rhs: Matrix) -> Matrix { rhs.map { lhs - $0 } }

  /// Every element with the opposite sign.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static prefix func - (operand: Matrix) -> Matrix { operand.map { -$0 } }
}

extension Matrix {
  @inline(__always)
  fileprivate func map(_ transform: (Scalar) -> Scalar) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements.map(transform))
  }
}

// MARK: - Reductions and row indexing
//
// Sums and maxima along one dimension, gathering and scattering rows, picking an element of each
// row. A reduction keeps its dimension with length 1, so that its result broadcasts against its
// operand.

/// The dimension that a reduction shrinks to length 1.
public enum Axis: Sendable {
  /// Over the rows: (n, m) becomes (1, m).
  case rows
  /// Over the columns: (n, m) becomes (n, 1).
  case columns
}

extension Matrix {
  /// The sum along one dimension.  (1, columns) or (rows, 1)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func sum(_ axis: Axis) -> Matrix { reduced(axis, from: 0) { $0 + $1 } }

  /// The largest element along one dimension.  (1, columns) or (rows, 1)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func max(_ axis: Axis) -> Matrix { reduced(axis, from: -.infinity) { Swift.max($0, $1) } }

  /// The sum of all elements.
  public func sum() -> Scalar { sum(.columns).sum(.rows).elements[0] }

  @inline(__always)
  private func reduced(
    _ axis: Axis, from initial: Scalar, _ combine: (Scalar, Scalar) -> Scalar
  ) -> Matrix {
    var result = Array(repeating: initial, count: axis == .rows ? columns : rows)
    let source = elements.span
    var target = result.mutableSpan
    for row in 0..<rows {
      switch axis {
      case .rows:
        for column in 0..<columns {
          target[column] = combine(target[column], source[row * columns + column])
        }
      case .columns:
        for column in 0..<columns {
          target[row] = combine(target[row], source[row * columns + column])
        }
      }
    }
    return axis == .rows
      ? Matrix(rows: 1, columns: columns, elements: result)
      : Matrix(rows: rows, columns: 1, elements: result)
  }
}

extension Matrix {
  /// The rows with the given indices, in their order.  (indices.count, columns)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func gatheringRows(_ indices: [Int]) -> Matrix {
    gatheringRows(count: indices.count) { indices[$0] }
  }

  /// The rows with the given ids, in their order.  (ids.count, columns)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func gatheringRows(_ ids: ArraySlice<Int32>) -> Matrix {
    gatheringRows(count: ids.count) { Int(ids[ids.startIndex + $0]) }
  }

  @inline(__always)
  private func gatheringRows(count: Int, _ index: (Int) -> Int) -> Matrix {
    var result = Matrix.zeros(count, columns)
    let source = elements.span
    var target = result.elements.mutableSpan
    for row in 0..<count {
      let index = index(row)
      precondition(index >= 0 && index < rows, "row \(index) of \(shapeDescription)")
      for column in 0..<columns {
        target[row * columns + column] = source[index * columns + column]
      }
    }
    return result
  }

  /// The columns with the given indices, in their order.  (rows, indices.count)
  package func gatheringColumns(_ indices: [Int]) -> Matrix {
    Matrix(
      rows: rows, columns: indices.count,
      elements: (0..<rows).flatMap { row in indices.map { self[row, $0] } })
  }

  /// The transpose of `gatheringRows`: row i is added to row `indices[i]` of a matrix of zeros.
  ///
  /// An index that occurs twice receives the sum of both.  (rows, columns)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func scatteringRows(_ indices: [Int], into rows: Int) -> Matrix {
    precondition(indices.count == self.rows, "\(indices.count) indices for \(shapeDescription)")
    var result = Matrix.zeros(rows, columns)
    var target = result.elements.mutableSpan
    for (source, index) in indices.enumerated() {
      precondition(index >= 0 && index < rows, "row \(index) of (\(rows), \(columns))")
      for column in 0..<columns {
        target[index * columns + column] += elements[source * columns + column]
      }
    }
    return result
  }

  /// Element `indices[i]` of each row i.  (rows, 1)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func picking(_ indices: [Int]) -> Matrix {
    precondition(indices.count == rows, "\(indices.count) indices for \(shapeDescription)")
    return Matrix(
      rows: rows, columns: 1, elements: indices.enumerated().map { self[$0.offset, $0.element] })
  }

  /// 1 at each row's largest element, the first of equals, and 0 elsewhere.  (rows, columns)
  public var maximaOfRows: Matrix {
    let columnsOfMaxima = (0..<rows).map { row in
      (1..<Swift.max(columns, 1)).reduce(0) { self[row, $1] > self[row, $0] ? $1 : $0 }
    }
    return .oneHot(columnsOfMaxima, columns: columns)
  }

  /// A matrix whose row i is 1 at column `indices[i]` and 0 elsewhere.  (indices.count, columns)
  public static func oneHot(_ indices: [Int], columns: Int) -> Matrix {
    var result = Matrix.zeros(indices.count, columns)
    for (row, column) in indices.enumerated() { result[row, column] = 1 }
    return result
  }
}

// MARK: - Differences

extension Matrix {
  /// The largest absolute difference of two matrices of one shape; ∞ if one of them holds a NaN.
  public func largestDifference(from other: Matrix) -> Scalar {
    precondition(
      rows == other.rows && columns == other.columns,
      "largestDifference: \(shapeDescription) and \(other.shapeDescription)")
    return zip(elements, other.elements).reduce(0) { worst, pair in
      let difference = abs(pair.0 - pair.1)
      return difference <= worst ? worst : difference.isNaN ? .infinity : difference
    }
  }
}
