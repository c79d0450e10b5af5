// A pass in a file: minibatch, parameters, and as many of its tensors as were saved.
//
// A notebook writes one and has its gradients checked; or we write one, and a notebook checks its
// gradients against ours. Both are the same file, so that what we write can be read back and is
// exact. All sizes come from the shapes. Reading and writing files is left to the caller; this is
// about bytes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

package import LinearAlgebra
package import Safetensors

/// A problem with tensors of its forward and backward pass, computed by another program.
package struct Reference: Equatable, Sendable {
  /// The precision of every tensor in the file.
  package let precision: Precision
  package let problem: GradientProblem
  /// Intermediates and gradients, as far as the file has them.
  package let tensors: [PassTensor: Matrix<Double>]
  /// Their shapes in the file, where those are not the notebook's.
  private(set) var shapes: [PassTensor: [Int]] = [:]
  /// Tensors of a wrong shape, with that shape.
  package private(set) var misshapen: [PassTensor: [Int]] = [:]
  /// Tensors that have the right shape for another number of windows or hidden units, with that
  /// shape: what an earlier exercise left in the notebook.
  package private(set) var stale: [PassTensor: [Int]] = [:]
  /// The same tensors in the sizes that they fit.
  private(set) var otherPass: OtherPass?
  /// Tensors whose elements are of another type than all else; they are not read.
  package private(set) var otherTypes: [PassTensor: DataType] = [:]
  /// Names in the file that are not tensors of the pass, sorted; they are not compared.
  package private(set) var ignored: [String] = []

  /// Tensors of a pass of other sizes.
  struct OtherPass: Equatable, Sendable {
    let sizes: PassSizes
    let tensors: [PassTensor: Matrix<Double>]
  }
}

extension Reference {
  /// The problem's pass, step by step, as we compute it in the given precision.
  ///
  /// In `.float32` the parameters are rounded to Float first, if they are not Float's already.
  package init(computing problem: GradientProblem, in precision: Precision) {
    switch precision {
    case .float32:
      self.init(
        precision: precision, problem: problem.singlePrecision,
        tensors: Self.tensors(problem, Float.self))
    case .float64:
      self.init(
        precision: precision, problem: problem, tensors: Self.tensors(problem, Double.self))
    }
  }

  /// Every tensor of the step-by-step pass in one precision.
  private static func tensors<Scalar: MatrixScalar>(
    _ problem: GradientProblem, _: Scalar.Type
  ) -> [PassTensor: Matrix<Double>] {
    let parameters = problem.parameters.converted(to: Scalar.self)
    return Derivation(parameters, problem.minibatch, dropout: problem.dropout).tensors
      .mapValues { $0.converted() }
  }
}

// MARK: - Files

extension Reference {
  /// The file, with the bounds on rounding for the program that compares.
  package func encoded(threads: Int) -> [UInt8] {
    encoded(bounds: roundingBounds(threads: threads))
  }

  /// `name=bound` for each tensor, in the derivation's order: how far another program's may be from
  /// ours.
  private func roundingBounds(threads: Int) -> String {
    let bounds = RoundingBounds(problem, magnitudes: Magnitudes(problem.steps), threads: threads)
    return PassTensor.computed.map { "\($0)=\(bounds[$0, precision])" }.joined(separator: " ")
  }
}

// MARK: - Writing

extension Reference {
  /// The bytes of a safetensors file with the minibatch, the parameters and all tensors, in the
  /// notebook's shapes, as `safetensors.torch.load_file` reads it.
  ///
  /// - Parameter bounds: Metadata under that name; none if empty.
  package func encoded(bounds: String = "") -> [UInt8] {
    let sizes = PassSizes(problem)
    var file = SafetensorsFile(metadata: bounds.isEmpty ? [:] : ["bounds": bounds])
    let minibatch = problem.minibatch
    file["Xb"] = Tensor(
      minibatch.contexts.map(Int64.init), shape: [minibatch.count, minibatch.blockSize])
    file["Yb"] = Tensor(minibatch.targets.map(Int64.init), shape: [minibatch.count])
    for parameter in PassTensor.parameters {
      file[parameter.name] = tensor(problem.parameters[parameter], sizes.shape(of: parameter))
    }
    for (computed, matrix) in tensors {
      file[computed.name] = tensor(matrix, sizes.shape(of: computed))
    }
    do {
      return try file.encoded()
    } catch {
      preconditionFailure("the names and shapes of a pass fit into a file: \(error)")
    }
  }

  private func tensor(_ matrix: Matrix<Double>, _ shape: [Int]) -> Tensor {
    switch precision {
    case .float32: Tensor(matrix.elements.map { Float($0) }, shape: shape)
    case .float64: Tensor(matrix.elements, shape: shape)
    }
  }
}

// MARK: - Reading

// C, W1 and Xb determine all sizes; everything else has to fit them. Xb and Yb are I64 as PyTorch
// makes them, or I32; all else is of one type, F32 or F64. A tensor to be judged whose shape or
// type does not fit is kept apart. Other names are left alone: notebooks hold a lot (Xtr, g,
// device).

