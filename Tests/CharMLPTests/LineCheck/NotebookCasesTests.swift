// The exercise as people hand it in: right, or with one or two of the usual mistakes.
//
// Each case takes the minibatch and the parameters of a golden file, changes a line of the pass, and lets
// all that follow be computed from there, in Float. The files go through the reader, as a notebook's do.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Notebooks with the usual mistakes")
struct NotebookCasesTests {
  typealias Pass = Derivation<Float>

  /// A mistake: how it changes a pass, which tensors are to blame, and what the hints say.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let blamed: [PassTensor]
    let hints: [String]
    let change: @Sendable (Pass) -> Void

    init(
      _ description: String, blaming blamed: [PassTensor], hints: [String],
      _ change: @escaping @Sendable (Pass) -> Void
    ) {
      testDescription = description
      self.blamed = blamed
      self.hints = hints
      self.change = change
    }
  }

  static let cases: [Case] = [
    Case("cross-entropy and batch norm in one go", blaming: [], hints: []) {
      $0.dlogits = $0.dlogitsInOneGo
      $0.dhprebn = $0.dhprebnInOneGo
    },
    Case("second use of counts forgotten", blaming: [.dcounts], hints: ["counts has two uses"]) {
      $0.dcounts = $0.dprobs * $0.counts_sum_inv
    },
    Case("n for n - 1", blaming: [.dbndiff2], hints: ["Bessel"]) {
      $0.dbndiff2 = (($0.n - 1) / $0.n) * $0.dbndiff2
    },
    Case("dC assigned", blaming: [.dC], hints: ["last write"]) { $0.dC = $0.lastWrites },
    Case("sign of a power's derivative", blaming: [.dbnvar], hints: ["sign"]) {
      $0.dbnvar = -$0.dbnvar
    },
    Case("second use of hprebn forgotten", blaming: [.dhprebn], hints: ["hprebn has two uses"]) {
      $0.dhprebn = $0.dbndiff
    },
    Case("biased variance, with its derivative", blaming: [.bnvar], hints: ["Bessel"]) {
      $0.bnvar = (($0.n - 1) / $0.n) * $0.bnvar
      $0.dbndiff2 = (($0.n - 1) / $0.n) * $0.dbndiff2
    },
    Case("sum for mean, with its derivative", blaming: [.loss], hints: ["mean over n"]) {
      $0.loss = $0.n * $0.loss
      $0.dlogprobs = $0.n * $0.dlogprobs
    },
    Case("-1 for -1/n", blaming: [.dlogprobs], hints: ["mean over n"]) {
      $0.dlogprobs = $0.n * $0.dlogprobs
    },
    Case("bngain forgotten", blaming: [.dbnraw], hints: ["factor left out"]) {
      $0.dbnraw = $0.dhpreact
    },
    Case("two at once", blaming: [.dhpreact, .dC], hints: ["factor left out", "last write"]) {
      $0.dhpreact = 1 - pow($0.h, 2)
      $0.dC = $0.lastWrites
    },
    Case("dhprebn in dbndiff's memory", blaming: [.dbndiff], hints: ["clone"]) {
      let before = $0.dhprebn
      _ = $0.tensors
      $0.dbndiff = before
    },
    Case("dlogits in dnorm_logits' memory", blaming: [.dnorm_logits], hints: ["clone"]) {
      let before = $0.dlogits
      _ = $0.tensors
      $0.dnorm_logits = before
    },
    Case("epsilon forgotten", blaming: [.dbnvar], hints: ["ε"]) {
      $0.dbnvar = -0.5 * (pow($0.bnvar, -1.5) * $0.dbnvar_inv)
    },
    Case("no epsilon forward and back", blaming: [.bnvar_inv], hints: ["ε"]) {
      $0.bnvar_inv = pow($0.bnvar, -0.5)
      $0.dbnvar = -0.5 * (pow($0.bnvar, -1.5) * $0.dbnvar_inv)
    },
    Case("the 2 of the square lost", blaming: [.dbndiff], hints: ["square"]) {
      $0.dbndiff = $0.bnvar_inv * $0.dbnraw + $0.bndiff * $0.dbndiff2
    },
    Case("dlogit_maxes in all columns", blaming: [.dlogits], hints: ["use of dlogit_maxes"]) {
      $0.dlogits = $0.dnorm_logits + $0.dlogit_maxes
    },
    Case("sign of dlogit_maxes", blaming: [.dlogit_maxes], hints: ["opposite sign"]) {
      $0.dlogit_maxes = -$0.dlogit_maxes
    },
    Case("nothing in dembcat", blaming: [.dembcat], hints: ["zero everywhere"]) {
      $0.dembcat = .zeros($0.dembcat.rows, $0.dembcat.columns)
    },
    Case("another tensor's numbers", blaming: [.dbnbias], hints: ["equals your dbngain"]) {
      $0.dbnbias = $0.dbngain
    },
  ]

  /// A golden file's minibatch and parameters with a changed pass, as a file.
  private func file(_ change: (Pass) -> Void = { _ in }) throws -> SafetensorsFile {
    let golden = try Reference(decoding: Fixture("exercise-float32").file.encoded())
    let pass = Pass(golden.problem.parameters.converted(), golden.problem.minibatch)
    change(pass)
    let reference = Reference(
      precision: .float32, problem: golden.problem,
      tensors: pass.tensors.mapValues { $0.converted() })
    return try SafetensorsFile(decoding: reference.encoded())
  }

  private func verdicts(_ file: SafetensorsFile) throws -> PassVerdicts {
    PassVerdicts(try Reference(decoding: file.encoded()))
  }

  @Test(
    "PyTorch's own passes are right",
    arguments: [
      "exercise-float32", "exercise-float64", "block-1-float32", "block-1-float64",
      "block-5-float32", "block-5-float64", "reference-block-1-float32",
      "reference-block-5-float64",
    ])
  func right(name: String) throws {
    let verdicts = try verdicts(Fixture(name).file)
    #expect(verdicts.lines.allSatisfy { $0.kind == .right }, "\(verdicts.faults)")
    #expect(verdicts.passed && verdicts.lines.count == 46)
  }

  @Test("The mistake is found, and its kind", arguments: cases)
  func mistakes(mistake: Case) throws {
    let verdicts = try verdicts(file(mistake.change))
    #expect(verdicts.cause == nil)
    #expect(verdicts.faults.map(\.tensor) == mistake.blamed)
    #expect(verdicts.passed == mistake.blamed.isEmpty)
    for (fault, hint) in zip(verdicts.faults, mistake.hints) {
      #expect(fault.hint?.contains(hint) == true, "\(fault)")
    }
    for line in verdicts.lines where line.kind == .follows {
      #expect(Set(line.followsFrom).isSubset(of: mistake.blamed), "\(line)")
    }
  }

  @Test("A lost dimension with the same numbers is right, with a hint")
  func lostDimension() throws {
    var file = try file()
    let gain = try file.tensor(named: "dbngain")
    file["dbngain"] = Tensor(
      dataType: gain.dataType, shape: [gain.elementCount], bytes: gain.bytes)
    let verdicts = try verdicts(file)
    #expect(verdicts.passed)
    let line = try #require(verdicts.lines.first { $0.tensor == .dbngain })
    #expect(line.kind == .right && line.hint?.contains("keepdim") == true)
  }

  @Test("Of a wrong shape the next lines follow, and those after them are judged")
  func wrongShape() throws {
    var file = try file {
      $0.dcounts = $0.dprobs * $0.counts_sum_inv + 1.5 * $0.dcounts_sum
      $0.dh = 2 * $0.dh
    }
    let n = try file.tensor(named: "Yb").elementCount
    file["dcounts_sum"] = Tensor([Float](repeating: 1, count: n * n), shape: [n, n])
    let verdicts = try verdicts(file)
    #expect(verdicts.faults.map(\.tensor) == [.dcounts_sum, .dh])
    #expect(
      verdicts.faults[0].kind == .shape && verdicts.faults[0].hint?.contains("keepdim") == true)
    let dcounts = try #require(verdicts.lines.first { $0.tensor == .dcounts })
    #expect(dcounts.kind == .follows && dcounts.followsFrom == [.dcounts_sum])
  }

  @Test("Parameters after the update are one verdict")
  func updated() throws {
    var file = try file()
    for parameter in PassTensor.parameters {
      let values = try file.elements(named: parameter.name, as: Float.self)
      let gradient = try file.elements(named: "d" + parameter.name, as: Float.self)
      file[parameter.name] = Tensor(
        zip(values, gradient).map { $0 - 0.1 * $1 },
        shape: try file.tensor(named: parameter.name).shape)
    }
    let verdicts = try verdicts(file)
    #expect(verdicts.cause == .parameters && verdicts.faults.isEmpty)
  }

  /// A file of one exercise in which what an earlier one left stands beside it.
  private func fileWithStale(keeping fresh: [PassTensor]) throws -> SafetensorsFile {
    let old = try file()
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 200)
    let problem = GradientProblem.random(shape, batchSize: 32, seed: 9)
    let pass = SomebodysPass(problem, .float32, isInOneGo: true).reference
    var file = try SafetensorsFile(decoding: pass.encoded())
    for tensor in PassTensor.computed where !fresh.contains(tensor) {
      file[tensor.name] = try old.tensor(named: tensor.name)
    }
    return file
  }

  // The last exercise takes both in one go with 200 units, and the first one's tensors are still there.
  @Test("What an earlier exercise left is set aside, and a mistake is found beside it")
  func stale() throws {
    let inOneGo: [PassTensor] = [
      .emb, .embcat, .hprebn, .bnvar, .bnvar_inv, .bnraw, .hpreact, .h, .logits, .loss, .dlogits,
      .dh, .dW2, .db2, .dhpreact, .dbngain, .dbnbias, .dhprebn, .dembcat, .dW1, .db1, .demb, .dC,
    ]
    let parameters = PassTensor.parameters.compactMap(\.gradient)
    for fresh in [inOneGo, parameters] {
      var file = try fileWithStale(keeping: fresh)
      let right = try verdicts(file)
      #expect(right.passed, "\(right.faults)")
      #expect(
        right.lines.filter { $0.kind == .right }.map(\.tensor)
          == PassTensor.computed.filter(fresh.contains))
      #expect(right.lines.allSatisfy { $0.kind == .right || $0.kind == .notComparable })

      let gradient = try file.elements(named: "dW1", as: Float.self)
      file["dW1"] = Tensor(gradient.map { 2 * $0 }, shape: [30, 200])
      #expect(try verdicts(file).faults.map(\.tensor) == [.dW1])
    }
  }
}

extension Derivation {
  /// dC with each row's last gradient in place of the sum.
  fileprivate var lastWrites: Matrix<Scalar> {
    var last = Matrix<Scalar>.zeros(C.rows, C.columns)
    for (row, id) in Xb.enumerated() {
      for column in 0..<last.columns { last[id, column] = demb[row, column] }
    }
    return last
  }
}
