// A trained network: what it takes to predict, and nothing of how it was trained.
//
// In training, batch norm uses the statistics of the minibatch; here it uses those of the whole
// training split, measured once. Many contexts are predicted at a time, because a product of matrices
// is faster than as many products of rows.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// Parameters, batch norm's statistics and a vocabulary: a network that predicts.
public struct Model: Equatable, Sendable {
  public let vocabulary: Vocabulary
  public let parameters: Parameters<Float>
  public let statistics: BatchNormStatistics

  /// Puts a network together; the three must fit each other.
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
  }

  public var shape: ModelShape { parameters.shape }

  /// The logits of the character that follows each context.  (contexts, vocabulary)
  ///
  /// - Parameter contexts: Ids row by row.  (n · block)
  public func logits(_ contexts: ArraySlice<Int32>) -> Matrix<Float> {
    let p = parameters
    let hprebn = p.hprebn(contexts)  // (n, hidden)
    let bnvar_inv = pow(statistics.bnvar + 1e-5, -0.5)  // (1, hidden)
    let hpreact = p.bngain * ((hprebn - statistics.bnmean) * bnvar_inv) + p.bnbias  // (n, hidden)
    return MatrixProduct.blas(tanh(hpreact), p.W2) + p.b2  // (n, vocabulary)
  }
}

/// Mean and variance of every hidden unit before batch norm, over the training split.
public struct BatchNormStatistics: Equatable, Sendable {
  public let bnmean: Matrix<Float>  // (1, hidden)
  public let bnvar: Matrix<Float>  // (1, hidden), with Bessel's n − 1

  public init(bnmean: Matrix<Float>, bnvar: Matrix<Float>) {
    self.bnmean = bnmean
    self.bnvar = bnvar
  }
}

extension Parameters<Float> {
  /// The first linear layer: C's rows side by side, times W1, plus b1.  (contexts, hidden)
  func hprebn(_ contexts: ArraySlice<Int32>) -> Matrix<Float> {
    let emb = C.gatheringRows(contexts.map(Int.init))  // (n·block, embedding)
    let embcat = emb.reshaped(contexts.count / shape.blockSize, W1.rows)  // (n, block·embedding)
    return MatrixProduct.blas(embcat, W1) + b1  // (n, hidden)
  }
}
