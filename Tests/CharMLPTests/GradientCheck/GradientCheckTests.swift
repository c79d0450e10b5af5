// The whole check: which rows there are, and that a sound problem passes.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The gradient check")
struct GradientCheckTests {
  @Test("Rows are in the notebook's order; every gradient is checked numerically")
  func rows() {
    let report = GradientCheck(.random(batchSize: 4, seed: 1), threads: 1).report()
    #expect(
      report.gradients.filter { $0.against == .numeric }.map(\.tensor) == PassTensor.gradients)
    #expect(
      report.gradients.filter { $0.against == .oneGo }.map(\.name) == ["logits", "hprebn"])
    #expect(
      report.gradients.filter { $0.against == .fused }.map(\.name) == [
        "logits", "h", "W2", "b2", "hpreact", "bngain", "bnbias", "hprebn", "embcat", "W1", "b1",
        "C",
      ])
    #expect(report.forward.map(\.name) == ["loss"])
    #expect(report.comparisons.allSatisfy { $0.worst.bound > 0 })
    #expect(report.wrong.isEmpty)
  }

  @Test(
    "With dropout every gradient is right too, and differs",
    arguments: [0.2, 0.9] as [Float])
  func dropout(rate: Float) {
    let plain = GradientProblem.random(batchSize: 8, seed: 1)
    let problem = GradientProblem(
      plain.parameters, plain.minibatch,
      dropout: RandomMask(rate: rate, seed: 3, step: 4, columns: plain.parameters.shape.hidden))
    let report = GradientCheck(problem, threads: 1).report()
    #expect(report.wrong.isEmpty, "\(report.wrong)")
    #expect(problem.steps.dW1 != plain.steps.dW1)
    #expect(problem.steps.dW2 != plain.steps.dW2)
  }

  @Test("A gradient check reports the notebook's shapes")
  func shapes() {
    let report = GradientCheck(.random(batchSize: 4, seed: 1), threads: 1).report()
    let shapes = Dictionary(
      uniqueKeysWithValues: report.gradients.filter { $0.against == .numeric }
        .map { ($0.name, $0.shape) })
    #expect(shapes["emb"] == [4, 3, 4])
    #expect(shapes["b1"] == [20])
    #expect(shapes["bngain"] == [1, 20])
    #expect(shapes["counts_sum"] == [4, 1])
    #expect(report.forward[0].shape == [])
  }

  // Two windows with the same context and the same target are one window twice: batch norm divides
  // zero by √1e-5, and every gradient before it is zero. A vocabulary of two makes many of them.
  @Test("Numeric, in one go and fused are never WRONG, however small the batch", arguments: [2, 3])
  func smallBatches(batchSize: Int) {
    let shape = ModelShape(vocabulary: 2, blockSize: 1, embedding: 1, hidden: 3)
    for seed in seeds(50) {
      let report = GradientCheck(
        .random(shape, batchSize: batchSize, seed: seed), threads: 1
      ).report()
      #expect(report.wrong.isEmpty, "seed \(seed): \(report.wrong)")
    }
  }

  @Test("A fault in a form in one go, or in the steps beneath it, is WRONG")
  func oneGoFault() {
    let check = GradientCheck(.random(batchSize: 32, seed: 1), threads: 1)
    check.steps.dlogits = 1.001 * check.steps.dlogits
    check.steps.dhprebn = 1.001 * check.steps.dhprebn
    #expect(check.oneGoGradients()[.dlogits]?.verdict == .wrong)
    #expect(check.oneGoGradients()[.dhprebn]?.verdict == .wrong)
    #expect(check.fusedTensors()[.dlogits]?.verdict == .wrong)
    #expect(check.fusedTensors()[.dhprebn]?.verdict == .wrong)
  }

  // Where tanh is ±1, 1 − h² is what rounding left of it, and the engine's tanh is off by up to
  // five places where the reference's is off by one.
  @Test("A saturated hidden layer makes no sound engine WRONG", arguments: [1, 5, 20] as [Double])
  func saturation(gain: Double) {
    for seed in seeds(20) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      var parameters = problem.parameters
      parameters.bngain = gain * parameters.bngain
      let check = GradientCheck(GradientProblem(parameters, problem.minibatch), threads: 1)
      let wrong = check.fusedTensors().values.filter { $0.verdict == .wrong }
      #expect(wrong.isEmpty, "seed \(seed): \(wrong)")
    }
  }
}
