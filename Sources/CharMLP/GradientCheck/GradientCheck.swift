// Goes through the pass's tensors and compares each with every other version of it that there is:
// central differences, the forms in one go, the engine that trains, and a file.
//
// The step-by-step pass in Double is what all others are held against, except for a reference: that
// is compared in its own precision. The check prints nothing and decides nothing but verdicts.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

package import LinearAlgebra
import RealModule

/// The gradient check of one problem, with or without another program's tensors.
package struct GradientCheck {
  let problem: GradientProblem
  let reference: Reference?
  let threads: Int
  let steps: Derivation<Double>
  let bounds: RoundingBounds
  let sizes: PassSizes

  /// Prepares the check of a problem.
  ///
  /// - Parameter threads: How many threads share the work; the results do not depend on it.
  package init(_ problem: GradientProblem, threads: Int) {
    self.init(problem, reference: nil, threads: threads)
  }

  /// Prepares the check of a reference and of the problem in it.
  package init(_ reference: Reference, threads: Int) {
    self.init(reference.problem, reference: reference, threads: threads)
  }

  private init(_ problem: GradientProblem, reference: Reference?, threads: Int) {
    self.problem = problem
    self.reference = reference
    self.threads = threads
    steps = problem.steps
    bounds = RoundingBounds(problem, threads: threads)
    sizes = PassSizes(problem)
  }

  /// Compares everything.
  package func report() -> GradientReport {
    let numeric = numericGradients()
    let oneGo = oneGoGradients()
    let fused = fusedTensors()
    let given = referenceTensors()
    let gradients = PassTensor.gradients.flatMap { tensor in
      [numeric, oneGo, fused, given].compactMap { $0[tensor] }
    }
    let forward = PassTensor.forward.flatMap { tensor in
      [fused, given].compactMap { $0[tensor] }
    }
    return GradientReport(gradients: gradients, forward: forward)
  }

  /// Compares all elements of a tensor.
  func comparison(
    _ tensor: PassTensor, against source: Comparison.Source, found: Matrix<Double>,
    expected: Matrix<Double>, bound: Double
  ) -> Comparison {
    Comparison(
      tensor, sizes.shape(of: tensor), against: source, found: found, expected: expected,
      bound: bound, magnitude: bounds.size(of: tensor))
  }
}

// MARK: - Everything a gradient check found

/// The rows of a gradient check, in the notebook's order.
package struct GradientReport: Equatable, Sendable {
  /// Gradients, from the loss down to the embedding.
  package let gradients: [Comparison]
  /// Tensors of the forward pass.
  package let forward: [Comparison]

  /// All rows.
  package var comparisons: [Comparison] { gradients + forward }

  /// The rows whose difference rounding does not explain.
  package var wrong: [Comparison] { comparisons.filter { $0.verdict == .wrong } }

  /// How many rows have each verdict; without those that cannot be compared if there are none.
  package var counts: [(verdict: Comparison.Verdict, count: Int)] {
    Comparison.Verdict.allCases.map { verdict in
      (verdict: verdict, count: comparisons.count { $0.verdict == verdict })
    }.filter { $0.verdict != .notComparable || $0.count > 0 }
  }
}

// MARK: - Closed forms and the fused engine

extension GradientCheck {
  /// dlogits and dhprebn as one expression each, in Double.
  func oneGoGradients() -> [PassTensor: Comparison] {
    let forms: [(PassTensor, Matrix<Double>)] = [
      (.dlogits, steps.dlogitsInOneGo), (.dhprebn, steps.dhprebnInOneGo),
    ]
    return forms.reduce(into: [:]) { rows, form in
      let (tensor, found) = form
      rows[tensor] = comparison(
        tensor, against: .oneGo, found: found, expected: steps[tensor],
        bound: bounds[tensor, .float64])
    }
  }

