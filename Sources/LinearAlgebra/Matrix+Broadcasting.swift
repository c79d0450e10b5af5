// Elementwise arithmetic with broadcasting, as the derivation writes it.
//
// `*` is elementwise; a matrix product is always spelled `matmul`. A dimension of 1 is repeated to
// match the other operand ("keep-dim broadcasting"), and nothing else is: (32, 200) * (1, 200) is
// fine, (32, 200) * (32, 27) is a programmer's error.

extension Matrix {
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func + (lhs: Matrix, rhs: Matrix) -> Matrix {
    broadcast(lhs, "+", rhs) { $0 + $1 }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func - (lhs: Matrix, rhs: Matrix) -> Matrix {
    broadcast(lhs, "-", rhs) { $0 - $1 }
  }

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
