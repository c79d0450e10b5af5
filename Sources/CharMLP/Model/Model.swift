// A trained network: what it takes to predict, and nothing of how it was trained.
//
// In training, batch norm uses the statistics of the minibatch; here it uses those of the whole
// training split, measured once. That makes it one more linear map, which is folded into the first
// linear layer. Many contexts are predicted at a time, because one product of matrices is faster
// than many of rows.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra
import RealModule

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

// MARK: - Shape

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

  /// The sizes of a network whose C and W1 have these shapes; nil if no network has.
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

// MARK: - Evaluation

extension Model {
  /// The mean cross-entropy over all windows behind `contexts`, in nats per character.
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

  /// Hands over every context, its row in the matrices of its block, and these.
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

  /// The loss of guessing among so many characters alike, log(count).
  public static func guessing(among count: Int) -> Double { .log(Double(count)) }
}
