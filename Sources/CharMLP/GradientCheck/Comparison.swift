// A tensor of the step-by-step pass beside another version of it: how far apart they are, and how
// much of that rounding can explain, which is measured, not guessed.
//
// Every comparison is computed in Double, which holds the numbers of both precisions exactly; the
// precision only says how much of a difference rounding may explain.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

internal import LinearAlgebra
package import Safetensors

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
    self.init(
      tensor: tensor, shape: shape, against: against, coverage: .allElements,
      maxAbs: difference.largest,
      maxRel: difference.largest == 0 ? 0 : difference.largest / magnitude,
      worst: Worst(
        place: .element(shape.indices(of: difference.index)),
        found: found.elements[difference.index], expected: expected.elements[difference.index],
        bound: bound),
      verdict: Verdict(difference.largest, bound: bound))
  }
}

extension Comparison.Verdict {
  /// Written so that a NaN is not rounding.
  init(_ difference: Double, bound: Double) {
    if difference == 0 {
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
  /// max|a − b|, which is 0 only if all are equal; ∞ where an element is NaN or one is infinite.
  private(set) var largest = 0.0
  /// The element with the largest difference, counted row by row.
  private(set) var index = 0

  init(_ a: Matrix<Double>, _ b: Matrix<Double>) {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "Difference: \(a.shapeDescription) and \(b.shapeDescription)")
    for index in 0..<a.count where a.elements[index] != b.elements[index] {
      let difference = abs(a.elements[index] - b.elements[index])
      let magnitude = difference.isNaN ? .infinity : difference
      if magnitude > largest { (largest, self.index) = (magnitude, index) }
    }
  }
}

// MARK: - Bounds on rounding

// Float and Double run the same lines on the same numbers, so what they differ by is Float's
// rounding. Batch norm amplifies it by bnvar_inv, up to 316, and which unit is hit depends on the
// problem; so the measurement is made on the problem itself. Double's rounding is Float's scaled by
// 2⁻²⁹.
//
// One pass is not enough. Where a single element decides, it can be right by luck, and a bound near
// zero would condemn every other program: one correct program in 20 is more than 16 × as far off as
// a single pass. So there are eight, with parameters and embeddings moved by at most a last place,
// which changes all roundings and nothing else; fewer than one in a million exceed 16 × the largest
// of them. Each is run step by step and with the forms in one go, because those round differently:
// in db1 the steps cancel what they have lost, and one expression does not.

/// The largest differences that two correct programs may show.
struct RoundingBounds: Sendable {
  /// max|Float − Double| of each tensor.
  private let differences: [PassTensor: Double]
  /// max|moved − unmoved| of each tensor in Double.
  private let doubleDifferences: [PassTensor: Double]
  /// As `differences`, but including passes whose functions are only as accurate as the engine's.
  private let engineDifferences: [PassTensor: Double]
  /// The largest magnitude of each tensor.
  private let magnitudes: [PassTensor: Double]
  private let sizes: PassSizes
  private let occurrences: Int

  /// The factor between two programs' roundings.
  private static let factor = 16.0

  /// The passes that are compared, in each precision.
  private static let passes = 8

  /// Measures the problem's rounding.
  init(_ problem: GradientProblem, threads: Int) {
    let measured = inParallel(Self.passes, threads: threads) { number in
      let pass = NudgedPass(number, of: problem)
      return (
        pass.differences([.steps, .oneGo]), pass.differences([.engine]),
        pass.differencesInDouble([.steps, .oneGo])
      )
    }
    doubleDifferences = measured.reduce(into: [:]) { $0.merge($1.2) { max($0, $1) } }
    differences = measured.reduce(into: [:]) { $0.merge($1.0) { max($0, $1) } }
    engineDifferences = measured.reduce(into: differences) { $0.merge($1.1) { max($0, $1) } }
    magnitudes = problem.steps.tensors.mapValues(\.largestMagnitude)
    sizes = PassSizes(problem)
    occurrences = problem.minibatch.mostOccurrences
  }