extension Reference {
  /// Reads a reference.
  ///
  /// - Throws: `ReferenceError` naming the tensor, what was expected and what was found.
  package init(decoding bytes: [UInt8]) throws(ReferenceError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .file(error)
    }
    try self.init(ReferenceReader(file))
  }

  private init(_ reader: ReferenceReader) throws(ReferenceError) {
    precision = reader.precision
    problem = GradientProblem(try reader.parameters(), try reader.minibatch())
    var tensors: [PassTensor: Matrix<Double>] = [:]
    var others: [PassTensor: [Int]] = [:]
    for tensor in PassTensor.computed {
      guard let given = reader.file[tensor.name] else { continue }
      if given.dataType != precision.dataType {
        otherTypes[tensor] = given.dataType
      } else if reader.sizes.accepts(given.shape, for: tensor) {
        tensors[tensor] = try reader.matrix(tensor)
        if given.shape != reader.sizes.shape(of: tensor) { shapes[tensor] = given.shape }
      } else {
        others[tensor] = given.shape
      }
    }
    self.tensors = tensors
    let sizes = reader.sizes.others(explaining: others)
    stale = others.filter { sizes?.accepts($0.value, for: $0.key) ?? false }
    misshapen = others.filter { !(sizes?.accepts($0.value, for: $0.key) ?? false) }
    otherPass = try Self.otherPass(ReferenceReader(reader, sizes ?? reader.sizes), stale.keys)
    ignored = reader.file.tensors.map(\.name).filter { name in
      PassTensor(rawValue: name) == nil && MinibatchIDs(rawValue: name) == nil
    }.sorted()
  }

  private static func otherPass(
    _ reader: ReferenceReader, _ names: some Collection<PassTensor>
  ) throws(ReferenceError) -> OtherPass? {
    if names.isEmpty { return nil }
    var tensors: [PassTensor: Matrix<Double>] = [:]
    for tensor in names { tensors[tensor] = try reader.matrix(tensor) }
    return OtherPass(sizes: reader.sizes, tensors: tensors)
  }
}

/// A safetensors file whose sizes have been found to fit each other.
struct ReferenceReader {
  let file: SafetensorsFile
  let precision: Precision
  let sizes: PassSizes

  /// Reads precision and sizes.
  init(_ file: SafetensorsFile) throws(ReferenceError) {
    self.file = file
    let C = try Self.tensor("C", in: file)
    let precision = Precision.allCases.first { $0.dataType == C.dataType }
    guard let precision else {
      throw .dataType(tensor: "C", expected: "F32 or F64", found: C.dataType)
    }
    self.precision = precision
    sizes = try Self.sizes(of: file)
  }

  /// The same file, read in other sizes.
  init(_ reader: ReferenceReader, _ sizes: PassSizes) {
    file = reader.file
    precision = reader.precision
    self.sizes = sizes
  }

  /// All sizes: the vocabulary and the embedding are C's, the hidden layer's is W1's, the others
  /// Xb's.
  private static func sizes(of file: SafetensorsFile) throws(ReferenceError) -> PassSizes {
    let (vocabulary, embedding) = try dimensions("C", "(vocabulary, embedding)", in: file)
    let (n, block) = try dimensions("Xb", "(n, block)", in: file)
    let (inputs, hidden) = try dimensions("W1", "(block·embedding, hidden)", in: file)
    guard n >= 2 else {
      throw .shape(tensor: "Xb", expected: "(n, block) with n > 1", found: [n, block])
    }
    let (width, overflow) = block.multipliedReportingOverflow(by: embedding)
    guard !overflow, inputs == width else {
      let expected = "(\(block)·\(embedding), hidden)"
      throw .shape(tensor: "W1", expected: expected, found: [inputs, hidden])
    }
    let model = ModelShape(
      vocabulary: vocabulary, blockSize: block, embedding: embedding, hidden: hidden)
    let limit = GradientProblem.elementLimit
    guard let largest = GradientProblem.largestTensor(model, batchSize: n), largest <= limit else {
      throw .tooLarge(limit: limit)
    }
    return PassSizes(model, batchSize: n)
  }

  private static func tensor(
    _ name: String, in file: SafetensorsFile
  ) throws(ReferenceError) -> Tensor {
    guard let tensor = file[name] else { throw .missing(tensor: name) }
    return tensor
  }

  /// The two dimensions of a tensor that sizes are taken from.
  private static func dimensions(
    _ name: String, _ expected: String, in file: SafetensorsFile
  ) throws(ReferenceError) -> (Int, Int) {
    let shape = try tensor(name, in: file).shape
    guard shape.count == 2, shape.allSatisfy({ $0 >= 1 }) else {
      throw .shape(tensor: name, expected: expected, found: shape)
    }
    return (shape[0], shape[1])
  }
}

