// How far two tensors are apart, and where most.
//
// Written so that a NaN is never small: it is an infinite difference, wherever it stands. Equal
// infinities are equal.

import LinearAlgebra

/// The elementwise comparison of two matrices of one shape.
struct Difference {
  /// max|a − b|; ∞ where an element is NaN or only one is infinite.
  private(set) var largest = 0.0
  /// The element with the largest difference, counted row by row.
  private(set) var index = 0
  /// Whether all elements are equal.
  private(set) var isExact = true

  init(_ a: Matrix<Double>, _ b: Matrix<Double>) {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "Difference: \(a.shapeDescription) and \(b.shapeDescription)")
    for index in 0..<a.count where a.elements[index] != b.elements[index] {
      isExact = false
      let difference = abs(a.elements[index] - b.elements[index])
      let magnitude = difference.isNaN ? .infinity : difference
      if magnitude > largest { (largest, self.index) = (magnitude, index) }
    }
  }
}
