// The derivation's tensors by name, in the notebook's order: what a table, a file or a test walks along.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

extension Derivation {
  /// A tensor of the pass: its name in the derivation, and where it is.
  public typealias Tensor = (
    name: String, path: ReferenceWritableKeyPath<Derivation, Matrix<Scalar>>
  )

  /// The tensors of the forward pass, each after those it is computed from.
  public static var forwardTensors: [Tensor] {
    [
      ("emb", \.emb), ("embcat", \.embcat), ("hprebn", \.hprebn), ("bnmeani", \.bnmeani),
      ("bndiff", \.bndiff), ("bndiff2", \.bndiff2), ("bnvar", \.bnvar), ("bnvar_inv", \.bnvar_inv),
      ("bnraw", \.bnraw), ("hpreact", \.hpreact), ("h", \.h), ("logits", \.logits),
      ("logit_maxes", \.logit_maxes), ("norm_logits", \.norm_logits), ("counts", \.counts),
      ("counts_sum", \.counts_sum), ("counts_sum_inv", \.counts_sum_inv), ("probs", \.probs),
      ("logprobs", \.logprobs), ("loss", \.loss),
    ]
  }

  /// The 26 gradients from the loss down to the embedding, under the names of what they belong to.
  public static var gradientTensors: [Tensor] {
    [
      ("logprobs", \.dlogprobs), ("probs", \.dprobs), ("counts_sum_inv", \.dcounts_sum_inv),
      ("counts_sum", \.dcounts_sum), ("counts", \.dcounts), ("norm_logits", \.dnorm_logits),
      ("logit_maxes", \.dlogit_maxes), ("logits", \.dlogits), ("h", \.dh), ("W2", \.dW2),
      ("b2", \.db2), ("hpreact", \.dhpreact), ("bngain", \.dbngain), ("bnbias", \.dbnbias),
      ("bnraw", \.dbnraw), ("bnvar_inv", \.dbnvar_inv), ("bnvar", \.dbnvar),
      ("bndiff2", \.dbndiff2), ("bndiff", \.dbndiff), ("bnmeani", \.dbnmeani),
      ("hprebn", \.dhprebn), ("embcat", \.dembcat), ("W1", \.dW1), ("b1", \.db1), ("emb", \.demb),
      ("C", \.dC),
    ]
  }
}
