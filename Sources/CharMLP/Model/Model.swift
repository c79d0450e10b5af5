// A trained network: what it takes to predict, and nothing of how it was trained.
//
// In training, batch norm uses the statistics of the minibatch; here it uses those of the whole
// training split, measured once. With those it is one more linear map, and so it is folded into the
// first linear layer. Many contexts are predicted at a time, because a product of matrices is faster
// than as many products of rows.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// Parameters, batch norm's statistics and a vocabulary: a network that predicts.
public struct Model: Equatable, Sendable {
  public let vocabulary: Vocabulary
  public let parameters: Parameters<Float>
  public let statistics: BatchNormStatistics
  let foldedW1: Matrix<Float>  // (block·embedding, hidden)
  let foldedb1: Matrix<Float>  // (1, hidden)

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
    // bngain · (hprebn − bnmean) · bnvar_inv + bnbias, with hprebn = embcat @ W1 + b1.
    let scale = parameters.bngain * pow(statistics.bnvar + 1e-5, -0.5)  // (1, hidden)
    foldedW1 = parameters.W1 * scale
    foldedb1 = (parameters.b1 - statistics.bnmean) * scale + parameters.bnbias
  }

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
  public let bnmean: Matrix<Float>  // (1, hidden)
  public let bnvar: Matrix<Float>  // (1, hidden), with Bessel's n − 1

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
