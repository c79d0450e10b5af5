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

// MARK: - One step of an optimizer
//
// Over whole matrices, as in a textbook: the reference of the engine's, which works in place.

extension Parameters {
  /// The weights of the linear layers: what weight decay shrinks.
  ///
  /// Not gains, biases and embeddings, whose scale no other parameter could make up for.
  public static var decaying: [WritableKeyPath<Parameters, Matrix<Scalar>>] { [\.W1, \.W2] }

  /// Applies an update: w ← shrinkage · w for the decaying ones, then for every parameter
  /// p ← p − learningRate · gradient, or Adam's p ← p − learningRate · m̂ / (√v̂ + ε).
  ///
  /// - Precondition: there are moments if the update is Adam's.
  public mutating func apply(
    _ update: ParameterUpdate, _ gradients: Gradients<Scalar>, _ moments: inout Moments<Scalar>?
  ) {
    for path in Self.decaying {
      self[keyPath: path] = Scalar(update.shrinkage) * self[keyPath: path]
    }
    let learningRate = Scalar(update.learningRate)
    guard let adam = update.adam else {
      for (_, path) in Self.ordered {
        self[keyPath: path] = self[keyPath: path] - learningRate * gradients[keyPath: path]
      }
      return
    }
    guard var averages = moments else { preconditionFailure("apply: Adam without moments") }
    averages.add(gradients)
    let scale = learningRate * Scalar(adam.firstCorrection)
    for (_, path) in Self.ordered {
      let root = Scalar(adam.secondCorrection) * pow(averages.second[keyPath: path], 0.5)
      let step = averages.first[keyPath: path] * pow(root + Scalar(AdamStep.epsilon), -1)
      self[keyPath: path] = self[keyPath: path] - scale * step
    }
    moments = averages
  }
}

extension Parameters {
  /// Moves every parameter towards another one: p += share · (other − p).
  mutating func approach(_ other: Parameters, share: Float) {
    for (_, path) in Self.ordered {
      let old = self[keyPath: path]
      self[keyPath: path] = old + Scalar(share) * (other[keyPath: path] - old)
    }
  }
}

/// What Adam keeps for every parameter: running averages of its gradient and of the gradient
/// squared.
public struct Moments<Scalar: MatrixScalar>: Equatable, Sendable {
  /// Averages of the gradients.
  public var first: Parameters<Scalar>
  /// Averages of their squares.
  public var second: Parameters<Scalar>

  /// Averages before the first step.
  public init(zeros shape: ModelShape) {
    first = Parameters(zeros: shape)
    second = Parameters(zeros: shape)
  }

  /// m ← β₁·m + (1 − β₁)·gradient, v ← β₂·v + (1 − β₂)·gradient².
  mutating func add(_ gradients: Gradients<Scalar>) {
    let (beta1, beta2) = (Scalar(AdamStep.beta1), Scalar(AdamStep.beta2))
    for (_, path) in Parameters<Scalar>.ordered {
      let gradient = gradients[keyPath: path]
      first[keyPath: path] = beta1 * first[keyPath: path] + (1 - beta1) * gradient
      second[keyPath: path] = beta2 * second[keyPath: path] + (1 - beta2) * pow(gradient, 2)
    }
  }
}

// MARK: - Updates
//
// What one step does to the parameters: an optimizer's rule with the numbers of this step.
//
// It is independent of how parameters are stored. `Parameters.apply` is the rule over matrices, for
// reading and as the reference; the engine applies it in place.

/// The numbers of an update, the same for every parameter except for weight decay.
public struct ParameterUpdate: Equatable, Sendable {
  /// How far a parameter moves.
  public let learningRate: Float
  /// What W1 and W2 are multiplied by before they move: 1 − learningRate · weight decay.
  public let shrinkage: Float
  /// The numbers of Adam; nil for plain gradient descent.
  public let adam: AdamStep?
  /// How far the running average of the parameters moves towards them.
  public let averageShare: Float

  /// Creates an update.
  ///
  /// - Parameters:
  ///   - optimizer: The rule.
  ///   - learningRate: This step's.
  ///   - weightDecay: What a step takes of W1 and W2, times the learning rate.
  ///   - averaging: The weight of the old average of the parameters, if one is kept. It is smaller
  ///     in the first steps, (1 + step) / (10 + step) at most, so that the start is soon forgotten.
  ///   - step: The number of steps taken before, which Adam's corrections depend on.
  public init(
    _ optimizer: Optimizer = .sgd, learningRate: Float, weightDecay: Float = 0,
    averaging: Float = 0, step: Int
  ) {
    self.learningRate = learningRate
    shrinkage = 1 - learningRate * weightDecay
    adam = optimizer == .adamw ? AdamStep(number: step + 1) : nil
    averageShare = max(1 - averaging, 9 / Float(10 + step))
  }

  /// Plain gradient descent: every parameter −= learningRate · its gradient.
  public static func descent(_ learningRate: Float) -> ParameterUpdate {
    ParameterUpdate(learningRate: learningRate, step: 0)
  }
}

/// How gradients become updates.
public enum Optimizer: String, CaseIterable, Equatable, Sendable {
  /// Stochastic gradient descent.
  case sgd
  /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
  case adamw

  /// Whether it remembers averages of the gradients and of their squares.
  public var hasMoments: Bool { self == .adamw }
}

/// Adam's constants and its corrections at one step (Kingma and Ba, 2015, algorithm 1).
public struct AdamStep: Equatable, Sendable {
  /// The weight of the old average of the gradients, and of that of their squares; PyTorch's
  /// defaults.
  public static let (beta1, beta2): (Float, Float) = (0.9, 0.999)
  /// Keeps a parameter without gradients from dividing by zero.
  public static let epsilon: Float = 1e-8

  /// 1 / (1 − beta1ᵗ): the average began at zero.
  public let firstCorrection: Float
  /// 1 / √(1 − beta2ᵗ).
  public let secondCorrection: Float

  /// The step of number t, counted from 1.
  public init(number t: Int) {
    precondition(t >= 1, "AdamStep: step \(t)")
    firstCorrection = Float(1 / (1 - Double.pow(Double(Self.beta1), t)))
    secondCorrection = Float(1 / (1 - Double.pow(Double(Self.beta2), t)).squareRoot())
  }
}
