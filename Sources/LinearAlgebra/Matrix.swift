// A dense matrix, stored row by row in one array.
//
// It is a value: the derivation keeps every intermediate of a pass, and copies cost a reference.
// It has what a derivation needs (elementwise arithmetic with broadcasting, reductions, products)
// and deliberately nothing else: no views, no strides, no third dimension. The training engine works
// in place on memory of its own.

/// A matrix of `rows` × `columns` scalars in row-major order.
public struct Matrix<Scalar: MatrixScalar>: Equatable, Sendable {
  public let rows: Int
  public let columns: Int

  /// The elements, row by row.  (rows · columns)
  public internal(set) var elements: [Scalar]

  /// Makes a matrix from its elements, row by row.
  ///
  /// It is a programmer's error if their number is not `rows` · `columns`.
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
