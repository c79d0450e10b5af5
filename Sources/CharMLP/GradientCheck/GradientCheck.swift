// Goes through the pass's tensors and compares each with every other version of it that there is.
//
// The step-by-step pass in Double is what all others are held against, except for a reference: that
// is compared in its own precision. The check prints nothing and decides nothing but verdicts.

package import LinearAlgebra

/// The gradient check of one problem, with or without another program's tensors.
package struct GradientCheck {
  let problem: GradientProblem
  let reference: Reference?
  let threads: Int
  let steps: Derivation<Double>
  let bounds: RoundingBounds
  let magnitudes: Magnitudes
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
    magnitudes = Magnitudes(steps)
    bounds = RoundingBounds(problem, magnitudes: magnitudes, threads: threads)
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
      bound: bound, magnitude: magnitudes[tensor])
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

// MARK: - One row

/// A tensor of the step-by-step pass compared with the same tensor from elsewhere.
package struct Comparison: Equatable, Sendable {
  /// Where the other version comes from.
  package enum Source: String, CaseIterable, Sendable {
    /// Central differences of the loss.
    case numeric
    /// Cross-entropy's and batch norm's gradients as one expression each.
    case oneGo = "one-go"
    /// The engine that trains.
    case fused
    /// A file.
    case reference
  }

  /// What the difference means.
  package enum Verdict: String, CaseIterable, Sendable {
    /// All elements are equal.
    case exact
    /// No element differs by more than rounding explains.
    case rounding
    /// Rounding does not explain it.
    case wrong = "WRONG"
    /// Nothing can be said: no finite bound on rounding is known, because some number on the way
    /// is infinite.
    case notComparable = "not comparable"
  }

  /// What was compared.
  package enum Coverage: Equatable, Sendable {
    case allElements
    /// Some elements, and directions that every element takes part in.
    case sample(elements: Int, directions: Int)
  }

  /// Where two versions differ most.
  package struct Worst: Equatable, Sendable {
    package enum Place: Equatable, Sendable {
      /// An element, by its indices in the notebook's shape.
      case element([Int])
      /// A random direction: the sum over all elements, each with its part in the direction.
      case direction(Int)
    }
    package let place: Place
    /// The other version's value.
    package let found: Double
    /// The step-by-step pass's value.
    package let expected: Double
    /// The largest difference that rounding explains.
    package let bound: Double
  }

  package let tensor: PassTensor
  /// The shape in the notebook.
  package let shape: [Int]
  package let against: Source
  package let coverage: Coverage
  package let isExact: Bool
  /// The largest |a − b|; ∞ if either is not a number.
  package let maxAbs: Double
  /// `maxAbs` in units of the tensor's largest magnitude; for b1 and logit_maxes, whose gradients
  /// are zero but for rounding, in units of the largest of the terms that cancel.
  package let maxRel: Double
  package let worst: Worst
  package let verdict: Verdict

  /// The tensor's name in the notebook; a gradient has the name of what it belongs to.
  package var name: String { (tensor.owner ?? tensor).name }
}

extension Comparison {
  /// Compares all elements.
  ///
  /// - Parameters:
  ///   - found: The other version.
  ///   - expected: The step-by-step pass's tensor.
  ///   - bound: The largest difference that rounding explains.
  ///   - magnitude: What the difference is relative to.
  init(
    _ tensor: PassTensor, _ shape: [Int], against: Source, found: Matrix<Double>,
    expected: Matrix<Double>, bound: Double, magnitude: Double
  ) {
    let difference = Difference(found, expected)
    self.tensor = tensor
    self.shape = shape
    self.against = against
    coverage = .allElements
    isExact = difference.isExact
    maxAbs = difference.largest
    maxRel = difference.isExact ? 0 : difference.largest / magnitude
    worst = Worst(
      place: .element(shape.indices(of: difference.index)),
      found: found.elements[difference.index], expected: expected.elements[difference.index],
      bound: bound)
    verdict = Verdict(difference.largest, bound: bound, isExact: difference.isExact)
  }
}

extension Comparison.Verdict {
  /// Written so that a NaN is not rounding.
  init(_ difference: Double, bound: Double, isExact: Bool) {
    if isExact {
      self = .exact
    } else if !bound.isFinite {
      self = .notComparable
    } else {
      self = difference <= bound ? .rounding : .wrong
    }
  }
}

