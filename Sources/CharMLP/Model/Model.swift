// The network: its sizes, its parameters, and what it predicts once it is trained.
//
// One ordered list of the parameters' names and key paths drives the update, the file's order, the
// parameter count and the gradient check's rows; nothing repeats it.
//
// In training, batch norm uses the statistics of the minibatch; a trained network uses those of the
// whole training split, measured once. That makes it one more linear map, which is folded into the
// first linear layer.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra
import RealModule

// MARK: Shape

/// The four sizes that determine every tensor of the network.
public struct ModelShape: Equatable, Sendable {
  /// Symbols with the terminator; rows of C, columns of the logits.
  public let vocabulary: Int
  /// Characters of context that the network sees (block size, context length).
  public let blockSize: Int
  /// Numbers that represent one character.
  public let embedding: Int
  /// Units of the hidden layer.
  public let hidden: Int

  /// Makes a shape.
  ///
  /// - Precondition: every size is at least 1.
  public init(vocabulary: Int, blockSize: Int, embedding: Int, hidden: Int) {
    precondition(
      min(vocabulary, blockSize, embedding, hidden) >= 1,
      "ModelShape: vocabulary \(vocabulary), block \(blockSize), embedding \(embedding), hidden \(hidden)"
    )
    self.vocabulary = vocabulary
    self.blockSize = blockSize
    self.embedding = embedding
    self.hidden = hidden
  }

  /// The sizes of the network whose C and W1 have these shapes; nil if there is no such network.
  init?(C: [Int], W1: [Int]) {
    guard C.count == 2, W1.count == 2, min(C[0], C[1], W1[0], W1[1]) >= 1,
      W1[0].isMultiple(of: C[1])
    else { return nil }
    self.init(vocabulary: C[0], blockSize: W1[0] / C[1], embedding: C[1], hidden: W1[1])
  }

  /// The width of `embcat`: block · embedding.
  public var contextWidth: Int { blockSize * embedding }

  /// The columns of the widest matrix with a row for each context.
  var widestRow: Int { max(contextWidth, hidden, vocabulary) }
}

extension [Int] {
  /// A shape or an index as PyTorch shows it: `(32, 27)`, `(27,)`, `()`.
  package var shapeDescription: String {
    count == 1 ? "(\(self[0]),)" : "(" + map(String.init).joined(separator: ", ") + ")"
  }
}

// MARK: - Parameters

/// What training changes.
///
/// The names are the derivation's. b1, b2, bngain and bnbias are rows, so that they broadcast.
public struct Parameters<Scalar: MatrixScalar>: Equatable, Sendable {
  /// The embedding: a row of numbers for each character.  (vocabulary, embedding)
  public var C: Matrix<Scalar>  // (vocabulary, embedding)
  /// The weights of the first linear layer.  (block·embedding, hidden)
  public var W1: Matrix<Scalar>  // (block·embedding, hidden)
  /// The bias of the first linear layer, which batch norm cancels.  (1, hidden)
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

  /// Makes parameters from what a function returns for each name and shape.
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

  /// The sizes of the network; the block size is W1's rows over C's columns.
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

// MARK: - A trained network
//
// Many contexts are predicted at a time, because one matrix product is faster than many products of
// single rows.

/// Parameters, batch norm's statistics and a vocabulary: a network that predicts.
public struct Model: Equatable, Sendable {
  /// The symbols that it knows.
  public let vocabulary: Vocabulary
  /// The trained parameters.
  public let parameters: Parameters<Float>
  /// What batch norm subtracts and divides by.
  public let statistics: BatchNormStatistics
  let foldedW1: Matrix<Float>  // (block·embedding, hidden)
  let foldedb1: Matrix<Float>  // (1, hidden)

  /// Creates a network from its parts, which must fit each other.
  public init(
    vocabulary: Vocabulary, parameters: Parameters<Float>, statistics: BatchNormStatistics
  ) {
    precondition(
      parameters.shape.vocabulary == vocabulary.count
        && statistics.bnmean.columns == parameters.shape.hidden,
      "Model: \(parameters.shape) with \(vocabulary.count) ids and \(statistics.bnmean.columns) units"
    )
    self.vocabulary = vocabulary
    self.parameters = parameters
    self.statistics = statistics
    // bngain · (hprebn − bnmean) · bnvar_inv + bnbias, with hprebn = embcat @ W1 + b1.
    let scale = parameters.bngain * pow(statistics.bnvar + 1e-5, -0.5)  // (1, hidden)
    foldedW1 = parameters.W1 * scale
    foldedb1 = (parameters.b1 - statistics.bnmean) * scale + parameters.bnbias
  }

  /// The sizes of the network.
  public var shape: ModelShape { parameters.shape }

