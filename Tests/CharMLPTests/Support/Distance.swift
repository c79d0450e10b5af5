// How far two tensors are apart, in the measure that all comparisons with PyTorch use.

import LinearAlgebra

/// max|a − b| / max(1, max|b|), in Double; ∞ for different shapes, and for a NaN on either side.
func distance<A: MatrixScalar, B: MatrixScalar>(_ a: Matrix<A>, _ b: Matrix<B>) -> Double {
  guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
  var difference = 0.0
  var magnitude = 1.0
  for (x, y) in zip(a.elements, b.elements) {
    let error = abs(Double(x) - Double(y))
    guard error <= .greatestFiniteMagnitude else { return .infinity }
    difference = max(difference, error)
    magnitude = max(magnitude, abs(Double(y)))
  }
  return difference / magnitude
}