  /// 16 · the largest difference measured in the precision + roundings in the line · last place.
  subscript(tensor: PassTensor, precision: Precision) -> Double {
    bound(tensor, precision == .float32 ? differences : doubleDifferences, precision)
  }

  /// The bound for a tensor that the engine computes, in Float.
  func engineBound(_ tensor: PassTensor) -> Double { bound(tensor, engineDifferences, .float32) }

  /// What a difference is relative to: the largest magnitude in a tensor, or in the terms that
  /// cancel in it.
  ///
  /// Two gradients are zero in exact arithmetic, and what a pass computes for them is nothing but
  /// rounding, so that they have no size of their own: they are judged by the terms that cancel.
  func size(of tensor: PassTensor) -> Double {
    guard let magnitude = magnitudes[tensor.cancels ?? tensor] else {
      preconditionFailure("RoundingBounds: \(tensor) is given, not computed")
    }
    return magnitude
  }

  private func bound(
    _ tensor: PassTensor, _ differences: [PassTensor: Double], _ precision: Precision
  ) -> Double {
    guard let difference = differences[tensor] else {
      preconditionFailure("RoundingBounds: \(tensor) is given, not computed")
    }
    return Self.factor * difference
      + Double(sizes.terms(of: tensor, occurrences: occurrences))
      * precision.ulp(of: size(of: tensor))
  }
}

// MARK: - Passes on moved numbers

// In Float and in Double on the same numbers, in several forms. Each form is compared with itself,
// so that a fault in one of them cannot pass for rounding.

/// The numbers that a measurement starts from.
struct NudgedPass {
  private let number: Int
  private let problem: GradientProblem
  private let parameters: Parameters<Float>
  private let emb: Matrix<Float>

  /// Starts from the problem's numbers in pass 0; in the others, parameters and embeddings are
  /// moved by at most a last place, so that even two windows with one context differ.
  init(_ number: Int, of problem: GradientProblem) {
    (self.number, self.problem) = (number, problem)
    let given = problem.parameters.converted(to: Float.self)
    var nudge = Nudge(seed: number)
    parameters = number == 0 ? given : nudge(given)
    let looked = Derivation(parameters, problem.minibatch).emb
    emb = number == 0 ? looked : nudge(looked)
  }

  /// How a pass computes.
  enum Form {
    /// Line by line.
    case steps
    /// dlogits and dhprebn in one expression each.
    case oneGo
    /// In one go, and in Float with functions that are only as good as the engine's. The pass's
    /// number decides by how much each of their results is off.
    case engine
  }

  /// The largest |Float − Double| of every tensor in any of the forms.
  func differences(_ forms: [Form]) -> [PassTensor: Double] {
    var differences: [PassTensor: Double] = [:]
    for form in forms {
      let (found, expected) = (single(form), double(form))
      for tensor in PassTensor.computed {
        let difference = Difference(found[tensor].converted(), expected[tensor]).largest
        differences[tensor] = max(differences[tensor] ?? 0, difference)
      }
    }
    return differences
  }

  /// The largest difference of every tensor between passes in Double whose lines all have moved by
  /// at most a last place, and those whose lines have not.
  func differencesInDouble(_ forms: [Form]) -> [PassTensor: Double] {
    var nudge = Nudge(seed: number)
    var differences: [PassTensor: Double] = [:]
    for form in forms {
      let (moved, expected) = (double(.steps), double(form))
      for tensor in PassTensor.computed {
        if form == .oneGo, tensor == .dlogits { moved.dlogits = moved.dlogitsInOneGo }
        if form == .oneGo, tensor == .dhprebn { moved.dhprebn = moved.dhprebnInOneGo }
        // A look-up and its other shape are exact.
        if tensor != .emb, tensor != .embcat { moved[tensor] = nudge(moved[tensor]) }
        let difference = Difference(moved[tensor], expected[tensor]).largest
        differences[tensor] = max(differences[tensor] ?? 0, difference)
      }
    }
    return differences
  }

