// Malformed reference files: each mistake is refused with the tensor's name and the reason.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Refused reference files")
struct ReferenceRefusalTests {
  /// A file of 4 windows of 3, embedding 4, hidden 20, vocabulary 11.
  private func file() throws -> SafetensorsFile {
    let problem = GradientProblem.random(batchSize: 4, seed: 4)
    return try SafetensorsFile(decoding: Reference(computing: problem, in: .float64).encoded())
  }

  private func error(_ file: SafetensorsFile) throws -> ReferenceError? {
    let bytes = try file.encoded()
    do throws(ReferenceError) {
      _ = try Reference(decoding: bytes)
      return nil
    } catch {
      return error
    }
  }

  private static func zeros(_ shape: [Int]) -> Tensor {
    Tensor(Array(repeating: 0.0, count: shape.reduce(1, *)), shape: shape)
  }

  @Test("What is not a safetensors file is refused with that format's reason")
  func notSafetensors() throws {
    #expect(throws: ReferenceError.file(.fileTooShort(byteCount: 3))) {
      try Reference(decoding: [1, 2, 3])
    }
    let whole = try file().encoded()
    #expect(throws: ReferenceError.self) { try Reference(decoding: Array(whole.dropLast())) }
  }

  @Test(
    "What every reference needs must be there",
    arguments: ["Xb", "Yb", "C", "W1", "b1", "W2", "b2", "bngain", "bnbias"])
  func missing(name: String) throws {
    var file = try file()
    file[name] = nil
    #expect(try error(file) == .missing(tensor: name))
  }

  @Test(
    "A given tensor of a shape that does not fit is refused",
    arguments: [
      ("C", []), ("C", [11]), ("C", [11, 0]), ("C", [0, 4]), ("C", [11, 4, 1]), ("C", [11, 5]),
      ("W1", [10, 20]), ("W1", [240]), ("W1", [12, 0]), ("W1", [13, 20]), ("b1", [19]),
      ("b1", [20, 1]), ("b1", []), ("W2", [11, 20]), ("W2", [20, 10]), ("b2", [12]),
      ("bngain", [20, 1]), ("bngain", [1, 1, 20]), ("bnbias", [1, 21]),
    ] as [(String, [Int])])
  func shape(name: String, shape: [Int]) throws {
    var file = try file()
    file[name] = Self.zeros(shape)
    let refused = try error(file)
    guard case .shape(let tensor, let expected, let found) = refused else {
      Issue.record("\(name) \(shape): \(String(describing: refused))")
      return
    }
    // W1 fits C and Xb, or they fit W1: which of them is at fault, no file says.
    #expect(tensor == name || (name == "C" && tensor == "W1"))
    #expect(name == "C" || found == shape)
    #expect(!expected.isEmpty)
  }

  @Test(
    "A judged tensor of a shape that does not fit is kept, and all else is read",
    arguments: [
      (.loss, [2]), (.loss, [0]), (.emb, [3, 4, 4]), (.emb, [4, 12]), (.embcat, [4, 3, 4]),
      (.h, [20, 4]), (.dlogits, [4, 10]), (.dlogits, [11, 4]), (.dcounts_sum, [1, 4]),
      (.db1, [20, 1]), (.dC, [11, 3]), (.dW1, [20, 12]), (.demb, [4, 3]), (.dlogit_maxes, [1]),
    ] as [(PassTensor, [Int])])
  func misshapen(tensor: PassTensor, shape: [Int]) throws {
    var file = try file()
    file[tensor.name] = Self.zeros(shape)
    let reference = try Reference(decoding: file.encoded())
    #expect(reference.misshapen == [tensor: shape])
    #expect(reference.tensors.count == 45 && reference.tensors[tensor] == nil)
    let verdicts = PassVerdicts(reference)
    #expect(verdicts.faults.map(\.tensor) == [tensor])
    #expect(verdicts.faults.first?.kind == .shape)
    #expect(verdicts.lines.count { $0.kind == .right } == 45)
  }

  @Test(
    "The ids of a minibatch must have the right shapes, and at least two windows",
    arguments: [
      ("Xb", [12]), ("Xb", [3, 4]), ("Xb", [1, 3]), ("Xb", [0, 3]), ("Xb", [4, 0]), ("Yb", [4, 1]),
      ("Yb", [3]), ("Yb", []),
    ] as [(String, [Int])])
  func minibatchShape(name: String, shape: [Int]) throws {
    var file = try file()
    file[name] = Tensor(Array(repeating: Int64(0), count: shape.reduce(1, *)), shape: shape)
    let refused = try error(file)
    guard case .shape(let tensor, _, _) = refused else {
      Issue.record("\(name) \(shape): \(String(describing: refused))")
      return
    }
    // Windows of 4 or none are windows that W1, or Yb, does not fit.
    #expect(tensor == name || ["W1", "Yb"].contains(tensor))
  }

  @Test("Ids are I64 or I32, parameters are F32 or F64 as C is; the message says how to fix it")
  func dataTypes() throws {
    let whole = try file()
    let expected = try Reference(decoding: whole.encoded())
    var file = whole
    for name in ["Xb", "Yb"] {
      let ids: [Int64] = try whole.elements(named: name)
      file[name] = Tensor(ids.map(Int32.init), shape: try whole.tensor(named: name).shape)
    }
    #expect(try Reference(decoding: file.encoded()) == expected)

    file["Yb"] = Tensor([UInt8](repeating: 0, count: 4), shape: [4])
    #expect(try error(file) == .dataType(tensor: "Yb", expected: "I64 or I32", found: .uint8))
    #expect(try error(file)?.python == "Yb = Yb.long()")

    file = try self.file()
    file["Xb"] = Self.zeros([4, 3])
    #expect(try error(file) == .dataType(tensor: "Xb", expected: "I64 or I32", found: .float64))

    file = try self.file()
    file["C"] = Tensor([Int64](repeating: 0, count: 44), shape: [11, 4])
    #expect(try error(file) == .dataType(tensor: "C", expected: "F32 or F64", found: .int64))
    #expect(try error(file)?.python == "C = C.float()")

    for name in PassTensor.parameters.map(\.name) where name != "C" {
      file = try self.file()
      let tensor = try file.tensor(named: name)
      file[name] = Tensor(
        [Float](repeating: 0, count: tensor.elementCount), shape: tensor.shape)
      #expect(
        try error(file) == .dataType(tensor: name, expected: "F64 like C", found: .float32))
      #expect(try error(file)?.python == "\(name) = \(name).double()")
    }
  }

  @Test(
    "A tensor to be judged of another type is left out, with what fixes it, and the rest is judged",
    arguments: [DataType.float16, .bfloat16, .int32, .int64, .bool, .float32, .float64])
  func otherTypes(type: DataType) throws {
    let problem = GradientProblem.random(batchSize: 4, seed: 4)
    for precision in Precision.allCases where precision.dataType != type {
      for tensor in [PassTensor.dh, .h, .loss, .dC] {
        var file = try SafetensorsFile(
          decoding: Reference(computing: problem, in: precision).encoded())
        let given = try file.tensor(named: tensor.name)
        file[tensor.name] = Tensor(
          dataType: type, shape: given.shape,
          bytes: Array(repeating: 0, count: given.elementCount * type.bitWidth / 8))
        let reference = try Reference(decoding: file.encoded())
        #expect(reference.otherTypes == [tensor: type])
        let verdicts = PassVerdicts(reference)
        #expect(verdicts.passed, "\(verdicts.faults)")
        #expect(verdicts.lines.count { $0.kind == .right } == 45)
        let line = try #require(verdicts.lines.first { $0.tensor == tensor })
        #expect(line.kind == .notComparable)
        let conversion = precision == .float32 ? "float" : "double"
        #expect(
          line.hint == "\(type.pythonName), and C is \(precision.rawValue): "
            + "\(tensor) = \(tensor).\(conversion)()")
      }
    }
  }

  @Test("An id needs a row in C", arguments: [Int64(11), -1, .max, .min])
  func ids(id: Int64) throws {
    var file = try file()
    file["Yb"] = Tensor([0, 10, id, 1], shape: [4])
    #expect(
      try error(file) == .id(tensor: "Yb", index: [2], vocabulary: 11, found: id))

    file = try self.file()
    file["Xb"] = Tensor(Array(repeating: Int64(0), count: 10) + [id, 0], shape: [4, 3])
    #expect(
      try error(file) == .id(tensor: "Xb", index: [3, 1], vocabulary: 11, found: id))
  }

  @Test("Parameters are finite, in Float too; gradients may be anything, and are WRONG")
  func finite() throws {
    for value in [Double.infinity, -.infinity, 1e39] {
      var file = try file()
      file["b2"] = Tensor([value] + Array(repeating: 0, count: 10), shape: [11])
      #expect(try error(file) == .parameter(tensor: "b2", index: [0], found: value))
    }
    var file = try file()
    file["W1"] = Tensor(Array(repeating: Double.nan, count: 240), shape: [12, 20])
    guard case .parameter("W1", [0, 0], _) = try error(file) else {
      Issue.record("NaN in W1")
      return
    }

    file = try self.file()
    file["db2"] = Tensor(Array(repeating: Double.nan, count: 11), shape: [11])
    let reference = try Reference(decoding: file.encoded())
    let row = GradientCheck(reference, threads: 1).referenceTensors()[.db2]
    #expect(row?.verdict == .wrong)
  }

  @Test(
    "A name that is not a tensor's is not compared, and refuses nothing",
    arguments: ["dlogist", "d", "dx", "dloss", "device", ""])
  func otherNames(name: String) throws {
    var file = try file()
    file[name] = Self.zeros([4])
    let reference = try Reference(decoding: file.encoded())
    #expect(reference.ignored == [name])
    #expect(PassVerdicts(reference).lines.allSatisfy { $0.kind == .right })
  }

  @Test("Sizes that would fill the memory are refused")
  func tooLarge() throws {
    var file = SafetensorsFile()
    // 5,000 windows for 5,000 units: 25 million elements in h.
    file["C"] = Self.zeros([2, 1])
    file["W1"] = Self.zeros([1, 5000])
    file["Xb"] = Tensor([Int64](repeating: 0, count: 5000), shape: [5000, 1])
    #expect(try error(file) == .tooLarge(limit: GradientProblem.elementLimit))
  }

  @Test("Every refusal is one line that begins with the tensor's name")
  func descriptions() throws {
    let errors: [ReferenceError] = [
      .missing(tensor: "W2"), .dataType(tensor: "W2", expected: "F32 like C", found: .int64),
      .shape(tensor: "W2", expected: "(20, 11)", found: [11]),
      .id(tensor: "W2", index: [1], vocabulary: 11, found: 11),
      .parameter(tensor: "W2", index: [1, 2], found: .nan),
    ]
    for error in errors {
      #expect(error.description.hasPrefix("W2: expected "), "\(error)")
      #expect(error.description.contains(", found "), "\(error)")
      #expect(!error.description.contains("\n"))
    }
    #expect(
      errors[2].description == "W2: expected (20, 11), found (11,)")
  }
}
