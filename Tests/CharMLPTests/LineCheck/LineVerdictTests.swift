// Verdicts on lines: right passes have none that is wrong, and a planted fault is found at its line
// alone.

import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Verdicts on the lines of a pass")
struct LineVerdictTests {
  private static let batchSizes = [2, 3, 32, 64]

  @Test(
    "No line of a correct pass is wrong, whatever the seed, in steps and in one go",
    arguments: batchSizes, Precision.allCases)
  func rightPasses(batchSize: Int, precision: Precision) {
    for seed in seeds(50) {
      let problem = GradientProblem.random(batchSize: batchSize, seed: seed)
      for isInOneGo in [false, true] {
        let pass = ForeignPass(
          problem, precision, isInOneGo: isInOneGo, matmul: isInOneGo ? .naive : .blas)
        let verdicts = PassVerdicts(pass.reference)
        #expect(verdicts.passed, "seed \(seed): \(verdicts.faults)")
        #expect(verdicts.lines.allSatisfy { $0.kind == .right })
      }
    }
  }

  /// What faults are planted in: a problem of each batch size, for every seed up to
  /// `CHARMLP_SEEDS`; of two sizes, if that is not set and not all cases are tried.
  private static let problems: [(seed: UInt64, batchSize: Int)] = {
    let asked = ProcessInfo.processInfo.environment["CHARMLP_SEEDS"].flatMap(UInt64.init)
    let sizes = triesAllCases || asked != nil ? batchSizes : [2, 32]
    return (1...(asked ?? 1)).flatMap { seed in sizes.map { (seed, $0) } }
  }()

