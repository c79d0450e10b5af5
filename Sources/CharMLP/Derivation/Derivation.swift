// The forward and the backward pass, step by step: one line of Swift for each line of the
// derivation.
//
// This is the reference that everything faster is checked against, and the text that a learner
// reads beside their own derivation; docs/derivation.md explains each line. It keeps every
// intermediate. A line is evaluated when it is first read and then kept. So the lines alone
// determine the order of evaluation, and setting a tensor before reading the loss gives the loss
// that follows from it: that is how the gradient check perturbs an intermediate. Above each
// gradient is the forward line that it differentiates.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// The forward and the backward pass of one minibatch, with every intermediate and every gradient.
///
/// dx stands for ∂loss/∂x and has the shape of x. `*` is elementwise and repeats dimensions of 1.
public final class Derivation<Scalar: MatrixScalar> {
  // MARK: Given

  let matmul: MatrixProduct
  let Xb: [Int]  // (n·block)
  let Yb: [Int]  // (n)
  let C: Matrix<Scalar>  // (vocabulary, embedding)
  let W1: Matrix<Scalar>  // (block·embedding, hidden)
  let b1: Matrix<Scalar>  // (1, hidden)
  let W2: Matrix<Scalar>  // (hidden, vocabulary)
  let b2: Matrix<Scalar>  // (1, vocabulary)
  let bngain: Matrix<Scalar>  // (1, hidden)
  let bnbias: Matrix<Scalar>  // (1, hidden)
  let hmask: Matrix<Scalar>  // (n, hidden), or (1, 1) if nothing is dropped
  let n: Scalar

  /// Prepares the pass of a minibatch of at least two windows; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - parameters: The network's.
  ///   - minibatch: The windows; their block size is the network's.
  ///   - dropout: Which hidden units are dropped; nil for none, as in the lecture.
  ///   - matmul: The product of matrices.
  public init(
    _ parameters: Parameters<Scalar>, _ minibatch: Minibatch, dropout: RandomMask? = nil,
    matmul: MatrixProduct = .blas
  ) {
    precondition(minibatch.count >= 2, "Derivation: the variance of one window is undefined")
    precondition(
      minibatch.blockSize == parameters.shape.blockSize,
      "Derivation: windows of \(minibatch.blockSize) for a network of \(parameters.shape.blockSize)"
    )
    self.matmul = matmul
    Xb = minibatch.contexts.map(Int.init)
    Yb = minibatch.targets.map(Int.init)
    C = parameters.C
    W1 = parameters.W1
    b1 = parameters.b1
    W2 = parameters.W2
    b2 = parameters.b2
    bngain = parameters.bngain
    bnbias = parameters.bnbias
    hmask =
      dropout?.matrix(minibatch.count, W1.columns) ?? Matrix(rows: 1, columns: 1, repeating: 1)
    n = Scalar(minibatch.count)
  }

  // MARK: Forward

  // Embedding
  public lazy var emb = C.gatheringRows(Xb)  // (n·block, embedding)
  public lazy var embcat = emb.reshaped(Yb.count, W1.rows)  // (n, block·embedding)

  // Linear layer 1
  public lazy var hprebn = matmul(embcat, W1) + b1  // (n, hidden)

  // Batch norm
  public lazy var bnmeani = 1 / n * hprebn.sum(.rows)  // (1, hidden)
  public lazy var bndiff = hprebn - bnmeani  // (n, hidden)
  public lazy var bndiff2 = pow(bndiff, 2)  // (n, hidden)
  public lazy var bnvar = 1 / (n - 1) * bndiff2.sum(.rows)  // (1, hidden), Bessel's n − 1
  public lazy var bnvar_inv = pow(bnvar + 1e-5, -0.5)  // (1, hidden)
  public lazy var bnraw = bndiff * bnvar_inv  // (n, hidden)
  public lazy var hpreact = bngain * bnraw + bnbias  // (n, hidden)

  // Nonlinearity
  public lazy var h = tanh(hpreact)  // (n, hidden)

  // Dropout
  public lazy var hdrop = h * hmask  // (n, hidden)

  // Linear layer 2
  public lazy var logits = matmul(hdrop, W2) + b2  // (n, vocabulary)

  // Cross-entropy
  public lazy var logit_maxes = logits.max(.columns)  // (n, 1)
  public lazy var norm_logits = logits - logit_maxes  // (n, vocabulary), for numerical stability
  public lazy var counts = exp(norm_logits)  // (n, vocabulary)
  public lazy var counts_sum = counts.sum(.columns)  // (n, 1)
  public lazy var counts_sum_inv = pow(counts_sum, -1)  // (n, 1)
  public lazy var probs = counts * counts_sum_inv  // (n, vocabulary)
  public lazy var logprobs = log(probs)  // (n, vocabulary)
  public lazy var loss = -1 / n * logprobs.picking(Yb).sum(.rows)  // (1, 1)

  // MARK: Backward

  // loss = -1 / n * logprobs.picking(Yb).sum(.rows)
  public lazy var dlogprobs = -1 / n * Matrix.oneHot(Yb, columns: W2.columns)  // (n, vocabulary)

  // logprobs = log(probs)
  public lazy var dprobs = pow(probs, -1) * dlogprobs  // (n, vocabulary)