  /// The logits of the character that follows each context.  (contexts, vocabulary)
  ///
  /// - Parameter contexts: Ids row by row.  (n · block)
  public func logits(_ contexts: ArraySlice<Int32>) -> Matrix<Float> {
    let embcat = parameters.embcat(contexts)  // (n, block·embedding)
    let hpreact = MatrixProduct.blas(embcat, foldedW1) + foldedb1  // (n, hidden)
    return MatrixProduct.blas(vectorizedTanh(hpreact), parameters.W2) + parameters.b2
  }
}

/// Mean and variance of every hidden unit before batch norm, over the training split.
public struct BatchNormStatistics: Equatable, Sendable {
  /// The mean of each unit.  (1, hidden)
  public let bnmean: Matrix<Float>  // (1, hidden)
  /// The variance of each unit.  (1, hidden)
  public let bnvar: Matrix<Float>  // (1, hidden), with Bessel's n − 1

  /// Creates statistics from known values.  (1, hidden) each
  public init(bnmean: Matrix<Float>, bnvar: Matrix<Float>) {
    self.bnmean = bnmean
    self.bnvar = bnvar
  }
}

extension Parameters<Float> {
  /// C's rows side by side.  (contexts, block·embedding)
  func embcat(_ contexts: ArraySlice<Int32>) -> Matrix<Float> {
    let emb = C.gatheringRows(contexts)  // (n·block, embedding)
    return emb.reshaped(contexts.count * C.columns / W1.rows, W1.rows)
  }
}

// MARK: - Evaluation

extension Model {
  /// The mean cross-entropy over all windows that `contexts` counts, in nats per character.
  package func loss(over contexts: DistinctContexts) -> Double {
    var total = 0.0
    forEachContext(of: contexts) { context, row, norm_logits, _, counts_sum in
      let log_sum = Double.log(Double(counts_sum[row, 0]))
      for entry in contexts.targetRange(of: context) {
        let logprob = Double(norm_logits[row, Int(contexts.targets[entry])]) - log_sum
        total -= logprob * Double(contexts.targetCounts[entry])
      }
    }
    return total / Double(contexts.windowCount)
  }

  /// The probability of every entry's character, by entry of `contexts`, whose blocks are as long
  /// as this network's or longer.
  func probabilities(over contexts: DistinctContexts) -> [Double] {
    var probabilities = [Double](repeating: 0, count: contexts.targets.count)
    forEachContext(of: contexts) { context, row, _, counts, counts_sum in
      for entry in contexts.targetRange(of: context) {
        probabilities[entry] =
          Double(counts[row, Int(contexts.targets[entry])]) / Double(counts_sum[row, 0])
      }
    }
    return probabilities
  }

  /// Calls `body` with every context, its row in its block's matrices, and these matrices.
  private func forEachContext(
    of contexts: DistinctContexts,
    _ body: (
      _ context: Int, _ row: Int, _ norm_logits: Matrix<Float>, _ counts: Matrix<Float>,
      _ counts_sum: Matrix<Float>
    ) -> Void
  ) {
    for block in contexts.blocks(width: max(shape.widestRow, contexts.blockSize)) {
      let logits = logits(block.contexts.lastOfEach(shape.blockSize, of: contexts.blockSize))
      let norm_logits = logits - logits.max(.columns)  // (n, vocabulary)
      let counts = exp(norm_logits)  // (n, vocabulary)
      let counts_sum = counts.sum(.columns)  // (n, 1)
      for (row, context) in block.indices.enumerated() {
        body(context, row, norm_logits, counts, counts_sum)
      }
    }
  }
}

extension ArraySlice<Int32> {
  /// The last `length` ids of every block.
  fileprivate func lastOfEach(_ length: Int, of blockSize: Int) -> ArraySlice<Int32> {
    guard length < blockSize else { return self }
    return stride(from: startIndex, to: endIndex, by: blockSize)
      .flatMap { self[$0 + blockSize - length..<$0 + blockSize] }[...]
  }
}

// MARK: - Losses of a split

/// The mean cross-entropy over each part of a split, in nats per character.
public struct SplitLosses: Equatable, Sendable {
  /// Over the windows that train.
  public let train: Double
  /// Over the windows that validate.
  public let validation: Double
  /// Over the windows that test.
  public let test: Double

  /// Creates losses from known values.
  public init(train: Double, validation: Double, test: Double) {
    (self.train, self.validation, self.test) = (train, validation, test)
  }

  /// The losses of a network.
  package init(_ model: Model, _ dataset: Dataset) {
    self.init(dataset.measured) { model.loss(over: $0.distinct()) }
  }

  /// The losses of the three parts.
  init(_ parts: MeasuredWindows, _ loss: (ContextWindows) -> Double) {
    self.init(
      train: loss(parts.train), validation: loss(parts.validation), test: loss(parts.test))
  }

  /// The perplexity of a loss, exp(loss): the number of equally likely characters with that loss.
  public static func perplexity(_ loss: Double) -> Double { .exp(loss) }

  /// The loss of guessing uniformly among `count` characters, log(count).
  public static func guessing(among count: Int) -> Double { .log(Double(count)) }
}
