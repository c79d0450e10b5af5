// How much of a difference rounding can explain, tensor by tensor: measured, not guessed.
//
// Float and Double run the same lines on the same numbers, so what they differ by is Float's rounding.
// Batch norm amplifies it by bnvar_inv, up to 316, and which unit is hit depends on the problem; so
// the measurement is made on the problem itself. Double's rounding is Float's scaled by 2⁻²⁹.
//
// One pass is not enough. Where a single element decides, it can be right by luck, and a bound near
// zero would condemn every other program: one correct program in 20 is more than 16 × as far off as a
// single pass. So there are eight, with parameters and embeddings moved by at most a last place, which
// changes all roundings and nothing else; fewer than one in a million exceed 16 × the largest of them.
// Each is run step by step and with the forms in one go, because those round differently: in db1 the
// steps cancel what they have lost, and one expression does not.
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
      preconditionFailure("RoundingBounds: \(tensor) is no tensor of the pass")
    }
    return Self.factor * difference
      + Double(sizes.terms(of: tensor, occurrences: occurrences))
      * precision.ulp(of: magnitudes[tensor])
  }
}

// MARK: - What a difference is small or large in comparison with

// For a tensor that is its largest element. Two gradients are zero in exact arithmetic, and what a pass
// computes for them is nothing but rounding, so that they have no size of their own: they are judged
// absolutely, by the size of the terms that cancel in their sums.

/// The size of every tensor of a pass.
struct Magnitudes: Sendable {
  private let largest: [PassTensor: Double]

  init(_ steps: Derivation<Double>) {
    largest = steps.tensors.mapValues { $0.elements.reduce(0) { max($0, abs($1)) } }
  }

  /// The largest magnitude in a tensor, or in the terms that it is the vanishing sum of.
  subscript(tensor: PassTensor) -> Double {
    guard let magnitude = largest[tensor.cancels ?? tensor] else {
      preconditionFailure("Magnitudes: \(tensor) is given, not computed")
    }
    return magnitude
  }
}
