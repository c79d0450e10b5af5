// The loss of a pass in which one tensor is not what the lines before it made of it.
//
// This is how an intermediate gets a numeric gradient: everything before it is taken from the
// unperturbed pass, the tensor itself is set, and the loss is read. The derivation evaluates what
// follows and nothing else.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The loss as a function of any one tensor of the forward pass.
struct PerturbedLoss: Sendable {
  private let parameters: Parameters<Double>
  private let minibatch: Minibatch
  private let dropout: RandomMask?

  /// The unperturbed tensors, in the order of `intermediates`.
  private let forward: [Matrix<Double>]

  init(_ problem: GradientProblem, steps: Derivation<Double>) {
    parameters = problem.parameters
    minibatch = problem.minibatch
    dropout = problem.dropout
    forward = Derivation<Double>.forwardTensors.map { steps[keyPath: $0.path] }
    precondition(
      Self.intermediates.map(\.name) == Derivation<Double>.forwardTensors.map(\.name),
      "PerturbedLoss: the pass has other tensors")
  }

  /// The loss with the tensor of the given name, an intermediate or a parameter, set to `value`.
  func callAsFunction(_ name: String, _ value: Matrix<Double>) -> Double {
    if let index = Self.intermediates.firstIndex(where: { $0.name == name }) {
      let pass = pass(parameters, keeping: index)
      Self.intermediates[index].set(pass, value)
      return pass.loss[0, 0]
    }
    var perturbed = parameters
    for (parameter, path) in Parameters<Double>.ordered where parameter == name {
      perturbed[keyPath: path] = value
    }
    let reader = Self.intermediates.firstIndex { $0.name == Self.firstReader[name] }
    guard let reader else { preconditionFailure("PerturbedLoss: \(name) is no tensor of the pass") }
    return pass(perturbed, keeping: reader).loss[0, 0]
  }

  /// A pass whose first `count` intermediates are the unperturbed ones.
  private func pass(_ parameters: Parameters<Double>, keeping count: Int) -> Derivation<Double> {
    let pass = Derivation(parameters, minibatch, dropout: dropout)
    for index in 0..<count { Self.intermediates[index].set(pass, forward[index]) }
    return pass
  }

  /// The first intermediate that a parameter changes.
  private static let firstReader = [
    "C": "emb", "W1": "hprebn", "b1": "hprebn", "bngain": "hpreact", "bnbias": "hpreact",
    "W2": "logits", "b2": "logits",
  ]

  /// How each intermediate is set. Through its key path, the line would be evaluated before its result
  /// is replaced, and a check of the logits would cost as much as one of the embedding.
  private static let intermediates:
    [(name: String, set: @Sendable (Derivation<Double>, Matrix<Double>) -> Void)] = [
      ("emb", { $0.emb = $1 }), ("embcat", { $0.embcat = $1 }), ("hprebn", { $0.hprebn = $1 }),
      ("bnmeani", { $0.bnmeani = $1 }), ("bndiff", { $0.bndiff = $1 }),
      ("bndiff2", { $0.bndiff2 = $1 }), ("bnvar", { $0.bnvar = $1 }),
      ("bnvar_inv", { $0.bnvar_inv = $1 }), ("bnraw", { $0.bnraw = $1 }),
      ("hpreact", { $0.hpreact = $1 }), ("h", { $0.h = $1 }), ("logits", { $0.logits = $1 }),
      ("logit_maxes", { $0.logit_maxes = $1 }), ("norm_logits", { $0.norm_logits = $1 }),
      ("counts", { $0.counts = $1 }), ("counts_sum", { $0.counts_sum = $1 }),
      ("counts_sum_inv", { $0.counts_sum_inv = $1 }), ("probs", { $0.probs = $1 }),
      ("logprobs", { $0.logprobs = $1 }), ("loss", { $0.loss = $1 }),
    ]
}