  @Test(
    "A fault in one line is found there and nowhere else",
    arguments: PassTensor.computed, Precision.allCases)
  func plantedFaults(tensor: PassTensor, precision: Precision) {
    var planted = 0
    for (seed, batchSize) in Self.problems {
      let problem = GradientProblem.random(batchSize: batchSize, seed: seed)
      for fault in PlantedFault.all(of: tensor) {
        let pass = ForeignPass(problem, precision, fault: fault, in: tensor)
        guard pass.isFaultVisible else { continue }
        planted += 1
        let verdicts = PassVerdicts(pass.reference)
        #expect(
          verdicts.faults.map(\.tensor) == [tensor] && verdicts.cause == nil,
          "\(fault), n \(batchSize), seed \(seed): \(verdicts.faults)")
        let wrong = verdicts.lines.filter { $0.kind == .follows }
        #expect(wrong.allSatisfy { $0.followsFrom == [tensor] })
      }
    }
    #expect(planted >= Self.problems.count, "\(planted)")
  }

  @Test(
    "Of two faults both are found, whichever is first",
    arguments: [(.dcounts, .dC), (.dhpreact, .dbndiff2), (.h, .dW2), (.bnvar, .dlogits)]
      as [(PassTensor, PassTensor)])
  func twoFaults(first: PassTensor, second: PassTensor) {
    let problem = GradientProblem.random(batchSize: 32, seed: 6)
    for precision in Precision.allCases {
      let pass = ForeignPass(problem, precision, fault: .factor(1.5), in: first, and: second)
      #expect(PassVerdicts(pass.reference).faults.map(\.tensor) == [first, second])
    }
  }

  @Test(
    "The sign of a gradient that is zero but for rounding shows",
    arguments: [PassTensor.dlogit_maxes, .db1], Precision.allCases)
  func signOfRounding(tensor: PassTensor, precision: Precision) {
    for seed in seeds(50) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      let pass = ForeignPass(problem, precision, fault: .factor(-1), in: tensor)
      let verdicts = PassVerdicts(pass.reference)
      #expect(verdicts.faults.map(\.tensor) == [tensor], "seed \(seed)")
    }
  }

  @Test("No line is wrong in a pass that was computed in Double and rounded once")
  func higherPrecision() {
    for seed in seeds(50) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      let tensors = Derivation(problem.parameters, problem.minibatch).tensors
        .mapValues(Precision.float32.rounded)
      let verdicts = PassVerdicts(
        Reference(precision: .float32, problem: problem, tensors: tensors))
      #expect(verdicts.passed, "seed \(seed): \(verdicts.faults)")
    }
  }

  @Test(
    "A large factor in a gradient that is zero but for rounding shows, a small one is said not to",
    arguments: Precision.allCases)
  func factorOfRounding(precision: Precision) {
    for seed in seeds(50) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      for (factor, hint) in [(32, "too large"), (1.0 / 32, "too small"), (2, nil), (1, nil)]
        as [(Double, String?)]
      {
        let pass = ForeignPass(problem, precision, fault: .factor(factor), in: .dlogit_maxes)
        let line = PassVerdicts(pass.reference).lines.first { $0.tensor == .dlogit_maxes }
        if let hint {
          #expect(line?.kind == .wrong && line?.hint?.hasSuffix(hint) == true, "seed \(seed)")
        } else {
          #expect(line?.kind == .right, "seed \(seed)")
          #expect(line?.hint?.hasSuffix("a factor of a few would not show") == true)
        }
      }
    }
  }

  @Test(
    "dlogit_maxes forgotten, or added to every column, is a fault in dlogits",
    arguments: Precision.allCases, [PlantedFault.spreadMaxes, .lostTerm(.dlogit_maxes)])
  func misusedMaxes(precision: Precision, fault: PlantedFault) {
    for seed in seeds(50) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      let pass = ForeignPass(problem, precision, fault: fault, in: .dlogits)
      #expect(PassVerdicts(pass.reference).faults.map(\.tensor) == [.dlogits], "seed \(seed)")
    }
  }

  @Test("A tensor that was overwritten after its use is the only one to blame")
  func overwritten() {
    let problem = GradientProblem.random(batchSize: 32, seed: 2)
    var tensors = ForeignPass(problem, .float32).reference.tensors
    tensors[.dbndiff] = tensors[.dhprebn]
    let verdicts = PassVerdicts(Reference(precision: .float32, problem: problem, tensors: tensors))
    #expect(verdicts.faults.map(\.tensor) == [.dbndiff])
    #expect(verdicts.faults.first?.hint?.contains("clone") == true)
    #expect(verdicts.lines.count { $0.kind == .right } == 45)
  }

  @Test("Parameters or a minibatch that are not those of the pass are one verdict")
  func causes() {
    for (precision, seed) in zip(Precision.allCases, [3, 4] as [UInt64]) {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      let tensors = ForeignPass(problem, precision).reference.tensors
      var parameters = problem.parameters
      let gradients = problem.steps.gradients
      for parameter in PassTensor.parameters {
        parameters[parameter] = parameters[parameter] - 0.01 * gradients[parameter]
      }
      let updated = PassVerdicts(
        Reference(
          precision: precision,
          problem: GradientProblem(
            parameters.converted(to: Float.self).converted(), problem.minibatch),
          tensors: tensors))
      #expect(updated.cause == .parameters && updated.faults.isEmpty && !updated.passed)

      let another = GradientProblem.random(batchSize: 32, seed: seed + 1).minibatch
      let moved = PassVerdicts(
        Reference(
          precision: precision, problem: GradientProblem(problem.parameters, another),
          tensors: tensors))
      #expect(moved.cause == .minibatch && moved.faults.isEmpty && !moved.passed)
    }
  }

  /// A file's tensors, and parameters as they are after an update of some of them.
  private func updated(
    _ problem: GradientProblem, _ rate: Double, _ updated: [PassTensor], _ precision: Precision
  ) -> GradientProblem {
    var parameters = problem.parameters
    for parameter in updated {
      let gradient = problem.steps.gradients[parameter]
      parameters[parameter] = precision.rounded(parameters[parameter] - rate * gradient)
    }
    return GradientProblem(parameters, problem.minibatch)
  }

  @Test(
    "An update of all parameters is recognized, however small", arguments: Precision.allCases)
  func smallUpdates(precision: Precision) {
    var visible = 0
    for seed in 1...5 as ClosedRange<UInt64> {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      let tensors = ForeignPass(problem, precision).reference.tensors
      // Below, most of a float32's parameters do not change at all.
      for rate in [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1] {
        let after = updated(problem, rate, PassTensor.parameters, precision)
        let verdicts = PassVerdicts(
          Reference(precision: precision, problem: after, tensors: tensors))
        #expect(verdicts.faults.isEmpty, "seed \(seed), rate \(rate): \(verdicts.faults)")
        #expect(verdicts.passed || verdicts.cause == .parameters)
        if !verdicts.passed { visible += 1 }
      }
    }
    #expect(visible >= (precision == .float32 ? 20 : 30))
  }

  // b1 is not updated: its gradient is zero but for rounding.
  @Test(
    "A single parameter that was updated after the pass, or before the backward pass, is named",
    arguments: [PassTensor.C, .W1, .W2, .b2, .bngain, .bnbias], Precision.allCases)
  func oneUpdate(parameter: PassTensor, precision: Precision) {
    for seed in 1...3 as ClosedRange<UInt64> {
      let problem = GradientProblem.random(batchSize: 32, seed: seed)
      for rate in [0.01, 0.1] {
        let after = updated(problem, rate, [parameter], precision)
        let whole = ForeignPass(problem, precision).reference.tensors
        let backward = Derivation(after.parameters, problem.minibatch)
        for forward in PassTensor.forward { backward[forward] = whole[forward]! }
        let mixed = PassTensor.gradients.reduce(into: whole) {
          $0[$1] = precision.rounded(backward[$1])
        }
        for tensors in [whole, mixed] {
          let verdicts = PassVerdicts(
            Reference(precision: precision, problem: after, tensors: tensors))
          #expect(verdicts.cause == .parameters && verdicts.faults.isEmpty && !verdicts.passed)
          #expect(verdicts.changedParameters == [parameter], "seed \(seed), rate \(rate)")
          let misfits = verdicts.lines.filter { $0.kind != .right }
          #expect(misfits.allSatisfy { $0.isMisfit && $0.tensor.inputs.contains(parameter) })
        }
      }
    }
  }

  @Test(
    "A parameter of another pass is named, where two lines read it",
    arguments: [PassTensor.W1, .W2, .bngain], Precision.allCases)
  func anotherParameter(parameter: PassTensor, precision: Precision) {
    let problem = GradientProblem.random(batchSize: 32, seed: 3)
    let other = GradientProblem.random(batchSize: 32, seed: 4).parameters[parameter]
    var parameters = problem.parameters
    parameters[parameter] = other
    let verdicts = PassVerdicts(
      Reference(
        precision: precision, problem: GradientProblem(parameters, problem.minibatch),
        tensors: ForeignPass(problem, precision).reference.tensors))
    #expect(verdicts.cause == .parameters && verdicts.faults.isEmpty)
    #expect(verdicts.changedParameters == [parameter])
    #expect(verdicts.lines.count { $0.kind == .right } == 44)
  }

  @Test("Parameters updated with right gradients, and a wrong one in the file, are told apart")
  func updateWithOtherGradients() {
    for precision in Precision.allCases {
      let problem = GradientProblem.random(batchSize: 32, seed: 3)
      let after = updated(problem, 0.1, PassTensor.parameters, precision)
      let pass = ForeignPass(problem, precision, fault: .lostPart(.dbnraw), in: .dbndiff)
      let verdicts = PassVerdicts(
        Reference(precision: precision, problem: after, tensors: pass.reference.tensors))
      #expect(verdicts.cause == .parameters)
      #expect(verdicts.faults.map(\.tensor) == [.dbndiff], "\(verdicts.faults)")
    }
  }

  @Test("Beside an updated parameter a mistake is found, and what follows from it")
  func mistakeBesideUpdate() {
    for precision in Precision.allCases {
      let problem = GradientProblem.random(batchSize: 32, seed: 3)
      let after = updated(problem, 0.1, [.W2], precision)
      let pass = ForeignPass(problem, precision, fault: .factor(1.5), in: .dbndiff)
      let verdicts = PassVerdicts(
        Reference(precision: precision, problem: after, tensors: pass.reference.tensors))
      #expect(verdicts.cause == .parameters && verdicts.changedParameters == [.W2])
      #expect(verdicts.faults.map(\.tensor) == [.dbndiff])
      #expect(verdicts.lines.filter(\.isMisfit).map(\.tensor) == [.logits, .dh])
      let followers = verdicts.lines.filter { $0.kind == .follows && !$0.isMisfit }
      #expect(followers.allSatisfy { $0.followsFrom == [.dbndiff] } && !followers.isEmpty)
    }
  }

  @Test("Xb and Yb of another batch size are of another minibatch, and no line is wrong")
  func otherBatchSize() throws {
    for precision in Precision.allCases {
      let problem = GradientProblem.random(batchSize: 32, seed: 3)
      let pass = ForeignPass(problem, precision).reference
      for n in [16, 64] {
        let other = GradientProblem.random(batchSize: n, seed: 4).minibatch
        var file = try SafetensorsFile(decoding: pass.encoded())
        file["Xb"] = Tensor(other.contexts.map(Int64.init), shape: [n, other.blockSize])
        file["Yb"] = Tensor(other.targets.map(Int64.init), shape: [n])
        let verdicts = PassVerdicts(try Reference(decoding: file.encoded()))
        #expect(verdicts.cause == .minibatch && verdicts.faults.isEmpty && !verdicts.passed)
        #expect(!verdicts.isEmpty && !verdicts.lines.contains { $0.kind == .notComparable })
      }
    }
  }

  @Test("The parameters' gradients alone show that the parameters are another pass's")
  func updatedWithGradientsAlone() {
    for precision in Precision.allCases {
      let problem = GradientProblem.random(batchSize: 32, seed: 3)
      let gradients = Set(PassTensor.parameters.compactMap(\.gradient))
      let tensors = ForeignPass(problem, precision).reference.tensors
        .filter { gradients.contains($0.key) }
      var parameters = problem.parameters
      for parameter in PassTensor.parameters {
        parameters[parameter] =
          parameters[parameter] - 0.1 * problem.steps.gradients[parameter]
      }
      let updated = GradientProblem(
        parameters.converted(to: Float.self).converted(), problem.minibatch)
      let verdicts = PassVerdicts(
        Reference(precision: precision, problem: updated, tensors: tensors))
      #expect(verdicts.cause == .parameters && verdicts.faults.isEmpty)

      // A factor in a line that is not in the file is not other parameters.
      let doubled = PassVerdicts(
        Reference(
          precision: precision, problem: problem, tensors: tensors.mapValues { 2 * $0 }))
      #expect(doubled.cause == nil && doubled.faults.count == 6)
    }
  }

  @Test(
    "With equal windows the sign of what is zero but for rounding does not show, and is not judged")
  func equalWindows() {
    let random = GradientProblem.random(batchSize: 32, seed: 5)
    let window = Array(random.minibatch.contexts.prefix(3))
    let minibatch = Minibatch(
      blockSize: 3, contexts: Array(repeating: window, count: 32).flatMap(\.self),
      targets: Array(repeating: 1, count: 32))
    for precision in Precision.allCases {
      let problem = GradientProblem(random.parameters, minibatch)
      let pass = ForeignPass(problem, precision, fault: .factor(-1), in: .dlogit_maxes)
      let line = PassVerdicts(pass.reference).lines.first { $0.tensor == .dlogit_maxes }
      #expect(line?.kind == .right)
      #expect(line?.hint?.hasSuffix("a wrong sign or factor would not show") == true)
    }
  }

  @Test("Where a power underflows, a correct pass has no wrong line")
  func powerUnderflow() {
    let problem = GradientProblem.random(batchSize: 32, seed: 1)
    for factor in [1e12, 1e13, 1e14, 1e15, 1e16] {
      var parameters = problem.parameters
      parameters.W1 = factor * parameters.W1
      let single = parameters.converted(to: Float.self).converted(to: Double.self)
      let pass = ForeignPass(GradientProblem(single, problem.minibatch), .float32)
      let verdicts = PassVerdicts(pass.reference)
      #expect(verdicts.passed, "\(factor): \(verdicts.faults)")
    }
  }

  @Test("What is missing is computed, with a bound of its own, and hides no fault")
  func missing() {
    for batchSize in Self.batchSizes {
      for seed in 1...5 as ClosedRange<UInt64> {
        let problem = GradientProblem.random(batchSize: batchSize, seed: seed)
        for precision in Precision.allCases {
          let right = ForeignPass(problem, precision, isInOneGo: true)
          let sparse = right.reference.tensors.filter { Self.exerciseFour.contains($0.key) }
          let verdicts = PassVerdicts(
            Reference(precision: precision, problem: problem, tensors: sparse))
          #expect(verdicts.passed, "\(batchSize), \(precision), \(seed): \(verdicts.faults)")
          #expect(verdicts.lines.count { $0.kind == .missing } == 46 - sparse.count)
        }
      }
    }
    let problem = GradientProblem.random(batchSize: 32, seed: 1)
    let faulty = ForeignPass(problem, .float32, fault: .factor(1.01), in: .dbngain)
    let sparse = faulty.reference.tensors.filter { Self.exerciseFour.contains($0.key) }
    let verdicts = PassVerdicts(Reference(precision: .float32, problem: problem, tensors: sparse))
    #expect(verdicts.faults.map(\.tensor) == [.dbngain])
  }

  /// What a notebook has that takes cross-entropy and batch norm in one go.
  private static let exerciseFour: [PassTensor] = [
    .emb, .embcat, .hprebn, .bnvar, .bnvar_inv, .bnraw, .hpreact, .h, .logits, .loss, .dlogits, .dh,
    .dW2, .db2, .dhpreact, .dbngain, .dbnbias, .dhprebn, .dembcat, .dW1, .db1, .demb, .dC,
  ]

  @Test("With weights that make the softmax underflow, a correct pass has no wrong line")
  func underflow() {
    for precision in Precision.allCases {
      let problem = GradientProblem.random(batchSize: 32, seed: 1)
      var parameters = problem.parameters
      parameters.W2 = (precision == .float32 ? 300 : 3000) * parameters.W2
      let pass = ForeignPass(GradientProblem(parameters, problem.minibatch), precision)
      let verdicts = PassVerdicts(pass.reference)
      #expect(verdicts.passed, "\(verdicts.faults)")
      #expect(verdicts.lines.contains { $0.kind == .notComparable })
      #expect(!verdicts.lines.contains { $0.kind == .follows })
      #expect(verdicts.lines.first { $0.tensor == .h }?.kind == .right)
    }
  }
}