  /// What the engine that trains leaves in memory, in Float: the loss, every parameter's gradient,
  /// and four or five others.
  ///
  /// The engine is given parameters that Float can hold, and so is the pass that it is held
  /// against.
  func fusedTensors() -> [PassTensor: Comparison] {
    let single = problem.singlePrecision
    let expected = single == problem ? steps : single.steps
    let engine = FusedEngine(
      OptimizationState(problem.parameters.converted()), batchSize: problem.minibatch.count,
      keepsIntermediates: true)
    let loss = engine.differentiate(problem.minibatch, dropout: problem.dropout)
    let gradients = engine.gradients
    var found = engine.intermediates
    found[.loss] = Matrix(rows: 1, columns: 1, repeating: loss)
    for parameter in PassTensor.parameters {
      if let gradient = parameter.gradient { found[gradient] = gradients[parameter] }
    }
    return found.reduce(into: [:]) { rows, found in
      let (tensor, value) = found
      rows[tensor] = comparison(
        tensor, against: .fused, found: value.converted(), expected: expected[tensor],
        bound: bounds.engineBound(tensor))
    }
  }
}

extension FusedEngine {
  /// The gradients of intermediates that are left in memory; slices side by side.
  package var intermediates: [PassTensor: Matrix<Float>] {
    var tensors: [PassTensor: Matrix<Float>] = [
      .dlogits: inOrder(fusedStep.dlogits.matrix), .dh: sideBySide { $0.dh },
      .dhpreact: sideBySide { $0.dhpreact }, .dhprebn: sideBySide { $0.dhprebn },
    ]
    let shares = fusedStep.slices.compactMap { $0.firstLayer.shareOfdembcat?.matrix }
    if let first = shares.first { tensors[.dembcat] = shares.dropFirst().reduce(first, +) }
    return tensors
  }

  private func sideBySide(_ part: (HiddenSlice) -> PaddedMatrix) -> Matrix<Float> {
    var whole = Matrix<Float>.zeros(batchSize, shape.hidden)
    for slice in fusedStep.slices { part(slice).copy(to: &whole, column: slice.units.lowerBound) }
    return inOrder(whole)
  }
}

// MARK: - A file's tensors

extension GradientCheck {
  /// Every tensor of the reference against our pass in the same precision.
  func referenceTensors() -> [PassTensor: Comparison] {
    guard let reference else { return [:] }
    let ours = Reference(computing: problem, in: reference.precision)
    return reference.tensors.reduce(into: [:]) { rows, given in
      guard let expected = ours.tensors[given.key] else {
        preconditionFailure("GradientCheck: \(given.key) is given, not computed")
      }
      rows[given.key] = comparison(
        given.key, against: .reference, found: given.value, expected: expected,
        bound: bounds[given.key, reference.precision])
    }
  }
}

// MARK: - Finite differences

extension GradientCheck {
  /// Probes that one thread takes at a time.
  private static let probesInPiece = 32

  /// Every gradient against central differences.
  func numericGradients() -> [PassTensor: Comparison] {
    let loss = PerturbedLoss(problem, steps: steps)
    let scales = StepScales(steps)
    let subjects = PassTensor.allCases.compactMap { tensor in
      tensor.gradient.map { gradient in
        (
          numeric: NumericGradient(
            tensor: tensor, loss: loss, value: steps[tensor], scales: scales.scales(of: tensor)),
          gradient: gradient, slope: steps[gradient], rounding: bounds[gradient, .float64]
        )
      }
    }
    let pieces = subjects.indices.flatMap { tensor in
      let probes = subjects[tensor].numeric.probes
      return stride(from: 0, to: probes.count, by: Self.probesInPiece).map { first in
        (tensor: tensor, probes: probes[first...].prefix(Self.probesInPiece))
      }
    }
    let lossRounding = bounds[.loss, .float64]
    let results = inParallel(pieces.count, threads: threads) { index in
      let subject = subjects[pieces[index].tensor]
      return pieces[index].probes.map { probe in
        subject.numeric.result(
          probe, subject.slope, gradientRounding: subject.rounding, lossRounding: lossRounding)
      }
    }
    var all = Array(repeating: [NumericGradient.ProbeResult](), count: subjects.count)
    for (piece, found) in zip(pieces, results) { all[piece.tensor] += found }
    return zip(subjects, all).reduce(into: [:]) { rows, checked in
      let (subject, results) = checked
      rows[subject.gradient] = Comparison(
        subject.gradient, sizes.shape(of: subject.gradient),
        coverage: subject.numeric.coverage, results,
        magnitude: bounds.size(of: subject.gradient))
    }
  }
}

