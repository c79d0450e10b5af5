// Sums and maxima along one dimension, and what the lines around an index need: gathering rows,
// scattering them back, picking one element of each row.
//
// A reduction keeps its dimension with length 1, so that its result broadcasts against its operand.

/// The dimension that a reduction removes.
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

  /// Element `columns[i]` of each row i.  (rows, 1)
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
