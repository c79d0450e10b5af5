// The parameters of the network, and at the same time the type of their gradients.
//
// One ordered list of names and key paths drives the update, the file's order, the parameter count
// and the gradient check's rows; nothing repeats it.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// What training changes.
///
/// The names are the derivation's. b1, b2, bngain and bnbias are rows, so that they broadcast.
public struct Parameters<Scalar: MatrixScalar>: Equatable, Sendable {
  public var C: Matrix<Scalar>  // (vocabulary, embedding)
  public var W1: Matrix<Scalar>  // (block·embedding, hidden)
  public var b1: Matrix<Scalar>  // (1, hidden)
  public var W2: Matrix<Scalar>  // (hidden, vocabulary)
  public var b2: Matrix<Scalar>  // (1, vocabulary)
  public var bngain: Matrix<Scalar>  // (1, hidden)
  public var bnbias: Matrix<Scalar>  // (1, hidden)

  public init(
    C: Matrix<Scalar>, W1: Matrix<Scalar>, b1: Matrix<Scalar>, W2: Matrix<Scalar>,
    b2: Matrix<Scalar>, bngain: Matrix<Scalar>, bnbias: Matrix<Scalar>
  ) {
    self.C = C
    self.W1 = W1
    self.b1 = b1
    self.W2 = W2
    self.b2 = b2
    self.bngain = bngain
    self.bnbias = bnbias
  }

  /// Makes parameters that are zero everywhere.
  public init(zeros shape: ModelShape) {
    self.init(
      C: .zeros(shape.vocabulary, shape.embedding), W1: .zeros(shape.contextWidth, shape.hidden),
      b1: .zeros(1, shape.hidden), W2: .zeros(shape.hidden, shape.vocabulary),
      b2: .zeros(1, shape.vocabulary), bngain: .zeros(1, shape.hidden),
      bnbias: .zeros(1, shape.hidden))
  }

  /// The one list of all parameters, in the notebook's order.
  public static var ordered: [(name: String, path: WritableKeyPath<Parameters, Matrix<Scalar>>)] {
    [
      ("C", \.C), ("W1", \.W1), ("b1", \.b1), ("W2", \.W2), ("b2", \.b2), ("bngain", \.bngain),
      ("bnbias", \.bnbias),
    ]
  }

  /// The number of scalars in all parameters.
  public var count: Int { Self.ordered.reduce(0) { $0 + self[keyPath: $1.path].count } }

  /// The block size is W1's rows over C's columns.
  public var shape: ModelShape {
    ModelShape(
      vocabulary: C.rows, blockSize: W1.rows / C.columns, embedding: C.columns, hidden: W1.columns)
  }

  /// The same parameters in another scalar type, each rounded to nearest.
  public func converted<Other: MatrixScalar>(to: Other.Type = Other.self) -> Parameters<Other> {
    var result = Parameters<Other>(zeros: shape)
    for (source, target) in zip(Self.ordered, Parameters<Other>.ordered) {
      result[keyPath: target.path] = self[keyPath: source.path].converted()
    }
    return result
  }
}

/// The gradients of the loss, one for each parameter and of its shape.
public typealias Gradients = Parameters
