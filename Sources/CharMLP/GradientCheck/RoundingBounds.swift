// How much of a difference rounding can explain, tensor by tensor: measured, not guessed.
//
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
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The largest differences that two correct programs may show.
struct RoundingBounds: Sendable {
  /// max|Float − Double| of each tensor.
  private let differences: [PassTensor: Double]
  /// max|moved − unmoved| of each tensor in Double.
  private let doubleDifferences: [PassTensor: Double]
  /// As `differences`, with passes in it whose functions are only as good as the engine's.
  private let engineDifferences: [PassTensor: Double]
  /// What the last place is taken of.
  private let magnitudes: Magnitudes
  private let sizes: PassSizes
  private let occurrences: Int

  /// The factor between two programs' roundings.
  private static let factor = 16.0

  /// The passes that are compared, in each precision.
  private static let passes = 8

  /// Measures the problem's rounding.
  init(_ problem: GradientProblem, magnitudes: Magnitudes, threads: Int) {
    let measured = inParallel(Self.passes, threads: threads) { number in
      let pass = NudgedPass(number, of: problem)
      return (
        pass.differences([.steps, .oneGo]), pass.differences([.engine(seed: number)]),
        pass.differencesInDouble([.steps, .oneGo])
      )
    }
    doubleDifferences = measured.reduce(into: [:]) { $0.merge($1.2) { max($0, $1) } }
    differences = measured.reduce(into: [:]) { $0.merge($1.0) { max($0, $1) } }
    engineDifferences = measured.reduce(into: differences) { $0.merge($1.1) { max($0, $1) } }
    self.magnitudes = magnitudes
    sizes = PassSizes(problem)
    occurrences = problem.minibatch.mostOccurrences
  }

  /// 16 · the largest difference measured in the precision + roundings in the line · last place.
  subscript(tensor: PassTensor, precision: Precision) -> Double {
    bound(tensor, precision == .float32 ? differences : doubleDifferences, precision)
  }

  /// The bound for a tensor that the engine computes, in Float.
  func engineBound(_ tensor: PassTensor) -> Double { bound(tensor, engineDifferences, .float32) }

  private func bound(
    _ tensor: PassTensor, _ differences: [PassTensor: Double], _ precision: Precision
  ) -> Double {
    guard let difference = differences[tensor] else {
      preconditionFailure("RoundingBounds: \(tensor) is given, not computed")
    }
    return Self.factor * difference
      + Double(sizes.terms(of: tensor, occurrences: occurrences))
      * precision.ulp(of: magnitudes[tensor])
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
    /// In one go, and in Float with functions that are only as good as the engine's. The seed
    /// decides by how much each of their results is off.
    case engine(seed: Int)
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
        if case .oneGo = form, tensor == .dlogits { moved.dlogits = moved.dlogitsInOneGo }
        if case .oneGo = form, tensor == .dhprebn { moved.dhprebn = moved.dhprebnInOneGo }
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
      parameters.converted(to: Double.self), problem.minibatch, dropout: problem.dropout)
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

// MARK: - Magnitudes

// A difference is small or large in comparison with a tensor's largest element. Two gradients are
// zero in exact arithmetic, and what a pass computes for them is nothing but rounding, so that they
// have no size of their own: they are judged absolutely, by the size of the terms that cancel in
// their sums.

/// The size of every tensor of a pass.
struct Magnitudes: Sendable {
  private let largest: [PassTensor: Double]

  init(_ steps: Derivation<Double>) {
    largest = steps.tensors.mapValues(\.largestMagnitude)
  }

  /// The largest magnitude in a tensor, or in the terms that it is the vanishing sum of.
  subscript(tensor: PassTensor) -> Double {
    guard let magnitude = largest[tensor.cancels ?? tensor] else {
      preconditionFailure("Magnitudes: \(tensor) is given, not computed")
    }
    return magnitude
  }
}

extension Matrix<Double> {
  /// The largest |x|; 0 if there are only NaNs.
  var largestMagnitude: Double { elements.reduce(0) { Swift.max($0, abs($1)) } }
}