// MARK: - One tensor by central differences

// One tensor's gradient by central differences: (loss(x + h) − loss(x − h)) / 2h.
//
// The loss of a pass in Double is off by some 1e-15, and so the quotient by that over h; the
// formula itself is off by h² / 6 · loss‴. Both are about equally small where h is ∛ε of the
// distance over which the loss bends, ε being Double's last place (Press et al., Numerical Recipes,
// §5.7). A small tensor is checked element by element. A large one is checked in some elements, and
// in random directions, each of which every element takes part in.

/// What is needed to differentiate the loss numerically in one tensor.
struct NumericGradient: Sendable {
  /// A parameter or a tensor of the forward pass.
  let tensor: PassTensor
  let loss: PerturbedLoss
  let value: Matrix<Double>
  let scales: Matrix<Double>

  /// The largest tensor that is checked element by element.
  static let elementwiseLimit = 1000
  /// The elements and the directions that stand for a larger one.
  static let sampledElements = 32
  static let directions = 8

  /// The step, relative to the distance over which the loss bends. It is above ∛2⁻⁵² ≈ 6e-6, where
  /// both errors are equal, so that the formula's own error is the larger. A second quotient shows
  /// that one, because it grows fourfold with twice the step.
  static let relativeStep = 1e-4

  /// What is perturbed: one element, or all elements along a random direction of signs.
  enum Probe: Equatable, Sendable {
    case element(Int)
    case direction(Int)
  }

  /// Whether every element has a probe of its own.
  var isComplete: Bool { value.count <= Self.elementwiseLimit }

  var coverage: Comparison.Coverage {
    isComplete
      ? .allElements : .sample(elements: Self.sampledElements, directions: Self.directions)
  }

  /// The probes of this tensor, the same in every run.
  var probes: [Probe] {
    if isComplete { return (0..<value.count).map(Probe.element) }
    // One element at random out of each of 32 stretches of equal length.
    var random = PythonRandom(seed: value.count)
    let elements = (0..<Self.sampledElements).map { stretch in
      let part = Range.part(stretch, of: Self.sampledElements, from: value.count)
      return Probe.element(part.lowerBound + random.randbelow(part.count))
    }
    return elements + (0..<Self.directions).map(Probe.direction)
  }

