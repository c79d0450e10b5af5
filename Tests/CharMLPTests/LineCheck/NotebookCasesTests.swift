// The exercise as people hand it in: right, or with one or two of the usual mistakes.
//
// Each case takes the minibatch and the parameters of a golden file, changes a line of the pass,
// and lets all that follow be computed from there, in Float. The files go through the reader, as a
// notebook's do.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Notebooks with common mistakes")
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

  /// Mistakes, and beyond the usual ones those whose kind was once misread.
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
    Case("2 where there is no square", blaming: [.dh], hints: ["2 times its line: a constant"]) {
      $0.dh = 2 * $0.dh
    },
    Case("the exponent left out", blaming: [.dbnvar], hints: ["2 times its line: the exponent"]) {
      $0.dbnvar = 2 * $0.dbnvar
    },
    Case("n where there is no mean", blaming: [.dprobs], hints: ["32 times its line: a constant"]) {
      $0.dprobs = 32 * $0.dprobs
    },
    Case("mean over the windows", blaming: [.dW2], hints: ["0.03125 times its line: the mean"]) {
      $0.dW2 = (1 / 32) * $0.dW2
    },
    Case("dlogit_maxes in all columns", blaming: [.dlogits], hints: ["dlogit_maxes was used"]) {
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
    Case("bndiff the other way round, with its derivative", blaming: [.bndiff], hints: ["its sign"])
    {
      $0.bndiff = $0.bnmeani - $0.hprebn
      $0.dbnmeani = $0.dbndiff.sum(.rows)
      $0.dhprebn = 1 / $0.n * $0.dbnmeani - $0.dbndiff
    },
    Case("log2, with its derivative", blaming: [.logprobs], hints: ["1.4427 times its line"]) {
      $0.logprobs = 1.442695 * $0.logprobs
      $0.dprobs = 1.442695 * $0.dprobs
    },
    Case("emb doubled, with its derivative", blaming: [.emb], hints: ["2 times its line"]) {
      $0.emb = 2 * $0.emb
      $0.dC = 2 * $0.dC
    },
    Case(
      "mean over the vocabulary", blaming: [.dcounts_sum_inv], hints: ["mean over the vocabulary"]
    ) {
      $0.dcounts_sum_inv = (1 / 27) * $0.dcounts_sum_inv
    },
    Case("db1 of another tensor", blaming: [.db1], hints: ["should be zero but for rounding"]) {
      $0.db1 = $0.dbndiff.sum(.rows)
    },
    Case("a product of sums", blaming: [.dbnvar_inv], hints: ["its line is not"]) {
      $0.dbnvar_inv = $0.bndiff.sum(.rows) * $0.dbnraw.sum(.rows)
    },
    Case("dembcat of another tensor", blaming: [.dembcat], hints: ["your dbndiff in place of"]) {
      $0.dembcat = $0.matmul($0.dbndiff, $0.W1.T)
    },
    Case("another bias", blaming: [.logits], hints: ["or b2 changed after logits was"]) {
      $0.logits = $0.matmul($0.h, $0.W2) + pow($0.b2, 2)
    },
    Case("h of another tensor", blaming: [.h], hints: ["your bnraw in place of another"]) {
      $0.h = tanh($0.bnraw)
    },
    Case("b1 added to the mean", blaming: [.bndiff], hints: ["same number along each column"]) {
      $0.bndiff = $0.hprebn - $0.bnmeani + $0.b1
    },
    Case("h for its square", blaming: [.dhpreact], hints: ["derivative of another function"]) {
      $0.dhpreact = (1 - $0.h) * $0.dh
    },
    Case("tanh taken twice", blaming: [.dhpreact], hints: ["derivative of another function"]) {
      $0.dhpreact = (1 - pow(tanh($0.h), 2)) * $0.dh
    },
    Case("a product for a quotient", blaming: [.dprobs], hints: ["another power"]) {
      $0.dprobs = $0.probs * $0.dlogprobs
    },
    Case("another power of the variance", blaming: [.dbnvar], hints: ["another power"]) {
      $0.dbnvar = -0.5 * (pow($0.bnvar + 1e-5, -0.5) * $0.dbnvar_inv)
    },
    Case("the standard deviation", blaming: [.bnvar_inv], hints: ["another power"]) {
      $0.bnvar_inv = pow($0.bnvar + 1e-5, 0.5)
    },
    Case("-1/n everywhere", blaming: [.dlogprobs], hints: ["same number everywhere"]) {
      $0.dlogprobs = 0 * $0.dlogprobs + -1 / $0.n
    },
    Case("one go without the target", blaming: [.dlogits], hints: ["a term left out"]) {
      $0.dlogits = $0.probs / $0.n
    },
    Case("one go without Bessel", blaming: [.dhprebn], hints: ["in one go without Bessel"]) {
      let (dy, x) = ($0.dhpreact, $0.bnraw)
      $0.dhprebn =
        1 / $0.n * ($0.bngain * $0.bnvar_inv)
        * ($0.n * dy - dy.sum(.rows) - x * (dy * x).sum(.rows))
    },
    Case("one go without the mean", blaming: [.dhprebn], hints: ["a term left out"]) {
      let (dy, x, n) = ($0.dhpreact, $0.bnraw, $0.n)
      $0.dhprebn =
        1 / n * ($0.bngain * $0.bnvar_inv) * (n * dy - n / (n - 1) * (x * (dy * x).sum(.rows)))
    },
    Case("embeddings in another order", blaming: [.embcat], hints: ["in the wrong places"]) {
      let (emb, columns) = ($0.emb, $0.C.columns)
      var embcat = $0.embcat
      for row in 0..<embcat.rows {
        for column in 0..<embcat.columns {
          embcat[row, column] = emb[3 * row + column % 3, column / 3 % columns]
        }
      }
      $0.embcat = embcat
    },
    Case("any number for the loss", blaming: [.loss], hints: ["; or Yb changed after"]) {
      $0.loss = 0.98 * $0.loss
    },
    Case("the derivative of sigmoid", blaming: [.dhpreact], hints: ["derivative of sigmoid"]) {
      $0.dhpreact = $0.h * (1 - $0.h) * $0.dh
    },
    Case("that of sigmoid itself", blaming: [.dhpreact], hints: ["derivative of sigmoid"]) {
      let sigmoid = pow(exp(-$0.hpreact) + 1, -1)
      $0.dhpreact = sigmoid * (1 - sigmoid) * $0.dh
    },
    Case("the derivative of ReLU", blaming: [.dhpreact], hints: ["derivative of ReLU"]) {
      let (h, dh) = ($0.h.elements, $0.dh.elements)
      $0.dhpreact = Matrix(
        rows: $0.h.rows, columns: $0.h.columns, elements: zip(h, dh).map { $0 > 0 ? $1 : 0 })
    },
    Case("another epsilon", blaming: [.bnvar_inv], hints: ["with 1e-3 for ε"]) {
      $0.bnvar_inv = pow($0.bnvar + 1e-3, -0.5)
    },
    Case("another epsilon back", blaming: [.dbnvar], hints: ["with 1e-2 for ε"]) {
      $0.dbnvar = -0.5 * pow($0.bnvar + 1e-2, -1.5) * $0.dbnvar_inv
    },
    Case("dC's first writes", blaming: [.dC], hints: ["first write of each row"]) {
      $0.dC = $0.writes(adding: false) { $0.reversed() }
    },
    Case("dC assigned position by position", blaming: [.dC], hints: ["last write of each row"]) {
      $0.dC = $0.writes(adding: false) { rows in
        (0..<3).flatMap { position in rows.filter { $0 % 3 == position } }
      }
    },
    Case("dC of the first position", blaming: [.dC], hints: ["adds up only one position"]) {
      $0.dC = $0.writes(adding: true) { rows in rows.filter { $0 % 3 == 0 } }
    },
    Case("dC without the last position", blaming: [.dC], hints: ["leaves out one position"]) {
      $0.dC = $0.writes(adding: true) { rows in rows.filter { $0 % 3 != 2 } }
    },
    Case("dC of the first character alone", blaming: [.dC], hints: ["to another position"]) {
      let demb = $0.demb
      var dC = 0 * $0.dC
      for row in 0..<demb.rows {
        for column in 0..<dC.columns { dC[$0.Xb[row - row % 3], column] += demb[row, column] }
      }
      $0.dC = dC
    },
    Case("a tensor in bfloat16", blaming: [.dh], hints: ["its line in bfloat16"]) {
      $0.dh = Matrix(
        rows: $0.dh.rows, columns: $0.dh.columns,
        elements: $0.dh.elements.map { Float(bitPattern: ($0.bitPattern &+ 0x8000) & 0xffff_0000) })
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

  @Test("gradcheck finds a notebook's mistake and names its kind", arguments: cases)
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

  /// What a line adds up, summed along the other dimension.
  private func otherSum(_ tensor: PassTensor, in pass: Pass) -> Matrix<Float> {
    switch tensor {
    case .bnmeani: 1 / pass.n * pass.hprebn.sum(.columns)
    case .bnvar: 1 / (pass.n - 1) * pass.bndiff2.sum(.columns)
    case .counts_sum: pass.counts.sum(.rows)
    case .dcounts_sum_inv: (pass.dprobs * pass.counts).sum(.rows)
    case .db2: pass.dlogits.sum(.columns)
    case .dbngain: (pass.bnraw * pass.dhpreact).sum(.columns)
    case .dbnbias: pass.dhpreact.sum(.columns)
    case .dbnvar_inv: (pass.bndiff * pass.dbnraw).sum(.columns)
    default: -pass.dbndiff.sum(.columns)
    }
  }

  @Test(
    "A sum along the other dimension is recognized where shapes agree",
    arguments: [
      .bnmeani, .bnvar, .counts_sum, .dcounts_sum_inv, .db2, .dbngain, .dbnbias, .dbnvar_inv,
      .dbnmeani,
    ] as [PassTensor])
  func otherSums(tensor: PassTensor) throws {
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 27)
    let problem = GradientProblem.random(shape, batchSize: 27, seed: 9)
    let pass = Pass(problem.parameters.converted(), problem.minibatch)
    let (right, other) = (pass[tensor], otherSum(tensor, in: pass))
    pass[tensor] = Matrix(rows: right.rows, columns: right.columns, elements: other.elements)
    let reference = Reference(
      precision: .float32, problem: problem, tensors: pass.tensors.mapValues { $0.converted() })
    let faults = PassVerdicts(reference).faults
    #expect(faults.map(\.tensor) == [tensor])
    #expect(faults.first?.hint == "equals its line summed along the other dimension")
  }

  @Test(
    "The hints say that a parameter was multiplied after the pass",
    arguments: [
      (.W2, [.logits, .dh]), (.W1, [.hprebn, .dembcat]), (.bngain, [.hpreact, .dbnraw]),
    ] as [(PassTensor, [PassTensor])], [2, -1, 1.1] as [Float])
  func scaledParameter(
    _ changed: (name: PassTensor, readers: [PassTensor]), by factor: Float
  ) throws {
    let golden = try Reference(decoding: Fixture("exercise-float32").file.encoded())
    var parameters: Parameters<Float> = golden.problem.parameters.converted()
    parameters[changed.name] = factor * parameters[changed.name]
    let pass = Pass(parameters, golden.problem.minibatch)
    let reference = Reference(
      precision: .float32, problem: golden.problem,
      tensors: pass.tensors.mapValues { $0.converted() })
    let faults = PassVerdicts(reference).faults
    #expect(faults.map(\.tensor) == changed.readers)
    let number = factor == 2 ? "2" : factor == -1 ? "−1" : "1.1"
    for fault in faults {
      #expect(fault.hint?.hasPrefix("right with \(number) times your \(changed.name)") == true)
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

  @Test("The lines that read a wrong shape follow from it, and those after them are judged")
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

  @Test("A tensor with the shape that a wrong shape leads to follows from it")
  func shapeThatFollows() throws {
    func zeros(_ shape: [Int]) -> Tensor {
      Tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape: shape)
    }
    let cases: [(wrong: (PassTensor, [Int]), follow: [PassTensor: [Int]])] = [
      ((.dcounts_sum_inv, [32, 27]), [.dcounts_sum: [32, 27]]),
      ((.dcounts_sum_inv, [1, 27]), [.dcounts_sum: [32, 27]]),
      ((.bnvar, [32, 1]), [.bnvar_inv: [32, 1], .dbnvar: [32, 64]]),
      ((.counts_sum, []), [.counts_sum_inv: []]),
      ((.hprebn, [64, 32]), [.bnmeani: [1, 32]]),
    ]
    for (wrong, follow) in cases {
      var file = try file()
      file[wrong.0.name] = zeros(wrong.1)
      for (tensor, shape) in follow { file[tensor.name] = zeros(shape) }
      let lines = try verdicts(file).lines
      #expect(lines.filter(\.isFault).map(\.tensor) == [wrong.0], "\(wrong)")
      for tensor in follow.keys {
        let line = try #require(lines.first { $0.tensor == tensor })
        #expect(line.kind == .follows && line.followsFrom == [wrong.0], "\(line)")
      }
    }
    // Another wrong shape behind it is a mistake of its own.
    var file = try file()
    file["dcounts_sum_inv"] = zeros([32, 27])
    file["dcounts_sum"] = zeros([27, 1])
    #expect(try verdicts(file).faults.map(\.tensor) == [.dcounts_sum_inv, .dcounts_sum])
  }

  @Test(
    "A wrong shape has a hint that fits it",
    arguments: [
      (.dbndiff2, [1, 64], "not repeated"), (.dbnraw, [1, 64], "summed"),
      (.db2, [], "summed over everything"), (.dC, [], "summed over everything"),
      (.db2, [32, 27], "not summed"), (.loss, [32], "not summed"),
      (.db2, [32], "summed along the other dimension"),
      (.dbngain, [32, 1], "summed along the other dimension"),
      (.dh, [2048], "the same number of elements in another shape"),
      (.dh, [1, 1, 32, 64], "the same number of elements in another shape"),
      (.dh, [64, 32], "(64, 32) is the transpose"), (.dh, [16, 64], "from another minibatch?"),
      (.dcounts_sum, [32, 32], "keepdim, or not summed"), (.dC, [10], "(27, 10): summed"),
      (.dC, [3, 10], "(27, 10): summed"), (.dC, [32, 3, 10], "(27, 10): not summed"),
    ] as [(PassTensor, [Int], String)])
  func shapeHints(tensor: PassTensor, shape: [Int], hint: String) throws {
    var file = try file()
    file[tensor.name] = Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape)
    let faults = try verdicts(file).faults
    #expect(faults.map(\.tensor) == [tensor])
    #expect(faults.first?.hint?.hasSuffix(hint) == true, "\(faults)")
  }

  @Test("With only the parameters' gradients in a file, hints claim no more than these show")
  func hintsOfChains() throws {
    func hint(_ change: (Pass) -> Void) throws -> String? {
      var file = try file(change)
      let kept = PassTensor.parameters.compactMap(\.gradient)
      for tensor in PassTensor.computed where !kept.contains(tensor) { file[tensor.name] = nil }
      let faults = try verdicts(file).faults
      #expect(faults.map(\.tensor) == [.dW2])
      return faults.first?.hint
    }
    #expect(try hint { $0.dW2 = 1.01 * $0.dW2 } == "1.01 times its line: a constant factor")
    #expect(
      try hint { $0.dW2 = $0.matmul($0.hpreact.T, $0.dlogits) }
        == "h, dlogits are not in the file, so the mistake may be there")
  }

  /// A file of one exercise in which what an earlier one left stands beside it.
  private func fileWithStale(
    keeping fresh: [PassTensor], hidden: Int = 200
  ) throws -> SafetensorsFile {
    let old = try file()
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: hidden)
    let problem = GradientProblem.random(shape, batchSize: 32, seed: 9)
    let pass = ForeignPass(problem, .float32, isInOneGo: true).reference
    var file = try SafetensorsFile(decoding: pass.encoded())
    for tensor in PassTensor.computed where !fresh.contains(tensor) {
      file[tensor.name] = try old.tensor(named: tensor.name)
    }
    return file
  }

  // The last exercise takes both in one go with 200 units, and the first one's tensors are still
  // there.
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

  @Test("What an earlier exercise left in the same sizes is set aside, too")
  func staleInTheSameSizes() throws {
    let steps: [PassTensor] = [
      .logit_maxes, .norm_logits, .counts, .counts_sum, .counts_sum_inv, .probs, .logprobs,
      .dlogprobs, .dprobs, .dcounts_sum_inv, .dcounts_sum, .dcounts, .dnorm_logits, .dlogit_maxes,
      .bnmeani, .bndiff, .bndiff2, .dbnraw, .dbnvar_inv, .dbnvar, .dbndiff2, .dbndiff, .dbnmeani,
    ]
    let fresh = PassTensor.computed.filter { !steps.contains($0) }
    var file = try fileWithStale(keeping: fresh, hidden: 64)
    let right = try verdicts(file)
    #expect(right.passed, "\(right.faults)")
    #expect(right.lines.filter { $0.kind == .right }.map(\.tensor) == fresh)
    #expect(right.lines.filter { $0.kind == .notComparable }.map(\.tensor).count == steps.count)

    let gradient = try file.elements(named: "dW1", as: Float.self)
    file["dW1"] = Tensor(gradient.map { 2 * $0 }, shape: [30, 64])
    #expect(try verdicts(file).faults.map(\.tensor) == [.dW1])
  }

  @Test("Three mistakes in the steps of cross-entropy are not taken for an earlier exercise's")
  func mistakesAreNotLeftovers() throws {
    let right = try file()
    let wrong: [PassTensor] = [.dprobs, .dcounts_sum, .dnorm_logits]
    var file = right
    for tensor in wrong {
      let elements = try right.elements(named: tensor.name, as: Float.self)
      file[tensor.name] = Tensor(
        elements.map { 2 * $0 }, shape: try right.tensor(named: tensor.name).shape)
    }
    #expect(try Set(verdicts(file).faults.map(\.tensor)).isSuperset(of: wrong))
  }
}

extension Derivation {
  /// dC with each row's last gradient in place of the sum.
  fileprivate var lastWrites: Matrix<Scalar> { writes(adding: false) { Array($0) } }

  /// dC as a loop over some rows of demb makes it, in some order.
  fileprivate func writes(adding: Bool, of rows: (Range<Int>) -> [Int]) -> Matrix<Scalar> {
    var result = Matrix<Scalar>.zeros(C.rows, C.columns)
    for row in rows(0..<demb.rows) {
      for column in 0..<result.columns {
        result[Xb[row], column] = (adding ? result[Xb[row], column] : 0) + demb[row, column]
      }
    }
    return result
  }
}
