// The six matrix products of a training step, as Matrix values: what a benchmark times.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// One of the six products of a step, with operands of the right shapes.
public struct StepProduct: Sendable {
  /// As the derivation writes it: `dlogits @ W2.T`.
  public let name: String
  public let rows: Int
  public let columns: Int
  public let depth: Int
  private let a: Matrix<Float>
  private let b: Matrix<Float>
  private let transposed: Operand

  private enum Operand { case none, first, second }

  /// The six products of one minibatch, in the order of the step.
  public static func all(_ derivation: Derivation<Float>) -> [StepProduct] {
    let d = derivation
    return [
      StepProduct("embcat @ W1", d.embcat, d.W1, .none),
      StepProduct("h @ W2", d.h, d.W2, .none),
      StepProduct("dlogits @ W2.T", d.dlogits, d.W2, .second),
      StepProduct("h.T @ dlogits", d.h, d.dlogits, .first),
      StepProduct("dhprebn @ W1.T", d.dhprebn, d.W1, .second),
      StepProduct("embcat.T @ dhprebn", d.embcat, d.dhprebn, .first),
    ]
  }

  private init(
    _ name: String, _ a: Matrix<Float>, _ b: Matrix<Float>, _ transposed: Operand
  ) {
    self.name = name
    self.a = a
    self.b = b
    self.transposed = transposed
    rows = transposed == .first ? a.columns : a.rows
    depth = transposed == .first ? a.rows : a.columns
    columns = transposed == .second ? b.rows : b.columns
  }

  /// Multiply-adds count as two operations.
  public var operations: Double { 2 * Double(rows) * Double(columns) * Double(depth) }

  /// What two orders of summation can differ by: depth · ulp of 1 · the sums' largest magnitude, which is
  /// at most depth · max|a| · max|b|.
  public var errorBound: Float {
    let magnitude =
      a.elements.reduce(0) { max($0, abs($1)) } * b.elements.reduce(0) { max($0, abs($1)) }
    return Float(depth) * .ulpOfOne * Float(depth) * magnitude
  }

  /// Room for the result.  (rows, columns)
  public func emptyResult() -> Matrix<Float> { .zeros(rows, columns) }

  /// Computes the product into memory that is there already.
  public func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>) {
    switch transposed {
    case .none: matmul.accumulate(a, b, into: &result)
    case .first: matmul.accumulate(a.T, b, into: &result)
    case .second: matmul.accumulate(a, b.T, into: &result)
    }
  }
}
