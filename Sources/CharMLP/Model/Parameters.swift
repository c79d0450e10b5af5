// The parameters of the network, and at the same time the type of their gradients.
//
// One ordered list of names and key paths drives the update, the file's order, the parameter count
// and the gradient check's rows; nothing repeats it.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra
import RealModule

/// What training changes.
///
/// The names are the derivation's. b1, b2, bngain and bnbias are rows, so that they broadcast.
public struct Parameters<Scalar: MatrixScalar>: Equatable, Sendable {
  /// The embedding: a row of numbers for each character.  (vocabulary, embedding)
  public var C: Matrix<Scalar>  // (vocabulary, embedding)
  /// The weights of the first linear layer.  (block·embedding, hidden)
  public var W1: Matrix<Scalar>  // (block·embedding, hidden)
  /// The bias of the first linear layer, which batch norm takes away again.  (1, hidden)
  public var b1: Matrix<Scalar>  // (1, hidden)
  /// The weights of the second linear layer.  (hidden, vocabulary)
  public var W2: Matrix<Scalar>  // (hidden, vocabulary)
  /// The bias of the second linear layer.  (1, vocabulary)
  public var b2: Matrix<Scalar>  // (1, vocabulary)
  /// What batch norm multiplies by.  (1, hidden)
  public var bngain: Matrix<Scalar>  // (1, hidden)
  /// What batch norm adds.  (1, hidden)
  public var bnbias: Matrix<Scalar>  // (1, hidden)

  /// Creates parameters from matrices, whose shapes must fit each other.
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

  /// Makes parameters of what a function returns for each name, rows and columns.
  init<Failure: Error>(
    _ shape: ModelShape,
    reading: (_ name: String, _ rows: Int, _ columns: Int) throws(Failure) -> Matrix<Scalar>
  ) throws(Failure) {
    self.init(zeros: shape)
    for (name, path) in Self.ordered {
      let (rows, columns) = (self[keyPath: path].rows, self[keyPath: path].columns)
      self[keyPath: path] = try reading(name, rows, columns)
    }
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

// MARK: - Initial parameters

extension Parameters<Float> {
  /// The initial parameters of the lecture's notebook.
  ///
  /// C, W1 · (5/3)/√(embedding·block), b1 · 0.1, W2 · 0.1 and b2 · 0.1 are standard normal
  /// deviates, drawn in that order from `generator`, which then draws the minibatches. 5/3 is
  /// tanh's gain (Kaiming initialization). The notebook draws bngain = 1 + 0.1 · randn and bnbias =
  /// 0.1 · randn from PyTorch's global generator without seeding it; here a second generator with
  /// the same seed draws them, as after `torch.manual_seed(seed)`.
  public static func notebook(
    _ shape: ModelShape, seed: UInt64, generator: inout TorchGenerator
  ) -> Parameters {
    let gain = 5.0 / 3 / Double(shape.contextWidth).squareRoot()
    let C = generator.normal(shape.vocabulary, shape.embedding)
    let W1 = Float(gain) * generator.normal(shape.contextWidth, shape.hidden)
    let b1 = 0.1 * generator.normal(1, shape.hidden)
    let W2 = 0.1 * generator.normal(shape.hidden, shape.vocabulary)
    let b2 = 0.1 * generator.normal(1, shape.vocabulary)
    var second = TorchGenerator(seed: seed)
    let bngain = 0.1 * second.normal(1, shape.hidden) + 1
    let bnbias = 0.1 * second.normal(1, shape.hidden)
    return Parameters(C: C, W1: W1, b1: b1, W2: W2, b2: b2, bngain: bngain, bnbias: bnbias)
  }
}

extension TorchGenerator {
  /// `torch.randn((rows, columns), generator: self)`.
  fileprivate mutating func normal(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns, elements: randn(count: rows * columns))
  }
}
