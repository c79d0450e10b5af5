// The fused engine (Float) against the step-by-step pass in Double, where the two meet.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The fused engine")
struct FusedEngineTests {
  @Test(
    "Its loss, dlogits, dh, dhpreact, dhprebn, dembcat and all gradients are the derivation's",
    arguments: DerivationAgainstPyTorchTests.shapes)
  func agreesWithDerivation(shape: String) throws {
    let fixture = try Fixture("\(shape)-float64")
    let (parameters, minibatch) = try (fixture.parameters(Double.self), fixture.minibatch)
    let steps = Derivation(parameters, minibatch)
    let engine = FusedEngine(
      parameters.converted(), batchSize: minibatch.count, keepsIntermediates: true)
    let loss = engine.differentiate(minibatch)
    let slice = try #require(engine.slices.first)

    // Float against Double, batches of 32 and more: rounding stays below 2e-6.
    let tolerance = 2e-6
    #expect(abs(Double(loss) - steps.loss[0, 0]) <= tolerance)
    let intermediates: [(String, PaddedMatrix, Matrix<Double>)] = [
      ("dlogits", engine.output.dlogits, steps.dlogits), ("dh", slice.dh, steps.dh),
      ("dhpreact", slice.dhpreact, steps.dhpreact), ("dhprebn", slice.dhprebn, steps.dhprebn),
      ("dembcat", slice.dembcat, steps.dembcat),
    ]
    for (name, fused, expected) in intermediates {
      #expect(distance(fused.matrix, expected) <= tolerance, "\(name)")
    }
    for ((name, single), (_, double)) in zip(
      Parameters<Float>.ordered, Parameters<Double>.ordered)
    {
      let error = distance(
        engine.gradients[keyPath: single], steps.gradients[keyPath: double])
      #expect(error <= tolerance, "d\(name): \(error)")
    }
  }

  @Test("Keeping intermediates changes no bit of what it learns")
  func keepingIntermediates() throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let engines = [true, false].map {
      FusedEngine(parameters, batchSize: minibatch.count, keepsIntermediates: $0)
    }
    for engine in engines {
      for _ in 0..<3 { _ = engine.step(minibatch, learningRate: 0.1) }
    }
    #expect(engines[0].parameters == engines[1].parameters)
    #expect(engines[0].parameters != parameters)
  }

  @Test("A step is the gradient's step of the derivation")
  func step() throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let fused = FusedEngine(parameters, batchSize: minibatch.count)
    let reference = DerivationEngine(parameters)
    for _ in 0..<5 {
      let losses = (
        fused.step(minibatch, learningRate: 0.1), reference.step(minibatch, learningRate: 0.1)
      )
      #expect(abs(losses.0 - losses.1) <= 2e-6)
    }
    for (name, path) in Parameters<Float>.ordered {
      let error = distance(fused.parameters[keyPath: path], reference.parameters[keyPath: path])
      #expect(error <= 2e-6, "\(name): \(error)")
    }
  }

  @Test("A minibatch of another size stops the program")
  func wrongBatch() async {
    await #expect(processExitsWith: .failure) {
      let shape = ModelShape(vocabulary: 3, blockSize: 1, embedding: 2, hidden: 4)
      let engine = FusedEngine(Parameters(zeros: shape), batchSize: 4)
      _ = engine.step(Minibatch(blockSize: 1, count: 5), learningRate: 0.1)
    }
  }
}
