// One tensor's gradient by central differences: (loss(x + h) − loss(x − h)) / 2h.
//
// The loss of a pass in Double is off by some 1e-15, and so the quotient by that over h; the formula
// itself is off by h² / 6 · loss‴. Both are about equally small where h is ∛ε of the distance over
// which the loss bends, ε being Double's last place (Press et al., Numerical Recipes, §5.7).
// A small tensor is checked element by element. A large one is checked in some elements, and in random
// directions, each of which every element takes part in.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule
import Synchronization

/// What is needed to differentiate the loss numerically in one tensor.
struct NumericGradient: Sendable {
  let name: String
  let loss: PerturbedLoss
  let value: Matrix<Double>
  let scales: Matrix<Double>

  /// The largest tensor that is checked element by element.
  static let elementwiseLimit = 1000
  /// The elements and the directions that stand for a larger one.
  static let sampledElements = 32
  static let directions = 8

  /// The step, in terms of the distance over which the loss bends: ∛2⁻⁵².
  static let relativeStep = 1e-4

  /// What is moved: one element, or all of them, each in one of the two senses.
  enum Probe: Equatable, Sendable {
    case element(Int)
    case direction(Int)
  }

  /// A difference quotient, and the size of its step.
  struct Quotient: Equatable, Sendable {
    let slope: Double
    let step: Double
  }

  /// Whether every element has a probe of its own.
  var isComplete: Bool { value.count <= Self.elementwiseLimit }

  /// The probes of this tensor, the same in every run.
  var probes: [Probe] {
    if isComplete { return (0..<value.count).map(Probe.element) }
    // One element at random out of each of 32 stretches of equal length.
    var random = PythonRandom(seed: value.count)
    let elements = (0..<Self.sampledElements).map { stretch in
      let first = stretch * value.count / Self.sampledElements
      let last = (stretch + 1) * value.count / Self.sampledElements
      return Probe.element(first + random.randbelow(last - first))
    }
    return elements + (0..<Self.directions).map(Probe.direction)
  }

  /// The slope of the loss along a probe.
  ///
  /// - Parameter width: The step, in units of the usual one.
  func quotient(_ probe: Probe, width: Double = 1) -> Quotient {
    switch probe {
    case .element(let index):
      let step = width * Self.relativeStep * scales.elements[index]
      var (forward, backward) = (value, value)
      let (row, column) = (index / value.columns, index % value.columns)
      forward[row, column] += step
      backward[row, column] -= step
      // Half of the width that the rounded sums really have.
      let half = (forward[row, column] - backward[row, column]) / 2
      return Quotient(slope: (loss(name, forward) - loss(name, backward)) / (2 * half), step: half)
    case .direction(let number):
      let (direction, scale) = direction(number)
      let step = width * Self.relativeStep * scale / .root(Double(value.count), 3)
      let shift = step * direction
      let difference = loss(name, value + shift) - loss(name, value - shift)
      return Quotient(slope: difference / (2 * step), step: step)
    }
  }

  /// What a gradient says the slope along a probe is.
  func slope(of gradient: Matrix<Double>, along probe: Probe) -> Double {
    switch probe {
    case .element(let index): gradient.elements[index]
    case .direction(let number): (gradient * direction(number).vector).sum()
    }
  }

  /// Plus or minus each element's scale, the sign at random, in units of the largest scale.
  private func direction(_ number: Int) -> (vector: Matrix<Double>, largestScale: Double) {
    var random = PythonRandom(seed: number)
    let largest = scales.elements.max() ?? 1
    let elements = scales.elements.map { random.getrandbits(1) == 0 ? $0 / largest : -$0 / largest }
    return (Matrix(rows: value.rows, columns: value.columns, elements: elements), largest)
  }
}

// MARK: - One measurement of rounding: passes in Float and in Double on the same numbers, in several forms

// Each form is compared with itself, so that a fault in one of them cannot pass for rounding.

/// The numbers that a measurement starts from.
struct NudgedPass {
  private let parameters: Parameters<Float>
  private let minibatch: Minibatch
  private let dropout: RandomMask?
  private let emb: Matrix<Float>

  /// Starts from the problem's numbers in pass 0; in the others, parameters and embeddings are moved
  /// by at most a last place, so that even two windows with one context differ.
  init(_ number: Int, of problem: GradientProblem) {
    let given = problem.parameters.converted(to: Float.self)
    var nudge = Nudge(seed: number)
    parameters = number == 0 ? given : nudge(given)
    minibatch = problem.minibatch
    dropout = problem.dropout
    let looked = Derivation(parameters, minibatch).emb
    emb = number == 0 ? looked : nudge(looked)
  }

  /// How a pass computes.
  enum Form {
    /// Line by line.
    case steps
    /// dlogits and dhprebn in one expression each.
    case oneGo
    /// In one go, and in Float with functions that are only as good as the engine's. The seed decides
    /// by how much each of their results is off.
    case engine(seed: Int)
  }

