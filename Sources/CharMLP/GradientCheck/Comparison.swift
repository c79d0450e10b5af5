// One row of the table: a tensor against another program's version of it, and the verdict.

import LinearAlgebra

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
  /// `maxAbs` in units of the tensor's largest magnitude; for b1 and logit_maxes, whose gradients are
  /// zero but for rounding, in units of the largest of the terms that cancel.
  package let maxRel: Double
  package let worst: Worst
  package let verdict: Verdict

  /// The tensor's name in the notebook; a gradient has the name of what it belongs to.
  package var name: String { (tensor.owner ?? tensor).name }
  /// Whether this is the tensor's gradient, or the tensor itself.
  package var isGradient: Bool { tensor.isGradient }
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
  /// Written so that a NaN is no rounding.
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

// MARK: - A tensor's gradient against central differences

// The bound is a difference quotient's own: the loss is known to within its rounding, so the quotient
// to within that over the step. Where that does not explain a difference, the formula may: its error
// grows fourfold with twice the step, and so shows itself when the quotient is taken again.

extension NumericGradient {
  /// What one probe found.
  struct Finding: Sendable {
    let probe: Probe
    let found: Double
    let expected: Double
    let bound: Double

    var difference: Double {
      let difference = abs(found - expected)
      return difference.isNaN ? .infinity : difference
    }

    /// Written so that a NaN on either side is no rounding.
    var isRounding: Bool { difference <= bound && bound.isFinite }
  }

  /// Compares a gradient with the slope along one probe.
  ///
  /// - Parameters:
  ///   - gradientRounding: The rounding of the gradient's elements.
  ///   - lossRounding: The rounding of the loss.
  func finding(
    _ probe: Probe, _ gradient: Matrix<Double>, gradientRounding: Double, lossRounding: Double
  ) -> Finding {
    let quotient = quotient(probe)
    let expected = slope(of: gradient, along: probe)
    let bound = gradientRounding + lossRounding / quotient.step
    let finding = Finding(probe: probe, found: quotient.slope, expected: expected, bound: bound)
    if finding.isRounding { return finding }
    let truncation = abs(self.quotient(probe, width: 2).slope - quotient.slope)
    return Finding(
      probe: probe, found: quotient.slope, expected: expected, bound: bound + truncation)
  }
}

extension Comparison {
  /// Puts the findings of a tensor's probes together.
  ///
  /// The worst one is the largest difference, or, where rounding does not explain one, that which
  /// exceeds its bound most.
  init(
    _ tensor: PassTensor, _ shape: [Int], coverage: Coverage, _ findings: [NumericGradient.Finding],
    magnitude: Double
  ) {
    let wrong = findings.filter { !$0.isRounding && $0.bound.isFinite }
    let largest = findings.max { $0.difference < $1.difference }
    let worst = wrong.max { $0.difference / $0.bound < $1.difference / $1.bound } ?? largest
    guard let worst, let largest else {
      preconditionFailure("Comparison: \(tensor) has no element")
    }
    self.tensor = tensor
    self.shape = shape
    against = .numeric
    self.coverage = coverage
    isExact = largest.difference == 0
    maxAbs = largest.difference
    maxRel = isExact ? 0 : maxAbs / magnitude
    self.worst = Worst(
      place: worst.probe.place(in: shape), found: worst.found, expected: worst.expected,
      bound: worst.bound)
    let isComparable = findings.allSatisfy { $0.bound.isFinite }
    verdict =
      isExact ? .exact : !wrong.isEmpty ? .wrong : isComparable ? .rounding : .notComparable
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

// MARK: - How far two tensors are apart, and where most

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
