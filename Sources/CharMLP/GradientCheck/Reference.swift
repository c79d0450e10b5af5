// A pass in a file: minibatch, parameters, and as many of its tensors as somebody wrote down.
//
// A notebook writes one and has its gradients checked; or we write one, and a notebook checks its
// gradients against ours. Both are the same file, so that what we write can be read back and is exact.
// All sizes come from the shapes. Reading and writing files is left to the caller; this is about bytes.

public import LinearAlgebra

/// A problem with tensors of its forward and backward pass, computed by somebody.
public struct Reference: Equatable, Sendable {
  /// The precision of every tensor in the file.
  public let precision: Precision
  public let problem: GradientProblem
  /// Intermediates and gradients by their names in the file: `h`, `dh`.
  public let tensors: [String: Matrix<Double>]
  /// Names in the file that are no tensors of the pass, sorted; they are not compared.
  public let ignored: [String]

  /// The problem's pass, step by step, as we compute it in the given precision.
  ///
  /// In `.float32` the parameters are rounded to Float first, if they are not Float's already.
  public init(computing problem: GradientProblem, in precision: Precision) {
    self.precision = precision
    switch precision {
    case .float32:
      self.problem = problem.singlePrecision
      tensors = Self.tensors(problem, Float.self)
    case .float64:
      self.problem = problem
      tensors = Self.tensors(problem, Double.self)
    }
    ignored = []
  }

  init(
    precision: Precision, problem: GradientProblem, tensors: [String: Matrix<Double>],
    ignored: [String]
  ) {
    self.precision = precision
    self.problem = problem
    self.tensors = tensors
    self.ignored = ignored
  }

  /// Every tensor of the step-by-step pass in one precision.
  private static func tensors<Scalar: MatrixScalar>(
    _ problem: GradientProblem, _: Scalar.Type
  ) -> [String: Matrix<Double>] {
    let parameters = problem.parameters.converted(to: Scalar.self)
    let pass = Derivation(parameters, problem.minibatch)
    return Dictionary(
      uniqueKeysWithValues: pass.tensorsByFileName.map { ($0.name, $0.value.converted()) })
  }

  /// The names of all tensors that a pass computes.
  static let tensorNames =
    Derivation<Double>.forwardTensors.map(\.name)
    + Derivation<Double>.gradientTensors.map { "d" + $0.name }
}