extension ReferenceReader {
  /// A tensor of the pass as a matrix.
  func matrix(_ tensor: PassTensor) throws(ReferenceError) -> Matrix<Double> {
    try checkType(tensor)
    let given = try Self.tensor(tensor.name, in: file)
    try check(
      given.shape, of: tensor.name,
      against: [sizes.shape(of: tensor)] + sizes.alternatives(of: tensor))
    let (rows, columns) = sizes.matrixShape(of: tensor)
    return Matrix(rows: rows, columns: columns, elements: numbers(of: given))
  }

  /// What is read of the pass has C's type.
  private func checkType(_ tensor: PassTensor) throws(ReferenceError) {
    let found = try Self.tensor(tensor.name, in: file).dataType
    guard found != precision.dataType else { return }
    let expected = "\(precision.dataType.rawValue) like C"
    throw .dataType(tensor: tensor.name, expected: expected, found: found)
  }

  private func check(
    _ found: [Int], of name: String, against accepted: [[Int]]
  ) throws(ReferenceError) {
    guard !accepted.contains(found) else { return }
    throw .shape(tensor: name, expected: accepted[0].shapeDescription, found: found)
  }

  /// The elements, which Double holds in either precision.
  private func numbers(of tensor: Tensor) -> [Double] {
    switch precision {
    case .float32: ((try? tensor.floats()) ?? []).map(Double.init)
    case .float64: (try? tensor.doubles()) ?? []
    }
  }

  /// The parameters: finite numbers, which Float does not round to infinity.
  func parameters() throws(ReferenceError) -> Parameters<Double> {
    var parameters = Parameters<Double>(zeros: sizes.model)
    for parameter in PassTensor.parameters {
      let matrix = try matrix(parameter)
      if let index = matrix.elements.firstIndex(where: { !Float($0).isFinite }) {
        let place = sizes.shape(of: parameter).indices(of: index)
        throw .parameter(tensor: parameter.name, index: place, found: matrix.elements[index])
      }
      parameters[parameter] = matrix
    }
    return parameters
  }

  /// Xb and Yb.
  func minibatch() throws(ReferenceError) -> Minibatch {
    let (n, block) = (sizes.n, sizes.model.blockSize)
    return Minibatch(
      blockSize: block, contexts: try ids("Xb", shape: [n, block]),
      targets: try ids("Yb", shape: [n]))
  }

  private func ids(_ name: String, shape: [Int]) throws(ReferenceError) -> [Int32] {
    let tensor = try Self.tensor(name, in: file)
    try check(tensor.shape, of: name, against: [shape])
    let short: [Int32]? = try? tensor.elements()
    guard let ids = (try? tensor.integers()) ?? short?.map(Int64.init) else {
      throw .dataType(tensor: name, expected: "I64 or I32", found: tensor.dataType)
    }
    let vocabulary = sizes.model.vocabulary
    for (index, id) in ids.enumerated() where id < 0 || id >= vocabulary {
      throw .id(tensor: name, index: shape.indices(of: index), vocabulary: vocabulary, found: id)
    }
    return ids.map(Int32.init)
  }
}

// MARK: - Errors

/// Why bytes are not a reference.
package enum ReferenceError: Error, Equatable, Sendable {
  /// The bytes are not a safetensors file.
  case file(SafetensorsError)
  /// A tensor that every reference has is missing.
  case missing(tensor: String)
  /// The elements have another type.
  case dataType(tensor: String, expected: String, found: DataType)
  /// The shape does not fit the others.
  case shape(tensor: String, expected: String, found: [Int])
  /// An id has no row in C.
  case id(tensor: String, index: [Int], vocabulary: Int, found: Int64)
  /// A parameter is not finite, or too large for Float.
  case parameter(tensor: String, index: [Int], found: Double)
  /// A tensor of the pass would be too large.
  case tooLarge(limit: Int)
}

extension ReferenceError {
  /// The line of Python that mends it, if there is one.
  package var python: String? {
    guard case .dataType(let tensor, let expected, _) = self else { return nil }
    if expected.hasPrefix("I") { return "\(tensor) = \(tensor).long()" }
    let precision: Precision = expected.hasPrefix("F64") ? .float64 : .float32
    return precision.conversion(of: tensor)
  }
}

extension ReferenceError: CustomStringConvertible {
  /// The error in one line.
  package var description: String {
    switch self {
    case .file(let error):
      "not a safetensors file: \(error)"
    case .missing(let tensor):
      "\(tensor): expected in every reference, found none"
    case .dataType(let tensor, let expected, let found):
      "\(tensor): expected \(expected), found \(found.rawValue)"
    case .shape(let tensor, let expected, let found):
      "\(tensor): expected \(expected), found \(found.shapeDescription)"
    case .id(let tensor, let index, let vocabulary, let found):
      "\(tensor): expected ids from 0 to \(vocabulary - 1), found \(found) at \(index.shapeDescription)"
    case .parameter(let tensor, let index, let found):
      "\(tensor): expected finite floats, found \(found) at \(index.shapeDescription)"
    case .tooLarge(let limit):
      "expected tensors of at most \(limit) elements"
    }
  }
}
