// Over which distance the loss bends, tensor by tensor: what a difference quotient's step is a small
// part of.
//
// The logits bend the loss over a distance of about 1, and tanh bends over 1 too; a tensor before
// them bends it over that distance divided by the slope between. What a logarithm, a reciprocal or a
// root is taken of bends over a distance of its own size: a target's probability of 1e-4, or batch
// norm's variance. Scales need only be right within a factor of ten or so.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The scale of every element's step.
struct StepScales {
  private let steps: Derivation<Double>

  init(_ steps: Derivation<Double>) { self.steps = steps }

  /// The scales of a parameter's or an intermediate's elements, in its shape or one that broadcasts.
  func scales(of name: String) -> Matrix<Double> {
    switch name {
    case "probs": targets(steps.probs, others: 1)
    case "counts": targets(steps.counts, others: steps.counts_sum)
    case "counts_sum": steps.counts_sum
    case "counts_sum_inv": steps.counts_sum_inv
    case "logprobs", "norm_logits", "logit_maxes", "logits", "W2", "b2": one
    case "h": hidden
    case "hpreact", "bnbias": hidden
    case "bngain": hidden / size(steps.bnraw)
    case "bnraw": normalized
    case "bnvar_inv": steps.bnvar_inv * spread
    case "bnvar": variance * spread
    case "bndiff2": (steps.n - 1) * (variance * spread)
    case "bndiff", "bnmeani", "hprebn", "b1": beforeNormalization
    case "W1": beforeNormalization / size(steps.embcat)
    case "embcat", "emb", "C": smallest(beforeNormalization) / size(steps.W1)
    default: preconditionFailure("StepScales: \(name) is no tensor of the pass")
    }
  }

  private var one: Matrix<Double> { Matrix(rows: 1, columns: 1, repeating: 1) }
  private var variance: Matrix<Double> { steps.bnvar + 1e-5 }  // (1, hidden)

  /// From the logits back through W2 and dropout.  (1, 1)
  private var hidden: Matrix<Double> { one / (size(steps.W2) * size(steps.hmask)) }
  /// From hpreact back through the gain.  (1, 1)
  private var normalized: Matrix<Double> { hidden / size(steps.bngain) }
  /// The part of its size by which a factor of bnraw may change.  (1, 1)
  private var spread: Matrix<Double> { normalized / size(steps.bnraw) }
  /// From bnraw back through the division by the standard deviation.  (1, hidden)
  private var beforeNormalization: Matrix<Double> { normalized * pow(steps.bnvar_inv, -1) }

  /// The largest magnitude, but at least 1.
  private func size(_ x: Matrix<Double>) -> Double { x.elements.reduce(1) { max($0, abs($1)) } }

  private func smallest(_ x: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: 1, columns: 1, repeating: x.elements.min() ?? 1)
  }

  /// Each row's target has a scale of its own size; the others share one.
  private func targets(_ x: Matrix<Double>, others: Matrix<Double>) -> Matrix<Double> {
    let isTarget = Matrix<Double>.oneHot(steps.Yb, columns: x.columns)
    return isTarget * x + (1 - isTarget) * others
  }

  private func targets(_ x: Matrix<Double>, others: Double) -> Matrix<Double> {
    targets(x, others: Matrix(rows: 1, columns: 1, repeating: others))
  }
}
