// Central differences against the derivation: they must agree where it is right, and only there.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Numeric gradients")
struct NumericGradientTests {
  // A loss is known to some 1e-16, a step is about 1e-4, and a gradient's largest element about
  // 1e-3 of the loss: 1e-9 is what can be had, and twenty seeds stay below 1e-7. In a batch of two,
  // batch norm takes nearly all of the gradient before it away, and what is left is a hundredth as
  // precise.
  @Test(
    "All 26 gradients are numeric ones, relative to each tensor's largest element",
    arguments: [(2, 1e-5), (3, 1e-7), (32, 1e-7)])
  func agreement(batchSize: Int, tolerance: Double) {
    for seed in seeds(20) {
      let check = GradientCheck(.random(batchSize: batchSize, seed: seed), threads: 1)
      let rows = check.numericGradients()
      #expect(rows.count == 26)
      for (tensor, row) in rows {
        #expect(row.maxRel <= tolerance, "\(tensor), seed \(seed): \(row.maxRel)")
        #expect(row.verdict != .wrong, "\(tensor), seed \(seed)")
      }
    }
  }

  @Test("A tensor of more than 1,000 elements is sampled, and no sample misses a fault")
  func sampling() throws {
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 64)
    let check = GradientCheck(.random(shape, batchSize: 32, seed: 1), threads: 1)
    let large: [PassTensor] = [
      .dh, .dW2, .dhpreact, .dbnraw, .dbndiff, .dbndiff2, .dhprebn, .dW1,
    ]
    for tensor in large { addFault(to: tensor, in: check) }
    let rows = check.numericGradients()
    let sampled = rows.values.filter { $0.coverage == .sample(elements: 32, directions: 8) }
    #expect(Set(sampled.map(\.tensor)) == Set(large))
    for row in sampled {
      #expect(row.verdict == .wrong, "\(row.tensor)")
    }
  }

  @Test(
    "One element off by 1e-3 of its tensor's largest is WRONG, and it is named",
    arguments: PassTensor.gradients)
  func fault(gradient: PassTensor) throws {
    let check = GradientCheck(.random(batchSize: 3, seed: 5), threads: 1)
    let place = addFault(to: gradient, in: check)
    let row = try #require(check.numericGradients()[gradient])
    #expect(row.verdict == .wrong)
    #expect(row.worst.place == .element(row.shape.indices(of: place)))
  }

  /// Spoils one element of a gradient that the check is going to look at.
  @discardableResult
  private func addFault(to gradient: PassTensor, in check: GradientCheck) -> Int {
    var faulty = check.steps[gradient]
    let place = faulty.count * 2 / 3
    faulty[place / faulty.columns, place % faulty.columns] += 1e-3 * check.bounds.size(of: gradient)
    check.steps[gradient] = faulty
    return place
  }

  @Test("Numeric gradients do not depend on the number of threads")
  func threads() {
    let problem = GradientProblem.random(batchSize: 3, seed: 2)
    let reports = [1, 2, 5].map { GradientCheck(problem, threads: $0).report() }
    #expect(reports[0] == reports[1])
    #expect(reports[0] == reports[2])
  }
}
