// From matrices to padded ones and back: how an engine takes parameters over and hands them out.

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
