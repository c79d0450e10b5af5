// The step-by-step derivation as an engine: slow, and the reference for the fast one.

public import LinearAlgebra

/// Gradient descent with every intermediate of the derivation, on either matrix product.
public final class DerivationEngine: Engine {
  public private(set) var parameters: Parameters<Float>
  private let matmul: MatrixProduct

  public init(_ parameters: Parameters<Float>, matmul: MatrixProduct = .blas) {
    self.parameters = parameters
    self.matmul = matmul
  }

  public func step(
    _ minibatch: Minibatch, learningRate: Float, meanwhile: () -> Void
  ) -> Float {
    meanwhile()
    let derivation = Derivation(parameters, minibatch, matmul: matmul)
    parameters.descend(derivation.gradients, learningRate: learningRate)
    return derivation.loss[0, 0]
  }
}
