// The tensors of a pass, in one table: the parameters, what each forward line computes, every
// gradient; then their sizes, the memory that they take, and how far a numeric derivative may step.
//
// All code that compares, perturbs, judges or names tensors reads this table. A tensor is a case of
// an enumeration, so one without a row does not compile. A test compares each row's line and inputs
// with Derivation.swift, which says what is computed; this table only says where a tensor stands
// and how large it is.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

package import LinearAlgebra

/// A tensor of the pass by the name it has in the notebook and in files; a gradient has a d in
/// front.
///
/// The order is the notebook's: each tensor comes after those that its line reads.
package enum PassTensor: String, CaseIterable, Sendable {
  // Given
  case C, W1, b1, W2, b2, bngain, bnbias
  // Forward
  case emb, embcat, hprebn, bnmeani, bndiff, bndiff2, bnvar, bnvar_inv, bnraw, hpreact, h, logits
  case logit_maxes, norm_logits, counts, counts_sum, counts_sum_inv, probs, logprobs, loss
  // Backward
  case dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits
  case dh, dW2, db2, dhpreact, dbngain, dbnbias, dbnraw, dbnvar_inv, dbnvar, dbndiff2, dbndiff
  case dbnmeani, dhprebn, dembcat, dW1, db1, demb, dC
}

extension PassTensor {
  /// The seven parameters.
  package static let parameters = Array(allCases[...firstIndex(.bnbias)])
  /// The 20 tensors of the forward pass.
  package static let forward = Array(allCases[firstIndex(.emb)...firstIndex(.loss)])
  /// The 26 gradients, from the loss down to the embedding.
  package static let gradients = Array(allCases[firstIndex(.dlogprobs)...])
  /// What the lines of the pass compute: the forward tensors, then the gradients.
  package static let computed = forward + gradients

  private static func firstIndex(_ tensor: PassTensor) -> Int {
    allCases.firstIndex(of: tensor) ?? allCases.endIndex
  }

  /// The name in the notebook and in files: `h`, `dh`.
  package var name: String { rawValue }

  /// What a gradient is the gradient of; nil for a parameter or a forward tensor.
  package var owner: PassTensor? {
    isGradient ? PassTensor(rawValue: String(rawValue.dropFirst())) : nil
  }
  package var isGradient: Bool { Self.gradients.contains(self) }

  /// The gradient of a parameter or a forward tensor; the loss has none.
  package var gradient: PassTensor? { PassTensor(rawValue: "d" + rawValue) }

  /// The right-hand side of the tensor's line in Derivation.swift; empty for a parameter.
  package var line: String { row.line }

  /// A forward line's right-hand side as the notebook writes it; empty for other tensors.
  package var notebookLine: String { row.notebook }

  /// The dimensions in the notebook; a gradient's are its owner's.
  var dimensions: [Dimension] { (owner ?? self).row.dimensions }

  /// How many terms the line adds up for one element.
  var terms: Terms { row.terms }

  /// The tensors that the line reads.
  package var inputs: [PassTensor] { row.inputs }

  /// The forward lines that read the tensor.
  package var readers: [PassTensor] { Self.forward.filter { $0.inputs.contains(self) } }

  /// Which ids of the minibatch the line reads as well.
  var ids: MinibatchIDs? { row.ids }

  /// The heading in docs/derivation.md under which the line is derived: a gradient's is mostly that
  /// of the first forward line that reads its owner.
  package var section: String {
    row.section ?? owner?.readers.first?.section ?? "How to read the lines"
  }

  /// For a gradient that is zero in exact arithmetic, the tensor whose elements cancel in its sums.
  ///
  /// - logit_maxes: a softmax does not change when a number is subtracted from all its logits;
  /// - b1: batch norm subtracts the mean, and the mean takes all of b1 with it.
  var cancels: PassTensor? { row.cancels }

  /// The input that the line divides by. The size of a quotient is not the quotient of sizes: an
  /// error in the divisor counts relative to its value.
  var divisor: PassTensor? { row.divisor }

  /// The scale of each element's step in a numeric derivative; meaningless for gradients.
  var scale: KeyPath<StepScales, Matrix<Double>> & Sendable { row.scale }

  /// The tensor's row; what is read from it here does not depend on the precision.
  private var row: TensorRow<Double> { TensorRow(self) }
}

extension PassTensor {
  /// A dimension of a tensor in the notebook.
  enum Dimension { case one, n, block, embedding, context, hidden, vocabulary }

