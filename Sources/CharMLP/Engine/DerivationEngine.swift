// The step-by-step derivation as an engine: slow, and the reference for the fast one.

public import LinearAlgebra

/// Gradient descent with every intermediate of the derivation, on either matrix product.
public final class DerivationEngine: Engine {
  public private(set) var parameters: Parameters<Float>
  public private(set) var moments: Moments<Float>?
  private let matmul: MatrixProduct

  /// - Parameter moments: What the optimizer remembers; nil if it remembers nothing.
  public init(
    _ parameters: Parameters<Float>, moments: Moments<Float>? = nil, matmul: MatrixProduct = .blas
  ) {
    self.parameters = parameters
    self.moments = moments
    self.matmul = matmul
  }

  public func step(_ minibatch: Minibatch, _ settings: StepSettings, meanwhile: () -> Void) -> Float
  {
    meanwhile()
    let derivation = Derivation(
      parameters, minibatch, dropout: settings.dropout, matmul: matmul)
    let gradients = derivation.gradients
    parameters.apply(settings.update, gradients, &moments)
    return derivation.loss[0, 0]
  }
}
