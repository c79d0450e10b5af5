// Reference files: PyTorch's are read and agree, ours are read back and are exact.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Reference files")
struct ReferenceTests {
  // The tolerances are those of two correct programs that add in different orders; see the
  // derivation's own test. In a batch of three, batch norm amplifies rounding in Double by up to
  // 316.
  @Test(
    "PyTorch's references agree with ours, in shapes that no golden file has",
    arguments: [
      ("reference-block-1-float32", Precision.float32, 2e-6),
      ("reference-block-5-float64", .float64, 1e-12), ("exercise-float32", .float32, 2e-6),
      ("exercise-float64", .float64, 1e-12), ("block-5-float64", .float64, 1e-12),
    ])
  func pytorch(name: String, precision: Precision, tolerance: Double) throws {
    let reference = try Reference(decoding: Fixture(name).file.encoded())
    #expect(reference.precision == precision)
    #expect(reference.tensors.count == 46)
    #expect(reference.ignored.isEmpty)
    let check = GradientCheck(reference, threads: 1)
    for (tensor, row) in check.referenceTensors() {
      let largest = check.steps[tensor].elements.map(abs).max()!
      #expect(row.maxAbs / max(1, largest) <= tolerance, "\(tensor): \(row.maxAbs)")
      #expect(row.verdict != .wrong, "\(tensor): \(row)")
    }
  }

  @Test("A written reference file reads back exactly", arguments: Precision.allCases, [2, 32])
  func roundTrip(precision: Precision, batchSize: Int) throws {
    let problem = GradientProblem.random(batchSize: batchSize, seed: 4)
    let written = Reference(computing: problem, in: precision)
    let read = try Reference(decoding: written.encoded())
    #expect(read == written)
    let rows = GradientCheck(read, threads: 1).referenceTensors()
    #expect(rows.count == 46)
    #expect(rows.values.allSatisfy { $0.verdict == .exact })
  }

  @Test("A written file has the notebook's types and shapes")
  func layout() throws {
    let problem = GradientProblem.random(batchSize: 4, seed: 4)
    let file = try SafetensorsFile(
      decoding: Reference(computing: problem, in: .float32).encoded())
    let golden = try Fixture("exercise-float32").file
    #expect(Set(file.tensors.map(\.name)) == Set(golden.tensors.map(\.name)))
    for (name, tensor) in golden.tensors.map({ ($0.name, $0.tensor) }) {
      #expect(file[name]?.dataType == tensor.dataType, "\(name)")
      #expect(file[name]?.shape.count == tensor.shape.count, "\(name)")
    }
    #expect(file["emb"]?.shape == [4, 3, 4])
    #expect(file["loss"]?.shape == [])
  }

  @Test("A problem in Float has its parameters rounded to Float")
  func precision() {
    var problem = GradientProblem.random(batchSize: 4, seed: 4)
    var parameters = problem.parameters
    parameters.C[0, 0] = 0.1
    problem = GradientProblem(parameters, problem.minibatch)
    #expect(Reference(computing: problem, in: .float64).problem == problem)
    let single = Reference(computing: problem, in: .float32).problem
    #expect(single.parameters.C[0, 0] == Double(Float(0.1)))
  }

  @Test("Vectors may have a dimension of 1 or not, emb two dimensions, the loss one")
  func alternatives() throws {
    let problem = GradientProblem.random(batchSize: 4, seed: 4)
    let written = Reference(computing: problem, in: .float64)
    var file = try SafetensorsFile(decoding: written.encoded())
    func reshape(_ names: [String], _ shape: [Int]) throws {
      for name in names {
        let tensor = try file.tensor(named: name)
        file[name] = Tensor(dataType: tensor.dataType, shape: shape, bytes: tensor.bytes)
      }
    }
    try reshape(["b1", "db1"], [1, 20])
    try reshape(["b2", "db2"], [1, 11])
    try reshape(["bngain", "bnbias", "dbngain", "bnvar", "dbnvar", "bnmeani", "bnvar_inv"], [20])
    try reshape(["counts_sum", "dcounts_sum", "logit_maxes", "counts_sum_inv"], [4])
    try reshape(["emb", "demb"], [12, 4])
    try reshape(["loss"], [1])
    let read = try Reference(decoding: file.encoded())
    #expect(read.problem == written.problem && read.tensors == written.tensors)
    #expect(read.misshapen.isEmpty && read.stale.isEmpty)
  }

  @Test("A partial reference is compared as far as it goes, and unknown names are reported")
  func partial() throws {
    let problem = GradientProblem.random(batchSize: 4, seed: 4)
    var file = try SafetensorsFile(
      decoding: Reference(computing: problem, in: .float64).encoded())
    let kept: Set = ["Xb", "Yb", "C", "W1", "b1", "W2", "b2", "bngain", "bnbias", "dh", "h"]
    for name in file.tensors.map(\.name) where !kept.contains(name) { file[name] = nil }
    file["Xtr"] = Tensor([Int64(1), 2], shape: [2])
    file["bnmean_running"] = Tensor([Float(1)], shape: [1])
    let reference = try Reference(decoding: file.encoded())
    #expect(reference.ignored == ["Xtr", "bnmean_running"])
    #expect(Set(GradientCheck(reference, threads: 1).referenceTensors().keys) == [.dh, .h])
  }
}