  /// How many terms a line adds up for one element.
  enum Terms {
    /// No sum: a line rounds an element at most four times (`-0.5 * pow(bnvar + 1e-5, -1.5) *
    /// dbnvar_inv`).
    case few
    case sum(Dimension, and: Int = 0)
    /// As often as the most frequent id of the contexts occurs.
    case occurrences
  }
}

/// The ids of a minibatch that a line reads.
enum MinibatchIDs: String, Sendable {
  /// The characters of the windows.
  case contexts = "Xb"
  /// The characters that follow.
  case targets = "Yb"
}

// MARK: - The table

/// What there is to know of one tensor.
struct TensorRow<Scalar: MatrixScalar> {
  typealias Setter = (Derivation<Scalar>, Matrix<Scalar>) -> Void

  /// The tensor's property. A generic key path is slow to make, and few who ask for a row need it.
  let path: () -> KeyPath<Derivation<Scalar>, Matrix<Scalar>>
  /// Sets the tensor without evaluating its line, as its key path would; nil for a parameter.
  let set: Setter?
  /// The notebook's; none for a gradient, which has its owner's.
  let dimensions: [PassTensor.Dimension]
  let terms: PassTensor.Terms
  let scale: KeyPath<StepScales, Matrix<Double>> & Sendable
  let line: String
  let notebook: String
  let inputs: [PassTensor]
  let divisor: PassTensor?
  let ids: MinibatchIDs?
  let cancels: PassTensor?
  /// The heading in docs/derivation.md, if it is not the one that a gradient's owner leads to.
  let section: String?

  private init(
    _ path: @escaping @autoclosure () -> KeyPath<Derivation<Scalar>, Matrix<Scalar>>,
    _ set: Setter? = nil, _ dimensions: [PassTensor.Dimension] = [],
    terms: PassTensor.Terms = .few,
    scale: KeyPath<StepScales, Matrix<Double>> & Sendable = \.one, line: String = "",
    notebook: String = "", from inputs: [PassTensor] = [], dividingBy divisor: PassTensor? = nil,
    ids: MinibatchIDs? = nil, cancels: PassTensor? = nil, section: String? = nil
  ) {
    (self.path, self.set, self.dimensions, self.terms) = (path, set, dimensions, terms)
    (self.scale, self.line, self.notebook, self.inputs) = (scale, line, notebook, inputs)
    (self.divisor, self.ids, self.cancels, self.section) = (divisor, ids, cancels, section)
  }

  init(_ tensor: PassTensor) {
    self = Self.row(tensor)
  }

