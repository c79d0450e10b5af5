// What a product must tell to be compared and timed, whether it is one of a step's or of some size.

import CharMLP
import LinearAlgebra

/// A matrix product with its operands.
protocol TimedProduct {
  /// As the derivation writes it: `dlogits @ W2.T`.
  var name: String { get }
  var rows: Int { get }
  var columns: Int { get }
  var depth: Int { get }

  /// What two orders of summation can differ by.
  var errorBound: Float { get }

  /// Computes the product into memory that is there already.
  func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>)
}

extension StepProduct: TimedProduct {}

extension TimedProduct {
  /// Multiply-adds count as two operations.
  var operations: Double { 2 * Double(rows) * Double(columns) * Double(depth) }

  /// The product as a piece of work, on memory of its own.
  func work(_ matmul: MatrixProduct) -> () -> Void {
    var result = Matrix<Float>.zeros(rows, columns)
    return { compute(matmul, into: &result) }
  }
}

extension Sequence where Element: TimedProduct {
  /// All products by BLAS back to back, as one piece of work on memory of its own.
  func backToBack() -> () -> Void {
    let products = Array(self)
    var results = products.map { Matrix<Float>.zeros($0.rows, $0.columns) }
    return {
      for index in products.indices { products[index].compute(.blas, into: &results[index]) }
    }
  }

  /// The operations of all products.
  var operations: Double { reduce(0) { $0 + $1.operations } }
}