// MARK: - Passes as other programs compute them

/// A mistake to plant in a line.
enum PlantedFault: Equatable {
  case factor(Double)
  /// The line without what it reads of one tensor.
  case lostTerm(PassTensor)
  /// The line without the last row and the last column of what it reads of one tensor.
  case lostPart(PassTensor)
  /// dlogit_maxes in every column.
  case spreadMaxes

  static func all(of tensor: PassTensor) -> [PlantedFault] {
    let inputs = tensor.inputs.filter(PassTensor.computed.contains)
    return [.factor(1.1), .factor(-1)] + inputs.map(PlantedFault.lostTerm)
      + inputs.map(PlantedFault.lostPart)
  }
}

/// A pass in one precision with or without a fault.
struct ForeignPass {
  let reference: Reference
  /// Whether the fault is at least twice the bound in some element of every form of its line: one
  /// that is enough hides the others.
  private(set) var isFaultVisible = false

  init(
    _ problem: GradientProblem, _ precision: Precision, isInOneGo: Bool = false,
    matmul: MatrixProduct = .blas, fault: PlantedFault? = nil, in tensor: PassTensor? = nil,
    and second: PassTensor? = nil
  ) {
    let tensors =
      precision == .float32
      ? Self.tensors(problem, Float.self, isInOneGo, matmul, fault, [tensor, second])
      : Self.tensors(problem, Double.self, isInOneGo, matmul, fault, [tensor, second])
    reference = Reference(precision: precision, problem: problem, tensors: tensors)
    guard let tensor, let found = tensors[tensor] else { return }
    let evaluator = LineEvaluator(problem, precision)
    isFaultVisible = LineEvaluator.forms(of: tensor).allSatisfy { form, read in
      let inputs = read.reduce(into: [:]) { inputs, input in
        inputs[input] = LineValue(tensors[input] ?? problem.parameters[input])
      }
      let line = evaluator.evaluate(tensor, form, on: inputs)
      let bounds = line.bound(precision).elements
      return bounds.indices.contains {
        abs(found.elements[$0] - line.value.elements[$0]) >= 2 * bounds[$0]
      }
    }
  }

