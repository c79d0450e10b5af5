// Cross-entropy and batch norm "all in one go": the whole backward pass of each as one expression.
//
// docs/derivation.md derives both. They equal the step-by-step gradients but for rounding, and they
// are what the fused engine computes.

public import LinearAlgebra

extension Derivation {
  /// dlogits from the logits: `(softmax(logits) − onehot(Yb)) / n`.  (n, vocabulary)
  public var dlogitsInOneGo: Matrix<Scalar> {
    (softmax(logits) - Matrix.oneHot(Yb, columns: W2.columns)) / n
  }

  /// dhprebn from dhpreact:
  /// `bngain·bnvar_inv/n · (n·dhpreact − Σ dhpreact − n/(n−1)·bnraw·Σ(dhpreact·bnraw))`.  (n, hidden)
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