  // probs = counts * counts_sum_inv
  public lazy var dcounts_sum_inv = (dprobs * counts).sum(.columns)  // (n, 1)

  // counts_sum_inv = pow(counts_sum, -1)
  public lazy var dcounts_sum = -pow(counts_sum, -2) * dcounts_sum_inv  // (n, 1)

  // probs = counts * counts_sum_inv, and counts_sum = counts.sum(.columns)
  public lazy var dcounts = dprobs * counts_sum_inv + dcounts_sum  // (n, vocabulary)

  // counts = exp(norm_logits)
  public lazy var dnorm_logits = counts * dcounts  // (n, vocabulary)

  // norm_logits = logits - logit_maxes
  public lazy var dlogit_maxes = -dnorm_logits.sum(.columns)  // (n, 1)

  // norm_logits = logits - logit_maxes, and logit_maxes = logits.max(.columns)
  public lazy var dlogits = dnorm_logits + logits.maximaOfRows * dlogit_maxes  // (n, vocabulary)

  // logits = matmul(hdrop, W2) + b2
  public lazy var dhdrop = matmul(dlogits, W2.T)  // (n, hidden)
  public lazy var dW2 = matmul(hdrop.T, dlogits)  // (hidden, vocabulary)
  public lazy var db2 = dlogits.sum(.rows)  // (1, vocabulary)

  // hdrop = h * hmask
  public lazy var dh = dhdrop * hmask  // (n, hidden)

  // h = tanh(hpreact)
  public lazy var dhpreact = (1 - pow(h, 2)) * dh  // (n, hidden)

  // hpreact = bngain * bnraw + bnbias
  public lazy var dbngain = (bnraw * dhpreact).sum(.rows)  // (1, hidden)
  public lazy var dbnbias = dhpreact.sum(.rows)  // (1, hidden)
  public lazy var dbnraw = bngain * dhpreact  // (n, hidden)

  // bnraw = bndiff * bnvar_inv
  public lazy var dbnvar_inv = (bndiff * dbnraw).sum(.rows)  // (1, hidden)

  // bnvar_inv = pow(bnvar + 1e-5, -0.5)
  public lazy var dbnvar = -0.5 * pow(bnvar + 1e-5, -1.5) * dbnvar_inv  // (1, hidden)

  // bnvar = 1 / (n - 1) * bndiff2.sum(.rows)
  public lazy var dbndiff2 = 1 / (n - 1) * dbnvar.broadcast(Yb.count, W1.columns)  // (n, hidden)

  // bnraw = bndiff * bnvar_inv, and bndiff2 = pow(bndiff, 2)
  public lazy var dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2  // (n, hidden)

  // bndiff = hprebn - bnmeani
  public lazy var dbnmeani = -dbndiff.sum(.rows)  // (1, hidden)

  // bndiff = hprebn - bnmeani, and bnmeani = 1 / n * hprebn.sum(.rows)
  public lazy var dhprebn = dbndiff + 1 / n * dbnmeani  // (n, hidden)

  // hprebn = matmul(embcat, W1) + b1
  public lazy var dembcat = matmul(dhprebn, W1.T)  // (n, block·embedding)
  public lazy var dW1 = matmul(embcat.T, dhprebn)  // (block·embedding, hidden)
  public lazy var db1 = dhprebn.sum(.rows)  // (1, hidden)

  // embcat = emb.reshaped(n, block·embedding)
  public lazy var demb = dembcat.reshaped(emb.rows, emb.columns)  // (n·block, embedding)

  // emb = C.gatheringRows(Xb)
  public lazy var dC = demb.scatteringRows(Xb, into: C.rows)  // (vocabulary, embedding)
}

extension Derivation {
  /// The gradients of all parameters.
  public var gradients: Gradients<Scalar> {
    Gradients(C: dC, W1: dW1, b1: db1, W2: dW2, b2: db2, bngain: dbngain, bnbias: dbnbias)
  }
}

// MARK: - All in one go
//
// The whole backward pass of cross-entropy and of batch norm, each as one expression.
// docs/derivation.md derives both. They equal the step-by-step gradients except for rounding, and
// they are what the fused engine computes.

extension Derivation {
  /// dlogits from the logits: `(softmax(logits) − onehot(Yb)) / n`.  (n, vocabulary)
  public var dlogitsInOneGo: Matrix<Scalar> {
    (softmax(logits) - Matrix.oneHot(Yb, columns: W2.columns)) / n
  }

  /// dhprebn from dhpreact:
  /// `bngain·bnvar_inv/n · (n·dhpreact − Σ dhpreact − n/(n−1)·bnraw·Σ(dhpreact·bnraw))`.
  /// (n, hidden)
  public var dhprebnInOneGo: Matrix<Scalar> {
    let variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(.rows)  // (n, hidden)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(.rows) - variance)
  }
}

/// e^logits over their sum, row by row, with each row's largest logit subtracted first.
public func softmax<Scalar>(_ logits: Matrix<Scalar>) -> Matrix<Scalar> {
  let counts = exp(logits - logits.max(.columns))  // (n, vocabulary)
  return counts * pow(counts.sum(.columns), -1)  // (n, vocabulary)
}