  private static func tensors<Scalar: MatrixScalar>(
    _ problem: GradientProblem, _: Scalar.Type, _ isInOneGo: Bool, _ matmul: MatrixProduct,
    _ fault: PlantedFault?, _ faulty: [PassTensor?]
  ) -> [PassTensor: Matrix<Double>] {
    func pass() -> Derivation<Scalar> {
      Derivation(problem.parameters.converted(), problem.minibatch, matmul: matmul)
    }
    let result = pass()
    for tensor in faulty.compactMap(\.self) {
      switch fault {
      case .factor(let factor): result[tensor] = Scalar(factor) * result[tensor]
      case .spreadMaxes: result.dlogits = result.dnorm_logits + result.dlogit_maxes
      case .lostTerm(let input), .lostPart(let input):
        let without = pass()
        for other in tensor.inputs where PassTensor.computed.contains(other) {
          without[other] = result[other]
        }
        var rest = 0 * result[input]
        if fault == .lostPart(input) {
          for row in 0..<max(0, rest.rows - 1) {
            for column in 0..<max(0, rest.columns - 1) {
              rest[row, column] = result[input][row, column]
            }
          }
        }
        without[input] = rest
        result[tensor] = without[tensor]
      case nil: break
      }
    }
    if isInOneGo {
      result.dlogits = result.dlogitsInOneGo
      result.dhprebn = result.dhprebnInOneGo
    }
    return result.tensors.mapValues { $0.converted() }
  }
}