extension [Int] {
  /// The indices, in this shape, of the element that comes at `position` row by row.
  func indices(of position: Int) -> [Int] {
    var rest = position
    var indices: [Int] = []
    for size in reversed() {
      indices.insert(rest % size, at: 0)
      rest /= size
    }
    return indices
  }
}

// MARK: - Differences

// Written so that a NaN is never small: it is an infinite difference, wherever it stands. Equal
// infinities are equal.

/// The elementwise comparison of two matrices of one shape.
struct Difference {
  /// max|a − b|; ∞ where an element is NaN or only one is infinite.
  private(set) var largest = 0.0
  /// The element with the largest difference, counted row by row.
  private(set) var index = 0
  /// Whether all elements are equal.
  private(set) var isExact = true

  init(_ a: Matrix<Double>, _ b: Matrix<Double>) {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "Difference: \(a.shapeDescription) and \(b.shapeDescription)")
    for index in 0..<a.count where a.elements[index] != b.elements[index] {
      isExact = false
      let difference = abs(a.elements[index] - b.elements[index])
      let magnitude = difference.isNaN ? .infinity : difference
      if magnitude > largest { (largest, self.index) = (magnitude, index) }
    }
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

// MARK: - Finite differences

extension GradientCheck {
  /// Probes that one thread takes at a time.
  private static let probesInPiece = 32

  private struct Piece: Sendable {
    let tensor: Int
    let probes: ArraySlice<NumericGradient.Probe>
  }

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
        Piece(tensor: tensor, probes: probes[first..<min(first + Self.probesInPiece, probes.count)])
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
        subject.gradient, sizes.shape(of: subject.gradient), coverage: subject.numeric.coverage,
        results, magnitude: magnitudes[subject.gradient])
    }
  }
}

extension NumericGradient {
  fileprivate var coverage: Comparison.Coverage {
    isComplete
      ? .allElements
      : .sample(elements: Self.sampledElements, directions: Self.directions)
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

// MARK: - The problem

// What is dropped is part of the problem: a mask does not change while the loss is differentiated.
// Parameters are kept in Double, whatever they were drawn or read in; Float's numbers are Double's
// too.

/// Parameters and the minibatch whose loss is differentiated.
package struct GradientProblem: Equatable, Sendable {
  package let parameters: Parameters<Double>
  package let minibatch: Minibatch
  /// Which hidden units are dropped; nil for none, as in the lecture.
  package let dropout: RandomMask?

  /// The most elements that a tensor of a pass may have: 128 MiB of Double.
  package static let elementLimit = 1 << 24

  /// Creates a problem from parts that fit: at least two windows, and ids that C has a row for.
  package init(
    _ parameters: Parameters<Double>, _ minibatch: Minibatch, dropout: RandomMask? = nil
  ) {
    let shape = parameters.shape
    precondition(
      minibatch.count >= 2 && minibatch.blockSize == shape.blockSize,
      "GradientProblem: \(minibatch.count) windows of \(minibatch.blockSize) for \(shape)")
    let ids = 0..<Int32(shape.vocabulary)
    precondition(
      minibatch.contexts.allSatisfy(ids.contains) && minibatch.targets.allSatisfy(ids.contains),
      "GradientProblem: an id that is not in \(ids)")
    self.parameters = parameters
    self.minibatch = minibatch
    self.dropout = dropout
  }

  /// The number of elements of the largest tensor in a pass; nil if it exceeds what can be counted.
  package static func largestTensor(_ shape: ModelShape, batchSize: Int) -> Int? {
    let widths = [shape.vocabulary, shape.hidden, shape.contextWidth]
    let products = [
      (batchSize, widths), (shape.contextWidth, [shape.hidden]),
      (shape.vocabulary, [shape.hidden, shape.embedding]),
    ].flatMap { rows, widths in widths.map { rows.multipliedReportingOverflow(by: $0) } }
    return products.contains { $0.overflow } ? nil : products.map(\.partialValue).max()
  }

  /// The same problem with parameters that Float can hold, which is what a pass in Float is given.
  var singlePrecision: GradientProblem {
    GradientProblem(
      parameters.converted(to: Float.self).converted(), minibatch, dropout: dropout)
  }

  /// The pass of this problem, step by step.
  var steps: Derivation<Double> { Derivation(parameters, minibatch, dropout: dropout) }
}