  private static func row(_ tensor: PassTensor) -> TensorRow {
    switch tensor {
    case .C: Self(\.C, nil, [.vocabulary, .embedding], scale: \.embcat)
    case .W1: Self(\.W1, nil, [.context, .hidden], scale: \.W1)
    case .b1: Self(\.b1, nil, [.hidden], scale: \.hprebn)
    case .W2: Self(\.W2, nil, [.hidden, .vocabulary], scale: \.one)
    case .b2: Self(\.b2, nil, [.vocabulary], scale: \.one)
    case .bngain: Self(\.bngain, nil, [.one, .hidden], scale: \.bngain)
    case .bnbias: Self(\.bnbias, nil, [.one, .hidden], scale: \.hidden)
    case .emb:
      Self(
        \.emb, { $0.emb = $1 }, [.n, .block, .embedding], scale: \.embcat,
        line: "C.gatheringRows(Xb)", notebook: "C[Xb]", from: [.C], ids: .contexts,
        section: "How repeated characters accumulate in `dC`")
    case .embcat:
      Self(
        \.embcat, { $0.embcat = $1 }, [.n, .context], scale: \.embcat,
        line: "emb.reshaped(Yb.count, W1.rows)", notebook: "emb.view(emb.shape[0], -1)",
        from: [.emb], section: "Side by side")
    case .hprebn:
      Self(
        \.hprebn, { $0.hprebn = $1 }, [.n, .hidden], terms: .sum(.context, and: 1), scale: \.hprebn,
        line: "matmul(embcat, W1) + b1", notebook: "embcat @ W1 + b1", from: [.embcat, .W1, .b1],
        section: "The product, and why `db1` vanishes")
    case .bnmeani:
      Self(
        \.bnmeani, { $0.bnmeani = $1 }, [.one, .hidden], terms: .sum(.n), scale: \.hprebn,
        line: "1 / n * hprebn.sum(.rows)", notebook: "1 / n * hprebn.sum(0, keepdim=True)",
        from: [.hprebn], section: "The mean")
    case .bndiff:
      Self(
        \.bndiff, { $0.bndiff = $1 }, [.n, .hidden], scale: \.hprebn, line: "hprebn - bnmeani",
        notebook: "hprebn - bnmeani", from: [.hprebn, .bnmeani], section: "The mean")
    case .bndiff2:
      Self(
        \.bndiff2, { $0.bndiff2 = $1 }, [.n, .hidden], scale: \.bndiff2, line: "pow(bndiff, 2)",
        notebook: "bndiff**2", from: [.bndiff], section: "Why `dbndiff` has two terms")
    case .bnvar:
      Self(
        \.bnvar, { $0.bnvar = $1 }, [.one, .hidden], terms: .sum(.n), scale: \.bnvar,
        line: "1 / (n - 1) * bndiff2.sum(.rows)",
        notebook: "1 / (n - 1) * bndiff2.sum(0, keepdim=True)", from: [.bndiff2],
        section: "The variance")
    case .bnvar_inv:
      Self(
        \.bnvar_inv, { $0.bnvar_inv = $1 }, [.one, .hidden], scale: \.bnvar_inv,
        line: "pow(bnvar + 1e-5, -0.5)", notebook: "(bnvar + 1e-5)**-0.5", from: [.bnvar],
        dividingBy: .bnvar, section: "The inverse square root")
    case .bnraw:
      Self(
        \.bnraw, { $0.bnraw = $1 }, [.n, .hidden], scale: \.bnraw, line: "bndiff * bnvar_inv",
        notebook: "bndiff * bnvar_inv", from: [.bndiff, .bnvar_inv],
        section: "Dividing by the standard deviation")
    case .hpreact:
      Self(
        \.hpreact, { $0.hpreact = $1 }, [.n, .hidden], scale: \.hidden,
        line: "bngain * bnraw + bnbias", notebook: "bngain * bnraw + bnbias",
        from: [.bngain, .bnraw, .bnbias], section: "Gain and bias")
    case .h:
      Self(
        \.h, { $0.h = $1 }, [.n, .hidden], scale: \.hidden, line: "tanh(hpreact)",
        notebook: "torch.tanh(hpreact)", from: [.hpreact], section: "The hyperbolic tangent")
    case .logits:
      Self(
        \.logits, { $0.logits = $1 }, [.n, .vocabulary], terms: .sum(.hidden, and: 1), scale: \.one,
        line: "matmul(hdrop, W2) + b2", notebook: "h @ W2 + b2", from: [.h, .W2, .b2],
        section: "The product")
    case .logit_maxes:
      Self(
        \.logit_maxes, { $0.logit_maxes = $1 }, [.n, .one], scale: \.one,
        line: "logits.max(.columns)", notebook: "logits.max(1, keepdim=True).values",
        from: [.logits], section: "Why `dlogit_maxes` is zero")
    case .norm_logits:
      Self(
        \.norm_logits, { $0.norm_logits = $1 }, [.n, .vocabulary], scale: \.one,
        line: "logits - logit_maxes", notebook: "logits - logit_maxes",
        from: [.logits, .logit_maxes], section: "Why `dlogit_maxes` is zero")
    case .counts:
      Self(
        \.counts, { $0.counts = $1 }, [.n, .vocabulary], scale: \.counts, line: "exp(norm_logits)",
        notebook: "norm_logits.exp()", from: [.norm_logits], section: "The exponential")
    case .counts_sum:
      Self(
        \.counts_sum, { $0.counts_sum = $1 }, [.n, .one], terms: .sum(.vocabulary),
        scale: \.counts_sum, line: "counts.sum(.columns)", notebook: "counts.sum(1, keepdim=True)",
        from: [.counts], section: "Why `dcounts` has two terms")
    case .counts_sum_inv:
      Self(
        \.counts_sum_inv, { $0.counts_sum_inv = $1 }, [.n, .one], scale: \.counts_sum_inv,
        line: "pow(counts_sum, -1)", notebook: "counts_sum**-1", from: [.counts_sum],
        dividingBy: .counts_sum, section: "The inverse")
    case .probs:
      Self(
        \.probs, { $0.probs = $1 }, [.n, .vocabulary], scale: \.probs,
        line: "counts * counts_sum_inv", notebook: "counts * counts_sum_inv",
        from: [.counts, .counts_sum_inv], section: "Normalizing the counts: the divisor")
    case .logprobs:
      Self(
        \.logprobs, { $0.logprobs = $1 }, [.n, .vocabulary], scale: \.one, line: "log(probs)",
        notebook: "probs.log()", from: [.probs], section: "The logarithm")
    case .loss:
      Self(
        \.loss, { $0.loss = $1 }, [], terms: .sum(.n), scale: \.one,
        line: "-1 / n * logprobs.picking(Yb).sum(.rows)",
        notebook: "-logprobs[range(n), Yb].mean()", from: [.logprobs], ids: .targets,
        section: "The loss")
    case .dlogprobs:
      Self(
        \.dlogprobs, { $0.dlogprobs = $1 }, line: "-1 / n * Matrix.oneHot(Yb, columns: W2.columns)",
        ids: .targets)
    case .dprobs:
      Self(
        \.dprobs, { $0.dprobs = $1 }, line: "pow(probs, -1) * dlogprobs",
        from: [.probs, .dlogprobs], dividingBy: .probs)
    case .dcounts_sum_inv:
      Self(
        \.dcounts_sum_inv, { $0.dcounts_sum_inv = $1 }, terms: .sum(.vocabulary),
        line: "(dprobs * counts).sum(.columns)", from: [.dprobs, .counts])
    case .dcounts_sum:
      Self(
        \.dcounts_sum, { $0.dcounts_sum = $1 }, line: "-pow(counts_sum, -2) * dcounts_sum_inv",
        from: [.counts_sum, .dcounts_sum_inv], dividingBy: .counts_sum)
    case .dcounts:
      Self(
        \.dcounts, { $0.dcounts = $1 }, line: "dprobs * counts_sum_inv + dcounts_sum",
        from: [.dprobs, .counts_sum_inv, .dcounts_sum])
    case .dnorm_logits:
      Self(
        \.dnorm_logits, { $0.dnorm_logits = $1 }, line: "counts * dcounts",
        from: [.counts, .dcounts])
    case .dlogit_maxes:
      Self(
        \.dlogit_maxes, { $0.dlogit_maxes = $1 }, terms: .sum(.vocabulary),
        line: "-dnorm_logits.sum(.columns)", from: [.dnorm_logits], cancels: .dnorm_logits)
    case .dlogits:
      Self(
        \.dlogits, { $0.dlogits = $1 }, line: "dnorm_logits + logits.maximaOfRows * dlogit_maxes",
        from: [.dnorm_logits, .logits, .dlogit_maxes], section: "Both ways into the logits")
    case .dh:
      Self(
        \.dh, { $0.dh = $1 }, terms: .sum(.vocabulary), line: "matmul(dlogits, W2.T)",
        from: [.dlogits, .W2])
    case .dW2:
      Self(
        \.dW2, { $0.dW2 = $1 }, terms: .sum(.n), line: "matmul(hdrop.T, dlogits)",
        from: [.h, .dlogits])
    case .db2:
      Self(\.db2, { $0.db2 = $1 }, terms: .sum(.n), line: "dlogits.sum(.rows)", from: [.dlogits])
    case .dhpreact:
      Self(\.dhpreact, { $0.dhpreact = $1 }, line: "(1 - pow(h, 2)) * dh", from: [.h, .dh])
    case .dbngain:
      Self(
        \.dbngain, { $0.dbngain = $1 }, terms: .sum(.n), line: "(bnraw * dhpreact).sum(.rows)",
        from: [.bnraw, .dhpreact])
    case .dbnbias:
      Self(
        \.dbnbias, { $0.dbnbias = $1 }, terms: .sum(.n), line: "dhpreact.sum(.rows)",
        from: [.dhpreact])
    case .dbnraw:
      Self(\.dbnraw, { $0.dbnraw = $1 }, line: "bngain * dhpreact", from: [.bngain, .dhpreact])
    case .dbnvar_inv:
      Self(
        \.dbnvar_inv, { $0.dbnvar_inv = $1 }, terms: .sum(.n), line: "(bndiff * dbnraw).sum(.rows)",
        from: [.bndiff, .dbnraw])
    case .dbnvar:
      Self(
        \.dbnvar, { $0.dbnvar = $1 }, line: "-0.5 * pow(bnvar + 1e-5, -1.5) * dbnvar_inv",
        from: [.bnvar, .dbnvar_inv], dividingBy: .bnvar)
    case .dbndiff2:
      Self(
        \.dbndiff2, { $0.dbndiff2 = $1 },
        line: "1 / (n - 1) * dbnvar.broadcast(Yb.count, W1.columns)", from: [.dbnvar])
    case .dbndiff:
      Self(
        \.dbndiff, { $0.dbndiff = $1 }, line: "bnvar_inv * dbnraw + 2 * bndiff * dbndiff2",
        from: [.bnvar_inv, .dbnraw, .bndiff, .dbndiff2])
    case .dbnmeani:
      Self(
        \.dbnmeani, { $0.dbnmeani = $1 }, terms: .sum(.n), line: "-dbndiff.sum(.rows)",
        from: [.dbndiff])
    case .dhprebn:
      Self(
        \.dhprebn, { $0.dhprebn = $1 }, line: "dbndiff + 1 / n * dbnmeani",
        from: [.dbndiff, .dbnmeani])
    case .dembcat:
      Self(
        \.dembcat, { $0.dembcat = $1 }, terms: .sum(.hidden), line: "matmul(dhprebn, W1.T)",
        from: [.dhprebn, .W1])
    case .dW1:
      Self(
        \.dW1, { $0.dW1 = $1 }, terms: .sum(.n), line: "matmul(embcat.T, dhprebn)",
        from: [.embcat, .dhprebn])
    case .db1:
      Self(
        \.db1, { $0.db1 = $1 }, terms: .sum(.n), line: "dhprebn.sum(.rows)", from: [.dhprebn],
        cancels: .dhprebn)
    case .demb:
      Self(
        \.demb, { $0.demb = $1 }, terms: .sum(.hidden),
        line: "dembcat.reshaped(emb.rows, emb.columns)", from: [.dembcat])
    case .dC:
      Self(
        \.dC, { $0.dC = $1 }, terms: .occurrences, line: "demb.scatteringRows(Xb, into: C.rows)",
        from: [.demb], ids: .contexts)
    }
  }
}

