// Goes through the pass's tensors and compares each with every other version of it that there is.
//
// The step-by-step pass in Double is what all others are held against, except for a reference: that is
// compared in its own precision. The check prints nothing and decides nothing but verdicts.

import LinearAlgebra

/// The gradient check of one problem, with or without somebody's reference.
public struct GradientCheck {
  let problem: GradientProblem
  let reference: Reference?
  let threads: Int
  let steps: Derivation<Double>
  let bounds: RoundingBounds
  let magnitudes: Magnitudes
  let shapes: TensorShapes

  /// Prepares the check of a problem.
  ///
  /// - Parameter threads: How many threads share the work; the results do not depend on it.
  public init(_ problem: GradientProblem, threads: Int) {
    self.init(problem, reference: nil, threads: threads)
  }

  /// Prepares the check of a reference and of the problem in it.
  public init(_ reference: Reference, threads: Int) {
    self.init(reference.problem, reference: reference, threads: threads)
  }

  private init(_ problem: GradientProblem, reference: Reference?, threads: Int) {
    self.problem = problem
    self.reference = reference
    self.threads = threads
    steps = problem.steps
    magnitudes = Magnitudes(steps)
    bounds = RoundingBounds(problem, magnitudes: magnitudes, threads: threads)
    shapes = TensorShapes(problem)
  }

  /// Compares everything.
  public func report() -> GradientReport {
    let numeric = numericGradients()
    let short = oneGoGradients()
    let fused = fusedTensors()
    let given = referenceTensors()
    let gradients = Derivation<Double>.gradientTensors.flatMap { name, _ in
      [numeric, short, fused, given].compactMap { $0["d" + name] }
    }
    let forward = Derivation<Double>.forwardTensors.flatMap { name, _ in
      [fused, given].compactMap { $0[name] }
    }
    return GradientReport(
      precision: reference?.precision ?? .float64, gradients: gradients, forward: forward)
  }

  /// Compares all elements of a tensor, under its name in a file.
  func comparison(
    _ fileName: String, against source: Comparison.Source, found: Matrix<Double>,
    expected: Matrix<Double>, bound: Double
  ) -> Comparison {
    let isGradient = Derivation<Double>.gradientTensors.contains { "d" + $0.name == fileName }
    let name = isGradient ? String(fileName.dropFirst()) : fileName
    return Comparison(
      name, isGradient: isGradient, shapes.shape(of: name), against: source, found: found,
      expected: expected,
      bound: bound, magnitude: magnitudes[fileName])
  }
}
