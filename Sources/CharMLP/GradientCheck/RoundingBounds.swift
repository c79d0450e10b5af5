// How much of a difference rounding can explain, tensor by tensor: measured, not guessed.
//
// Float and Double run the same lines on the same numbers, so what they differ by is Float's rounding.
// Batch norm amplifies it by bnvar_inv, up to 316, and which unit is hit depends on the problem; so
// the measurement is made on the problem itself. Double's rounding is Float's scaled by 2⁻²⁹.
//
// One pass is not enough. Where a single element decides, it can be right by luck, and a bound near
// zero would condemn every other program: one correct program in 20 is more than 16 × as far off as a
// single pass. So there are eight, with parameters and embeddings moved by at most a last place, which
// changes all roundings and nothing else; fewer than one in a million exceed 16 × the largest of them.
// Each is run step by step and with the forms in one go, because those round differently: in db1 the
// steps cancel what they have lost, and one expression does not.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The largest differences that two correct programs may show.
struct RoundingBounds: Sendable {
  /// max|Float − Double| of each tensor, under its name in a file.
  private let differences: [String: Double]
  /// The same with passes in it whose functions are only as good as the engine's.
  private let engineDifferences: [String: Double]
  /// What the last place is taken of.
  private let magnitudes: Magnitudes
  private let terms: RoundedTerms

  /// The factor between two programs' roundings.
  private static let factor = 16.0

  /// The passes that are compared, in each precision.
  private static let passes = 8

  /// Measures the problem's rounding.
  init(_ problem: GradientProblem, magnitudes: Magnitudes, threads: Int) {
    let measured = inParallel(Self.passes, threads: threads) { number in
      let pass = NudgedPass(number, of: problem)
      return (pass.differences([.steps, .oneGo]), pass.differences([.engine(seed: number)]))
    }
    differences = measured.reduce(into: [:]) { $0.merge($1.0) { max($0, $1) } }
    engineDifferences = measured.reduce(into: differences) { $0.merge($1.1) { max($0, $1) } }
    self.magnitudes = magnitudes
    terms = RoundedTerms(problem)
  }

  /// 16 · max|Float − Double|, scaled to the precision, + roundings in the line · last place.
  ///
  /// - Parameter tensor: Its name in a file, such as `h` or `dh`.
  subscript(tensor: String, precision: Precision) -> Double {
    bound(tensor, differences, precision)
  }

  /// The bound for a tensor that the engine computes, in Float.
  func engineBound(_ tensor: String) -> Double { bound(tensor, engineDifferences, .float32) }

  private func bound(
    _ tensor: String, _ differences: [String: Double], _ precision: Precision
  ) -> Double {
    guard let difference = differences[tensor] else {
      preconditionFailure("RoundingBounds: \(tensor) is no tensor of the pass")
    }
    let scale = precision.ulpOfOne / Precision.float32.ulpOfOne
    return Self.factor * difference * scale
      + Double(terms[tensor]) * precision.ulp(of: magnitudes[tensor])
  }
}

// MARK: - How many roundings go into one element of a tensor, in the line that computes it

// A line that adds up m terms may round m times, and so may be off by m units in the last place,
// whatever the order of the sum. A line without a sum rounds at most four times per element
// (-0.5 * pow(bnvar + 1e-5, -1.5) * dbnvar_inv does). What the lines before it have lost already is
// not counted here; RoundingBounds measures it.

/// The roundings of an element in its own line.
struct RoundedTerms: Sendable {
  private let n: Int
  private let shape: ModelShape

  /// How often the most frequent id of the contexts occurs: the longest sum in dC.
  private let occurrences: Int

  private static let elementwise = 4

  init(_ problem: GradientProblem) {
    n = problem.minibatch.count
    shape = problem.parameters.shape
    var counts = Array(repeating: 0, count: shape.vocabulary)
    for id in problem.minibatch.contexts { counts[Int(id)] += 1 }
    occurrences = counts.max() ?? 0
  }

  /// The roundings in an element of a tensor, under its name in a file: `h` or `dh`.
  subscript(name: String) -> Int { max(summed(name), Self.elementwise) }

  /// The terms that are added up for one element.
  private func summed(_ name: String) -> Int {
    switch name {
    case "hprebn": shape.contextWidth + 1
    case "logits": shape.hidden + 1
    case "bnmeani", "bnvar", "loss": n
    case "counts_sum", "dcounts_sum_inv", "dlogit_maxes", "dh": shape.vocabulary
    case "dW2", "db2", "dbngain", "dbnbias", "dbnvar_inv", "dbnmeani", "dW1", "db1": n
    case "dembcat", "demb": shape.hidden
    case "dC": occurrences
    default: 0
    }
  }
}

// MARK: - The shapes of the pass's tensors as the notebook has them, from the sizes of the network

// Here every tensor is a matrix; in the notebook, emb has three dimensions, b1 and b2 have one and the
// loss has none. Tables and files use the notebook's shapes.

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