  /// The largest |Float − Double| of every tensor in any of the forms, under its name in a file.
  func differences(_ forms: [Form]) -> [String: Double] {
    var differences: [String: Double] = [:]
    for form in forms {
      let found = single(form).tensorsByFileName
      let expected = double(form).tensorsByFileName
      for ((name, found), (_, expected)) in zip(found, expected) {
        let difference = Difference(found.converted(), expected).largest
        differences[name] = max(differences[name] ?? 0, difference)
      }
    }
    return differences
  }

  private func single(_ form: Form) -> Derivation<Float> {
    let pass = Derivation(parameters, minibatch, dropout: dropout)
    pass.emb = emb
    if case .engine(let seed) = form {
      // What SIMDFunctions promises: 1/√x within 3 places, tanh within 5.
      var nudge = Nudge(seed: seed)
      pass.bnvar_inv = nudge(pass.bnvar_inv, places: 3)
      pass.h = nudge(pass.h, places: 5)
    }
    pass.take(form)
    return pass
  }

  private func double(_ form: Form) -> Derivation<Double> {
    let pass = Derivation(
      parameters.converted(to: Double.self), minibatch, dropout: dropout)
    pass.emb = emb.converted()
    pass.take(form)
    return pass
  }
}

extension Derivation {
  /// Replaces the steps by the forms in one go, if that is the form.
  fileprivate func take(_ form: NudgedPass.Form) {
    if case .steps = form { return }
    dlogits = dlogitsInOneGo
    dhprebn = dhprebnInOneGo
  }
}

/// Moves numbers by some last places up or down, or not at all, at random.
struct Nudge {
  private var random: PythonRandom

  init(seed: Int) { random = PythonRandom(seed: seed) }

  mutating func callAsFunction(_ matrix: Matrix<Float>, places: Int = 1) -> Matrix<Float> {
    let elements = matrix.elements.map { element in
      element + Float(random.randbelow(2 * places + 1) - places) * Float.ulpOfOne * element
    }
    return Matrix(rows: matrix.rows, columns: matrix.columns, elements: elements)
  }

  mutating func callAsFunction(_ parameters: Parameters<Float>) -> Parameters<Float> {
    var nudged = parameters
    for (_, path) in Parameters<Float>.ordered {
      nudged[keyPath: path] = self(nudged[keyPath: path])
    }
    return nudged
  }
}

// MARK: - The loss of a pass in which one tensor is not what the lines before it made of it

// This is how an intermediate gets a numeric gradient: everything before it is taken from the
// unperturbed pass, the tensor itself is set, and the loss is read. The derivation evaluates what
// follows and nothing else.

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

// MARK: - Over which distance the loss bends, tensor by tensor: what a difference quotient's step is a small

// part of.
//
// The logits bend the loss over a distance of about 1, and tanh bends over 1 too; a tensor before
// them bends it over that distance divided by the slope between. What a logarithm, a reciprocal or a
// root is taken of bends over a distance of its own size: a target's probability of 1e-4, or batch
// norm's variance. Scales need only be right within a factor of ten or so.

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

// MARK: - Independent pieces of work on several threads, their results in the order of the pieces

// A piece is computed whole by one thread, so results do not depend on how many there are. The threads are
// a team's, not Dispatch's: that waits for ever where the system has no thread left, and traps where it
// has no descriptor left.

/// The results of `work(0)`, …, `work(count - 1)`.
func inParallel<Result: Sendable>(
  _ count: Int, threads: Int, _ work: @escaping @Sendable (Int) -> Result
) -> [Result] {
  let pieces = Pieces(count, work)
  pieces.compute(threads: max(1, min(threads, count)))
  return pieces.results
}

/// Pieces of work, each taken by the first thread that is free.
private final class Pieces<Result: Sendable>: Sendable {
  private let count: Int
  private let work: @Sendable (Int) -> Result
  private let next = Atomic(0)
  private let found: Mutex<[Result?]>

  init(_ count: Int, _ work: @escaping @Sendable (Int) -> Result) {
    self.count = count
    self.work = work
    found = Mutex(Array(repeating: nil, count: count))
  }

  /// Computes all of them; the end of a team waits for its members.
  func compute(threads: Int) {
    let team = ThreadTeam(upTo: threads) { _ in { _ in self.takeAll() } }
    team.callOthers()
    withExtendedLifetime(team) { takeAll() }
  }

  /// Takes one piece after the other, until none is left.
  private func takeAll() {
    while true {
      let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard piece < count else { return }
      let result = work(piece)
      found.withLock { $0[piece] = result }
    }
  }

  var results: [Result] { found.withLock { $0.compactMap(\.self) } }
}
