// One tensor's gradient by central differences: (loss(x + h) − loss(x − h)) / 2h.
//
// The loss of a pass in Double is off by some 1e-15, and so the quotient by that over h; the formula
// itself is off by h² / 6 · loss‴. Both are about equally small where h is ∛ε of the distance over
// which the loss bends, ε being Double's last place (Press et al., Numerical Recipes, §5.7).
// A small tensor is checked element by element. A large one is checked in some elements, and in random
// directions, each of which every element takes part in.

import LinearAlgebra
import RealModule

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
