// Products of any size: squares, and a step's six at a batch that no minibatch was drawn for.
//
// Only their shapes are a step's. Operands are random numbers, and a batch of one window, whose variance
// batch norm cannot form, has products all the same.

import CharMLP
import LinearAlgebra

/// A product of a given shape on random operands.
struct SizedProduct: TimedProduct {
  let name: String
  let rows: Int
  let columns: Int
  let depth: Int
  private let a: Matrix<Float>
  private let b: Matrix<Float>
  private let transposed: Operand

  private enum Operand { case none, first, second }

  private init(
    _ name: String, _ rows: Int, _ columns: Int, _ depth: Int, _ transposed: Operand = .none
  ) {
    (self.name, self.rows, self.columns, self.depth) = (name, rows, columns, depth)
    self.transposed = transposed
    var generator = TorchGenerator(seed: 1)
    a = transposed == .first ? .random(depth, rows, &generator) : .random(rows, depth, &generator)
    b =
      transposed == .second
      ? .random(columns, depth, &generator) : .random(depth, columns, &generator)
  }

  /// A square product.
  static func square(_ size: Int) -> SizedProduct { SizedProduct("a @ b", size, size, size) }

  /// The six products of a step at a batch size, in the order of the step.
  static func step(_ shape: ModelShape, batchSize n: Int) -> [SizedProduct] {
    let (inputs, hidden, vocabulary) = (shape.contextWidth, shape.hidden, shape.vocabulary)
    return [
      SizedProduct("embcat @ W1", n, hidden, inputs),
      SizedProduct("h @ W2", n, vocabulary, hidden),
      SizedProduct("dlogits @ W2.T", n, hidden, vocabulary, .second),
      SizedProduct("h.T @ dlogits", hidden, vocabulary, n, .first),
      SizedProduct("dhprebn @ W1.T", n, inputs, hidden, .second),
      SizedProduct("embcat.T @ dhprebn", inputs, hidden, n, .first),
    ]
  }

  /// depth · ulp of 1 · the sums' largest magnitude, which is at most depth: no element exceeds 1.
  var errorBound: Float { Float(depth) * .ulpOfOne * Float(depth) }

  func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>) {
    switch transposed {
    case .none: matmul.accumulate(a, b, into: &result)
    case .first: matmul.accumulate(a.T, b, into: &result)
    case .second: matmul.accumulate(a, b.T, into: &result)
    }
  }
}

extension Matrix<Float> {
  /// Numbers from −1 to 1.
  fileprivate static func random(
    _ rows: Int, _ columns: Int, _ generator: inout TorchGenerator
  ) -> Matrix {
    let elements = (0..<rows * columns).map { _ in 2 * generator.uniformFloat() - 1 }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }
}
