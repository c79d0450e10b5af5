// References that are right are never WRONG, and a reference with one fault always is.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Verdicts on references")
struct ReferenceVerdictTests {
  private static let shapes = [
    ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 64),
    ModelShape(vocabulary: 5, blockSize: 1, embedding: 4, hidden: 9),
    ModelShape(vocabulary: 311, blockSize: 5, embedding: 2, hidden: 9),
  ]

  /// The rows about the reference alone; the others need seconds.
  private func rows(_ reference: Reference) -> [Comparison] {
    Array(GradientCheck(reference, threads: 1).referenceTensors().values)
  }

  @Test(
    "PyTorch's references in float32 with batches of 2 and 3 are not WRONG, over 50 seeds",
    arguments: [2, 3])
  func pytorchSmallBatches(batchSize: Int) throws {
    let file = try Fixture("references-batch-\(batchSize)-float32").file
    for seed in 0..<50 {
      let rows = rows(try Reference(decoding: file.slice(seed).encoded()))
      #expect(rows.count == 26)
      for row in rows { #expect(row.verdict != .wrong, "\(row.tensor), seed \(seed): \(row)") }
    }
  }

  // Another correct program: other products, cross-entropy and batch norm in one go. And one that
  // is more precise than ours: everything in Double, rounded once.
  @Test(
    "Other correct programs in float32 with batches of 2 and 3 are not WRONG, whatever the seed")
  func otherPrograms() {
    let shape = Self.shapes[0]
    for seed in seeds(50) {
      for batchSize in [2, 3] {
        let problem = GradientProblem.random(shape, batchSize: batchSize, seed: seed)
        let pass = Derivation<Float>(
          problem.parameters.converted(), problem.minibatch, matmul: .naive)
        pass.dlogits = pass.dlogitsInOneGo
        pass.dhprebn = pass.dhprebnInOneGo
        let exact = Derivation(problem.parameters, problem.minibatch)
        for tensors in [
          pass.tensors, exact.tensors.mapValues { $0.converted() },
        ] {
          let reference = Reference(
            precision: .float32, problem: problem,
            tensors: tensors.mapValues { $0.converted() }, ignored: [])
          let wrong = rows(reference).filter { $0.verdict == .wrong }
          #expect(wrong.isEmpty, "batch of \(batchSize), seed \(seed): \(wrong)")
        }
      }
    }
  }

  @Test(
    "One element off by 1e-3 of its tensor's largest is WRONG, and it is named",
    arguments: [
      (Precision.float64, 2), (.float64, 3), (.float64, 32), (.float32, 32), (.float32, 200),
    ])
  func fault(precision: Precision, batchSize: Int) throws {
    for shape in Self.shapes {
      for seed in seeds(5) {
        let problem = GradientProblem.random(shape, batchSize: batchSize, seed: seed)
        if problem.hasOneContext { continue }
        let ours = Reference(computing: problem, in: precision)
        var random = PythonRandom(seed: seed)
        var places: [PassTensor: Int] = [:]
        var faulty = ours.tensors
        for gradient in PassTensor.gradients where !cancelling.contains(gradient) {
          let right = faulty[gradient]!
          let place = random.randbelow(right.count)
          places[gradient] = place
          faulty[gradient] = right.withFault(at: place, precision)
        }
        let reference = Reference(
          precision: precision, problem: problem, tensors: faulty, ignored: [])
        for row in rows(reference) {
          guard let place = places[row.tensor] else {
            #expect(row.verdict == .exact, "\(row.tensor)")
            continue
          }
          #expect(row.verdict == .wrong, "\(row.tensor), \(shape), seed \(seed): \(row)")
          #expect(row.worst.place == .element(row.shape.indices(of: place)))
        }
      }
    }
  }

  @Test(
    "b1 and logit_maxes are judged by the terms that cancel",
    arguments: [Precision.float32, .float64])
  func cancellingGradients(precision: Precision) throws {
    let problem = GradientProblem.random(batchSize: 32, seed: 1)
    let ours = Reference(computing: problem, in: precision)
    for (tensor, terms) in [(.db1, .dhprebn), (.dlogit_maxes, .dnorm_logits)]
      as [(PassTensor, PassTensor)]
    {
      let largest = ours.tensors[terms]!.elements.map(abs).max()!
      for (fault, isWrong) in [(1e-3 * largest, true), (precision.ulpOfOne * largest, false)] {
        var tensors = ours.tensors
        tensors[tensor]![0, 0] += fault
        let reference = Reference(
          precision: precision, problem: problem, tensors: tensors, ignored: [])
        let row = try #require(GradientCheck(reference, threads: 1).referenceTensors()[tensor])
        #expect((row.verdict == .wrong) == isWrong, "\(row)")
        // In units of the terms, and not of the rounding that is left of their sum.
        #expect(abs(row.maxRel - fault / largest) <= 1e-3 * fault / largest)
      }
    }
  }
}

extension Matrix<Double> {
  /// The matrix with one element off by 1e-3 of the largest, in a number of the given precision.
  fileprivate func withFault(at place: Int, _ precision: Precision) -> Matrix {
    let largest = elements.reduce(0) { Swift.max($0, abs($1)) }
    var faulty = self
    let value = elements[place] + 1e-3 * largest
    faulty[place / columns, place % columns] = precision == .float32 ? Double(Float(value)) : value
    return faulty
  }
}

extension SafetensorsFile {
  /// What stands at one index of every tensor's first dimension.
  fileprivate func slice(_ index: Int) -> SafetensorsFile {
    var slice = SafetensorsFile()
    for (name, tensor) in tensors.map({ ($0.name, $0.tensor) }) {
      let size = tensor.bytes.count / tensor.shape[0]
      slice[name] = Tensor(
        dataType: tensor.dataType, shape: Array(tensor.shape.dropFirst()),
        bytes: Array(tensor.bytes[index * size..<(index + 1) * size]))
    }
    return slice
  }
}
