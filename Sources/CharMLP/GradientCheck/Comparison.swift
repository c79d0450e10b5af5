// One row of the table: a tensor against another program's version of it, and the verdict.

import LinearAlgebra

/// A tensor of the step-by-step pass compared with the same tensor from elsewhere.
public struct Comparison: Equatable, Sendable {
  /// Where the other version comes from.
  public enum Source: String, CaseIterable, Sendable {
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
  public enum Verdict: String, CaseIterable, Sendable {
    /// All elements are equal.
    case exact
    /// No element differs by more than rounding explains.
    case rounding
    /// Rounding does not explain it.
    case wrong = "WRONG"
  }

  /// What was compared.
  public enum Coverage: Equatable, Sendable {
    case allElements
    /// Some elements, and directions that every element takes part in.
    case sample(elements: Int, directions: Int)
  }

  /// Where two versions differ most.
  public struct Worst: Equatable, Sendable {
    public enum Place: Equatable, Sendable {
      /// An element, by its indices in the notebook's shape.
      case element([Int])
      /// A random direction: the sum over all elements, each with its part in the direction.
      case direction(Int)
    }
    public let place: Place
    /// The other version's value.
    public let found: Double
    /// The step-by-step pass's value.
    public let expected: Double
    /// The largest difference that rounding explains.
    public let bound: Double
  }

  /// The tensor's name in the notebook; a gradient has the name of what it belongs to.
  public let name: String
  /// Whether this is the tensor's gradient, or the tensor itself.
  public let isGradient: Bool
  /// The shape in the notebook.
  public let shape: [Int]
  public let against: Source
  public let coverage: Coverage
  public let isExact: Bool
  /// The largest |a − b|; ∞ if either is not a number.
  public let maxAbs: Double
  /// `maxAbs` in units of the tensor's largest magnitude; for b1 and logit_maxes, whose gradients are
  /// zero but for rounding, in units of the largest of the terms that cancel.
  public let maxRel: Double
  public let worst: Worst
  public let verdict: Verdict
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
    _ name: String, isGradient: Bool, _ shape: [Int], against: Source, found: Matrix<Double>,
    expected: Matrix<Double>, bound: Double, magnitude: Double
  ) {
    let difference = Difference(found, expected)
    self.name = name
    self.isGradient = isGradient
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
    let isRounding = difference.largest <= bound && bound.isFinite
    verdict = difference.isExact ? .exact : isRounding ? .rounding : .wrong
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