// MARK: - Reading and setting the tensors of a pass

extension Derivation {
  /// A tensor of the pass; its line is evaluated when it is first read.
  ///
  /// Setting one evaluates nothing. What was read before keeps its value.
  /// - Precondition: a parameter is not set.
  package subscript(tensor: PassTensor) -> Matrix<Scalar> {
    get { self[keyPath: TensorRow(tensor).path()] }
    set {
      guard let set = TensorRow<Scalar>(tensor).set else {
        preconditionFailure("Derivation: \(tensor) is given, not computed")
      }
      set(self, newValue)
    }
  }

  /// Every tensor that the pass computes: the forward tensors, then the gradients.
  var tensors: [PassTensor: Matrix<Scalar>] {
    PassTensor.computed.reduce(into: [:]) { $0[$1] = self[$1] }
  }
}

extension Parameters {
  /// A parameter of the table.
  /// - Precondition: the tensor is one.
  subscript(tensor: PassTensor) -> Matrix<Scalar> {
    get { self[keyPath: Self.path(tensor)] }
    set { self[keyPath: Self.path(tensor)] = newValue }
  }

  private static func path(_ tensor: PassTensor) -> WritableKeyPath<Parameters, Matrix<Scalar>> {
    guard let path = ordered.first(where: { $0.name == tensor.name })?.path else {
      preconditionFailure("Parameters: \(tensor) is computed, not given")
    }
    return path
  }
}

