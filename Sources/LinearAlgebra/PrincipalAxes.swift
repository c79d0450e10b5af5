// Principal axes of a cloud of points, by singular value decomposition of the centred points.
//
// This is how a table of embeddings becomes a map: the first two axes show as much of the distances
// between rows as two dimensions can. LAPACK's divide-and-conquer driver does it, called through
// LAPACKE; no covariance matrix is formed, which would square the condition number.

import CBLAS

/// The directions in which rows vary most, largest variance first.
///
/// With X the rows minus their mean: X = U · diag(s) · Vᵀ. The axes are the rows of Vᵀ, the
/// coordinates are X · V = U · diag(s), and axis k explains s[k]² / Σ s² of the variance.
public struct PrincipalAxes: Equatable, Sendable {
  /// Unit vectors, orthogonal to each other; in each, the component of largest magnitude is
  /// positive.
  public let axes: Matrix<Float>  // (k, columns), k = min(rows, columns)
  /// The singular values, the largest first.  (k)
  public let singularValues: [Float]
  /// Where each row lies along the axes.
  public let coordinates: Matrix<Float>  // (rows, k)

  /// Decomposes the rows of a matrix; nil if an element is not finite or LAPACK does not converge.
  ///
  /// - Precondition: there is at least one row and one column.
  public init?(ofRows rows: Matrix<Float>) {
    precondition(rows.count > 0, "PrincipalAxes: a matrix of \(rows.shapeDescription)")
    guard rows.elements.allSatisfy(\.isFinite) else { return nil }
    let centred = rows - 1 / Float(rows.rows) * rows.sum(.rows)  // (rows, columns)
    guard let (values, axes) = Self.decompose(centred) else { return nil }
    self.axes = axes.withPositiveLargestComponents()
    singularValues = values
    coordinates = MatrixProduct.blas(centred, self.axes.T)
  }

  /// The share of the variance along an axis, from 0 to 1; 0 if the axis does not exist or nothing
  /// varies.
  public func explained(by axis: Int) -> Double {
    guard singularValues.indices.contains(axis) else { return 0 }
    let squares = singularValues.map { Double($0) * Double($0) }
    let total = squares.reduce(0, +)
    return total > 0 ? squares[axis] / total : 0
  }

  /// Singular values and Vᵀ by `LAPACKE_sgesdd`, "economy" size.
  private static func decompose(_ matrix: Matrix<Float>) -> ([Float], Matrix<Float>)? {
    _ = BLASLibrary.isReady
    let count = min(matrix.rows, matrix.columns)
    guard let rows = CInt(exactly: matrix.rows),
      let columns = CInt(exactly: matrix.columns)
    else { return nil }
    var a = matrix.elements  // overwritten
    var s = [Float](repeating: 0, count: count)
    var u = [Float](repeating: 0, count: matrix.rows * count)
    var vt = [Float](repeating: 0, count: count * matrix.columns)
    let info = unsafe LAPACKE_sgesdd(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "S")), rows, columns, &a, columns, &s, &u,
      CInt(count), &vt, columns)
    guard info == 0 else { return nil }
    return (s, Matrix(rows: count, columns: matrix.columns, elements: vt))
  }
}

extension Matrix<Float> {
  /// Each row or its negative. Singular vectors are unique only up to sign; fixing it keeps the map
  /// from flipping.
  fileprivate func withPositiveLargestComponents() -> Matrix {
    var result = self
    for row in 0..<rows {
      let largest = (0..<columns).max { self[row, $0].magnitude < self[row, $1].magnitude } ?? 0
      guard self[row, largest] < 0 else { continue }
      for column in 0..<columns { result[row, column] = -self[row, column] }
    }
    return result
  }
}
