// How far two matrices are apart.

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