// MARK: - Sizes

// In the derivation every tensor is a matrix; in the notebook, emb has three dimensions, b1 and b2
// have one and the loss has none. Tables and files use the notebook's shapes.

/// The sizes of a pass.
struct PassSizes: Equatable, Sendable {
  let n: Int
  let model: ModelShape

  init(_ model: ModelShape, batchSize: Int) {
    n = batchSize
    self.model = model
  }

  /// The size of a dimension.
  func size(_ dimension: PassTensor.Dimension) -> Int {
    switch dimension {
    case .one: 1
    case .n: n
    case .block: model.blockSize
    case .embedding: model.embedding
    case .context: model.contextWidth
    case .hidden: model.hidden
    case .vocabulary: model.vocabulary
    }
  }

  /// The shape in the notebook.
  func shape(of tensor: PassTensor) -> [Int] {
    tensor.dimensions.map(size)
  }

  /// Rows and columns of a tensor as a matrix of the derivation.
  func matrixShape(of tensor: PassTensor) -> (rows: Int, columns: Int) {
    let shape = shape(of: tensor)
    let columns = shape.last ?? 1
    return (shape.reduce(1, *) / columns, columns)
  }
}

// MARK: - Memory

extension ModelShape {
  /// The bytes of all parameters in Float, once.
  package var parameterBytes: Double {
    let sizes = PassSizes(self, batchSize: 1)
    return PassTensor.parameters.reduce(0) { $0 + sizes.bytes(of: $1) }
  }

