// A tensor's gradient against central differences.
//
// The bound is a difference quotient's own: the loss is known to within its rounding, so the quotient
// to within that over the step. Where that does not explain a difference, the formula may: its error
// grows fourfold with twice the step, and so shows itself when the quotient is taken again.

import LinearAlgebra

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
    _ name: String, _ shape: [Int], coverage: Coverage, _ findings: [NumericGradient.Finding],
    magnitude: Double
  ) {
    let wrong = findings.filter { !$0.isRounding }
    let largest = findings.max { $0.difference < $1.difference }
    let worst = wrong.max { $0.difference / $0.bound < $1.difference / $1.bound } ?? largest
    guard let worst, let largest else {
      preconditionFailure("Comparison: \(name) has no element")
    }
    self.name = name
    isGradient = true
    self.shape = shape
    against = .numeric
    self.coverage = coverage
    isExact = largest.difference == 0
    maxAbs = largest.difference
    maxRel = isExact ? 0 : maxAbs / magnitude
    self.worst = Worst(
      place: worst.probe.place(in: shape), found: worst.found, expected: worst.expected,
      bound: worst.bound)
    verdict = isExact ? .exact : wrong.isEmpty ? .rounding : .wrong
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
