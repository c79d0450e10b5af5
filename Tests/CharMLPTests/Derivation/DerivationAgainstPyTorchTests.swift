// The step-by-step pass against PyTorch's autograd: every intermediate, every gradient.

import CharMLP
import LinearAlgebra
import Safetensors
import Testing

@Suite("The derivation against PyTorch")
struct DerivationAgainstPyTorchTests {
  static let shapes = ["exercise", "block-5", "block-1"]

  // Two correct programs add in different orders. Over a few hundred terms that is some 1e-15 in
  // Double; in Float, for batches of 32 and more, two correct ones differ by less than 2e-6.
  @Test(
    "All 20 intermediates and 26 gradients are PyTorch's within 1e-12 in Double",
    arguments: shapes, MatrixProduct.allCases)
  func doublePrecision(shape: String, matmul: MatrixProduct) throws {
    try expectAgreement("\(shape)-float64", Double.self, matmul, within: 1e-12)
  }

  @Test(
    "All 20 intermediates and 26 gradients are PyTorch's within 2e-6 in Float",
    arguments: shapes, MatrixProduct.allCases)
  func singlePrecision(shape: String, matmul: MatrixProduct) throws {
    try expectAgreement("\(shape)-float32", Float.self, matmul, within: 2e-6)
  }

  private func expectAgreement<Scalar: MatrixScalar & TensorElement>(
    _ name: String, _: Scalar.Type, _ matmul: MatrixProduct, within tolerance: Double
  ) throws {
    let fixture = try Fixture(name)
    let derivation = try Derivation<Scalar>(
      fixture.parameters(), fixture.minibatch, matmul: matmul)
    #expect(PassTensor.computed.count == 46)
    for tensor in PassTensor.computed {
      let expected: Matrix<Scalar> = try fixture.matrix(tensor.name)
      let error = distance(derivation[tensor], expected)
      #expect(error <= tolerance, "\(tensor): \(error)")
    }
  }

  @Test(
    "Cross-entropy and batch norm in one go are the step-by-step gradients",
    arguments: shapes)
  func oneGo(shape: String) throws {
    let fixture = try Fixture("\(shape)-float64")
    let (parameters, minibatch) = try (fixture.parameters(Double.self), fixture.minibatch)
    let steps = Derivation(parameters, minibatch)
    #expect(distance(steps.dlogitsInOneGo, steps.dlogits) <= 1e-12)
    #expect(distance(steps.dhprebnInOneGo, steps.dhprebn) <= 1e-12)

    let single = Derivation(parameters.converted(to: Float.self), minibatch)
    #expect(distance(single.dlogitsInOneGo, steps.dlogits) <= 2e-6)
    #expect(distance(single.dhprebnInOneGo, steps.dhprebn) <= 2e-6)
  }
}
