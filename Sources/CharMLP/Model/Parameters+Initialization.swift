// The notebook's initial parameters, from its generators in its order.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

extension Parameters<Float> {
  /// The initial parameters of the lecture's notebook.
  ///
  /// C, W1 · (5/3)/√(embedding·block), b1 · 0.1, W2 · 0.1 and b2 · 0.1 are standard normal deviates,
  /// drawn in that order from `generator`, which then draws the minibatches. 5/3 is tanh's gain
  /// (Kaiming initialization). The notebook draws bngain = 1 + 0.1 · randn and bnbias = 0.1 · randn
  /// from PyTorch's global generator without seeding it; here a second generator with the same seed
  /// draws them, as after `torch.manual_seed(seed)`.
  public static func notebook(
    _ shape: ModelShape, seed: UInt64, generator: inout TorchGenerator
  ) -> Parameters {
    let gain = 5.0 / 3 / Double(shape.contextWidth).squareRoot()
    let C = generator.normal(shape.vocabulary, shape.embedding)
    let W1 = Float(gain) * generator.normal(shape.contextWidth, shape.hidden)
    let b1 = 0.1 * generator.normal(1, shape.hidden)
    let W2 = 0.1 * generator.normal(shape.hidden, shape.vocabulary)
    let b2 = 0.1 * generator.normal(1, shape.vocabulary)
    var second = TorchGenerator(seed: seed)
    let bngain = 0.1 * second.normal(1, shape.hidden) + 1
    let bnbias = 0.1 * second.normal(1, shape.hidden)
    return Parameters(C: C, W1: W1, b1: b1, W2: W2, b2: b2, bngain: bngain, bnbias: bnbias)
  }
}

extension TorchGenerator {
  /// `torch.randn((rows, columns), generator: self)`.
  fileprivate mutating func normal(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns, elements: randn(count: rows * columns))
  }
}