  /// The bytes that the derivation of a minibatch takes in Float: every tensor that it keeps, and
  /// what its longest line holds at the same time.
  package func derivationBytes(batchSize: Int) -> Double {
    let sizes = PassSizes(self, batchSize: batchSize)
    let tensors = PassTensor.computed.map(sizes.bytes)
    // hmask, hdrop and dhdrop are no tensors of the lecture's pass.
    let dropout = 3 * sizes.bytes(of: .h)
    return tensors.reduce(dropout, +) + 3 * (tensors.max() ?? 0)
  }
}

extension PassSizes {
  /// The bytes of a tensor in Float.
  fileprivate func bytes(of tensor: PassTensor) -> Double {
    shape(of: tensor).reduce(4) { $0 * Double($1) }
  }
}

// MARK: - Step sizes

// A step is a small part of the distance over which the loss bends. The logits bend the loss over a
// distance of about 1, and tanh bends over 1 too; a tensor before them bends it over that distance
// divided by the slope between. What a logarithm, a reciprocal or a root is taken of bends over a
// distance of its own size: a target's probability of 1e-4, or batch norm's variance. Scales need
// only be right within a factor of ten or so.

/// The scales of steps; the table of tensors says which of them a tensor has.
struct StepScales {
  private let steps: Derivation<Double>

  init(_ steps: Derivation<Double>) { self.steps = steps }

  /// The scales of all elements of a parameter or a tensor of the forward pass.
  func scales(of tensor: PassTensor) -> Matrix<Double> {
    precondition(!tensor.isGradient, "StepScales: the loss has no gradient in \(tensor)")
    let value = steps[tensor]
    return self[keyPath: tensor.scale].broadcast(value.rows, value.columns)
  }

  var probs: Matrix<Double> { targets(steps.probs, others: one) }
  var counts: Matrix<Double> { targets(steps.counts, others: steps.counts_sum) }
  var counts_sum: Matrix<Double> { steps.counts_sum }
  var counts_sum_inv: Matrix<Double> { steps.counts_sum_inv }
  /// Of the logits, and of whatever is as far from the loss.
  var one: Matrix<Double> { Matrix(rows: 1, columns: 1, repeating: 1) }

  /// From the logits back through W2 and dropout.  (1, 1)
  var hidden: Matrix<Double> { one / (size(steps.W2) * size(steps.hmask)) }
  var bngain: Matrix<Double> { hidden / size(steps.bnraw) }
  /// From hpreact back through the gain.  (1, 1)
  var bnraw: Matrix<Double> { hidden / size(steps.bngain) }
  var bnvar_inv: Matrix<Double> { steps.bnvar_inv * spread }
  var bnvar: Matrix<Double> { variance * spread }
  var bndiff2: Matrix<Double> { (steps.n - 1) * (variance * spread) }
  /// From bnraw back through the division by the standard deviation.  (1, hidden)
  var hprebn: Matrix<Double> { bnraw * pow(steps.bnvar_inv, -1) }
  var W1: Matrix<Double> { hprebn / size(steps.embcat) }
  var embcat: Matrix<Double> { smallest(hprebn) / size(steps.W1) }

  private var variance: Matrix<Double> { steps.bnvar + 1e-5 }  // (1, hidden)
  /// The part of its size by which a factor of bnraw may change.  (1, 1)
  private var spread: Matrix<Double> { bnraw / size(steps.bnraw) }

  /// The largest magnitude, but at least 1.
  private func size(_ x: Matrix<Double>) -> Double { max(1, x.largestMagnitude) }

  private func smallest(_ x: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: 1, columns: 1, repeating: x.elements.min() ?? 1)
  }

  /// Each row's target has a scale of its own size; the others share one.
  private func targets(_ x: Matrix<Double>, others: Matrix<Double>) -> Matrix<Double> {
    let isTarget = Matrix<Double>.oneHot(steps.Yb, columns: x.columns)
    return isTarget * x + (1 - isTarget) * others
  }
}