  private func single(_ form: Form) -> Derivation<Float> {
    let pass = Derivation(parameters, problem.minibatch, dropout: problem.dropout)
    pass.emb = emb
    if form == .engine {
      // What SIMDFunctions promises: 1/√x within 3 places, tanh within 5.
      var nudge = Nudge(seed: number)
      pass.bnvar_inv = nudge(pass.bnvar_inv, places: 3)
      pass.h = nudge(pass.h, places: 5)
    }
    pass.take(form)
    return pass
  }

  private func double(_ form: Form) -> Derivation<Double> {
    let pass = Derivation(
      parameters.converted(to: Double.self), problem.minibatch, dropout: problem.dropout)
    pass.emb = emb.converted()
    pass.take(form)
    return pass
  }
}

extension Derivation {
  /// Replaces the steps by the forms in one go, if that is the form.
  fileprivate func take(_ form: NudgedPass.Form) {
    if form == .steps { return }
    dlogits = dlogitsInOneGo
    dhprebn = dhprebnInOneGo
  }
}

/// Moves numbers by some last places up or down, or not at all, at random.
struct Nudge {
  private var random: PythonRandom

  init(seed: Int) { random = PythonRandom(seed: seed) }

  mutating func callAsFunction<Scalar: MatrixScalar>(
    _ matrix: Matrix<Scalar>, places: Int = 1
  ) -> Matrix<Scalar> {
    let elements = matrix.elements.map { element in
      element + Scalar(random.randbelow(2 * places + 1) - places) * Scalar.ulpOfOne * element
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

extension Matrix<Double> {
  /// The largest |x|; 0 if there are only NaNs.
  var largestMagnitude: Double { elements.reduce(0) { Swift.max($0, abs($1)) } }
}

// MARK: - Precision

/// The precision that numbers were computed in.
package enum Precision: String, CaseIterable, Sendable {
  case float32
  case float64

  /// The distance of neighbouring numbers at 1: 2⁻²³ or 2⁻⁵².
  package var ulpOfOne: Double { ulp(of: 1) }

  /// The smallest number with all its digits: 2⁻¹²⁶ or 2⁻¹⁰²².
  var leastNormalMagnitude: Double {
    self == .float64 ? .leastNormalMagnitude : Double(Float.leastNormalMagnitude)
  }

  /// The largest number.
  var greatestFiniteMagnitude: Double {
    self == .float64 ? .greatestFiniteMagnitude : Double(Float.greatestFiniteMagnitude)
  }

  /// The element type of a safetensors file.
  package var dataType: DataType { self == .float64 ? .float64 : .float32 }

  /// Python that gives a tensor this type.
  func conversion(of name: String) -> String {
    "\(name) = \(name).\(self == .float32 ? "float" : "double")()"
  }

  /// The distance of neighbouring numbers at `x`.
  func ulp(of x: Double) -> Double { self == .float64 ? x.ulp : Double(Float(x).ulp) }

  /// Each element as a number of this precision.
  func rounded(_ x: Matrix<Double>) -> Matrix<Double> {
    self == .float64 ? x : x.converted(to: Float.self).converted()
  }
}

extension PassSizes {
  /// The roundings of an element in its own line: one for each term that is added up, but at least
  /// four.
  ///
  /// A line that adds up m terms may be off by m units in the last place, whatever the order of the
  /// sum. What the lines before it have lost already is not counted.
  ///
  /// - Parameter occurrences: How often the most frequent id of the contexts occurs.
  func terms(of tensor: PassTensor, occurrences: Int) -> Int {
    let terms =
      switch tensor.terms {
      case .few: 0
      case .sum(let dimension, let others): size(dimension) + others
      case .occurrences: occurrences
      }
    return max(terms, 4)
  }
}

extension Minibatch {
  /// How often the most frequent id of the contexts occurs: the longest sum in dC.
  var mostOccurrences: Int {
    contexts.reduce(into: [:]) { counts, id in counts[id, default: 0] += 1 }.values.max() ?? 0
  }
}