  /// The slope of the loss along a probe, and the size of the step.
  ///
  /// - Parameter width: The step, in units of the usual one.
  func quotient(_ probe: Probe, width: Double = 1) -> (slope: Double, step: Double) {
    switch probe {
    case .element(let index):
      let step = width * Self.relativeStep * scales.elements[index]
      var (forward, backward) = (value, value)
      let (row, column) = (index / value.columns, index % value.columns)
      forward[row, column] += step
      backward[row, column] -= step
      // Half the distance that the rounded numbers really have.
      let half = (forward[row, column] - backward[row, column]) / 2
      return ((loss(tensor, forward) - loss(tensor, backward)) / (2 * half), half)
    case .direction(let number):
      let (direction, scale) = direction(number)
      let step = width * Self.relativeStep * scale / .root(Double(value.count), 3)
      let shift = step * direction
      let difference = loss(tensor, value + shift) - loss(tensor, value - shift)
      return (difference / (2 * step), step)
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

// MARK: - A tensor's gradient against central differences

// The bound is a difference quotient's own: the loss is known to within its rounding, so the
// quotient to within that over the step. Where that does not explain a difference, the formula may:
// its error grows fourfold with twice the step, and so shows itself when the quotient is taken
// again.

extension NumericGradient {
  /// What one probe found.
  struct ProbeResult: Sendable {
    let probe: Probe
    let found: Double
    let expected: Double
    var bound: Double

    var difference: Double {
      let difference = abs(found - expected)
      return difference.isNaN ? .infinity : difference
    }

    /// Written so that a NaN on either side is not rounding.
    var isRounding: Bool { difference <= bound && bound.isFinite }
  }

  /// Compares a gradient with the slope along one probe.
  ///
  /// - Parameters:
  ///   - gradientRounding: The rounding of the gradient's elements.
  ///   - lossRounding: The rounding of the loss.
  func result(
    _ probe: Probe, _ gradient: Matrix<Double>, gradientRounding: Double, lossRounding: Double
  ) -> ProbeResult {
    let quotient = quotient(probe)
    let expected = slope(of: gradient, along: probe)
    var result = ProbeResult(
      probe: probe, found: quotient.slope, expected: expected,
      bound: gradientRounding + lossRounding / quotient.step)
    if !result.isRounding {
      result.bound += abs(self.quotient(probe, width: 2).slope - quotient.slope)
    }
    return result
  }
}

extension Comparison {
  /// Creates the row of a tensor from the results of its probes.
  ///
  /// The worst probe exceeds its bound by the largest factor; if none does, it has the largest
  /// difference.
  init(
    _ tensor: PassTensor, _ shape: [Int], coverage: Coverage,
    _ results: [NumericGradient.ProbeResult],
    magnitude: Double
  ) {
    let wrong = results.filter { !$0.isRounding && $0.bound.isFinite }
    let largest = results.max { $0.difference < $1.difference }
    let worst = wrong.max { $0.difference / $0.bound < $1.difference / $1.bound } ?? largest
    guard let worst, let largest else {
      preconditionFailure("Comparison: \(tensor) has no element")
    }
    let isComparable = results.allSatisfy { $0.bound.isFinite }
    self.init(
      tensor: tensor, shape: shape, against: .numeric, coverage: coverage,
      maxAbs: largest.difference,
      maxRel: largest.difference == 0 ? 0 : largest.difference / magnitude,
      worst: Worst(
        place: worst.probe.place(in: shape), found: worst.found, expected: worst.expected,
        bound: worst.bound),
      verdict: largest.difference == 0
        ? .exact : !wrong.isEmpty ? .wrong : isComparable ? .rounding : .notComparable)
  }
}

extension NumericGradient.Probe {
  fileprivate func place(in shape: [Int]) -> Comparison.Worst.Place {
    switch self {
    case .element(let index): .element(shape.indices(of: index))
    case .direction(let number): .direction(number)
    }
  }
}

// MARK: - The loss with one tensor replaced

// This is how an intermediate gets a numeric gradient: everything before it is taken from the
// unperturbed pass, the tensor itself is set, and the loss is read. The derivation evaluates what
// follows and nothing else.

/// The loss as a function of any one tensor of the forward pass.
struct PerturbedLoss: Sendable {
  private let problem: GradientProblem
  /// The unperturbed tensors of the forward pass.
  private let forward: [Matrix<Double>]

  init(_ problem: GradientProblem, steps: Derivation<Double>) {
    self.problem = problem
    forward = PassTensor.forward.map { steps[$0] }
  }

  /// The loss with an intermediate or a parameter set to `value`.
  func callAsFunction(_ tensor: PassTensor, _ value: Matrix<Double>) -> Double {
    var perturbed = problem.parameters
    let isParameter = PassTensor.parameters.contains(tensor)
    if isParameter { perturbed[tensor] = value }
    let pass = Derivation(perturbed, problem.minibatch, dropout: problem.dropout)
    for (intermediate, value) in zip(PassTensor.forward, forward) {
      // A parameter changes the tensor that reads it, and all that follow.
      if intermediate == tensor || intermediate.inputs.contains(tensor) { break }
      pass[intermediate] = value
    }
    if !isParameter { pass[tensor] = value }
    return pass.loss[0, 0]
  }
}
