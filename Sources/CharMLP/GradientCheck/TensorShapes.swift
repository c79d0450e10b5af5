// The shapes of the pass's tensors as the notebook has them, from the sizes of the network.
//
// Here every tensor is a matrix; in the notebook, emb has three dimensions, b1 and b2 have one and the
// loss has none. Tables and files use the notebook's shapes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

/// The shape of every tensor of a pass, in the notebook's dimensions.
struct TensorShapes: Equatable, Sendable {
  let n: Int
  let model: ModelShape

  init(_ model: ModelShape, batchSize: Int) {
    n = batchSize
    self.model = model
  }

  init(_ problem: GradientProblem) {
    self.init(problem.parameters.shape, batchSize: problem.minibatch.count)
  }

  /// The shape of a parameter or an intermediate, and so of its gradient.
  func shape(of name: String) -> [Int] {
    switch name {
    case "C": [model.vocabulary, model.embedding]
    case "W1": [model.contextWidth, model.hidden]
    case "b1": [model.hidden]
    case "W2": [model.hidden, model.vocabulary]
    case "b2": [model.vocabulary]
    case "bngain", "bnbias", "bnmeani", "bnvar", "bnvar_inv": [1, model.hidden]
    case "emb": [n, model.blockSize, model.embedding]
    case "embcat": [n, model.contextWidth]
    case "hprebn", "bndiff", "bndiff2", "bnraw", "hpreact", "h": [n, model.hidden]
    case "logit_maxes", "counts_sum", "counts_sum_inv": [n, 1]
    case "logits", "norm_logits", "counts", "probs", "logprobs": [n, model.vocabulary]
    case "loss": []
    default: preconditionFailure("TensorShapes: \(name) is no tensor of the pass")
    }
  }

  /// Other shapes of the same elements in the same order that a notebook may well give a tensor:
  /// vectors without the dimension of 1 or with it, emb with its windows one below the other.
  func alternatives(of name: String) -> [[Int]] {
    switch name {
    case "b1", "b2": [[1] + shape(of: name)]
    case "bngain", "bnbias", "bnmeani", "bnvar", "bnvar_inv": [[model.hidden]]
    case "logit_maxes", "counts_sum", "counts_sum_inv": [[n]]
    case "emb": [[n * model.blockSize, model.embedding]]
    case "loss": [[1], [1, 1]]
    default: []
    }
  }

  /// Rows and columns of a tensor as a matrix of the derivation.
  func matrixShape(of name: String) -> (rows: Int, columns: Int) {
    let shape = shape(of: name)
    let columns = shape.last ?? 1
    return (shape.reduce(1, *) / columns, columns)
  }
}
