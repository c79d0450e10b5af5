// The problem that is checked, and a pass of it in a file: minibatch, parameters, and as many of
// its tensors as were saved.
//
// A notebook writes one and has its gradients checked; or we write one, and a notebook checks its
// gradients against ours. Both are the same file, so that what we write can be read back and is
// exact. All sizes come from the shapes. Reading and writing files is left to the caller; this is
// about bytes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

package import LinearAlgebra
internal import Posix
package import Safetensors

// MARK: - The problem

// What is dropped is part of the problem: a mask does not change while the loss is differentiated.
// Parameters are kept in Double, whatever they were drawn or read in; Float's numbers are Double's
// too.

/// Parameters and the minibatch whose loss is differentiated.
package struct GradientProblem: Equatable, Sendable {
  package let parameters: Parameters<Double>
  package let minibatch: Minibatch
  /// Which hidden units are dropped; nil for none, as in the lecture.
  package let dropout: RandomMask?

  /// The most elements that a tensor of a pass may have: 128 MiB of Double.
  package static let elementLimit = 1 << 24

  /// Creates a problem from parts that fit: at least two windows, and ids that C has a row for.
  package init(
    _ parameters: Parameters<Double>, _ minibatch: Minibatch, dropout: RandomMask? = nil
  ) {
    let shape = parameters.shape
    precondition(
      minibatch.count >= 2 && minibatch.blockSize == shape.blockSize,
      "GradientProblem: \(minibatch.count) windows of \(minibatch.blockSize) for \(shape)")
    let ids = 0..<Int32(shape.vocabulary)
    precondition(
      minibatch.contexts.allSatisfy(ids.contains) && minibatch.targets.allSatisfy(ids.contains),
      "GradientProblem: an id that is not in \(ids)")
    self.parameters = parameters
    self.minibatch = minibatch
    self.dropout = dropout
  }

  /// The number of elements of the largest tensor in a pass; nil if it exceeds what can be counted.
  package static func largestTensor(_ shape: ModelShape, batchSize: Int) -> Int? {
    let widths = [shape.vocabulary, shape.hidden, shape.contextWidth]
    let products = [
      (batchSize, widths), (shape.contextWidth, [shape.hidden]),
      (shape.vocabulary, [shape.hidden, shape.embedding]),
    ].flatMap { rows, widths in widths.map { rows.multipliedReportingOverflow(by: $0) } }
    return products.contains { $0.overflow } ? nil : products.map(\.partialValue).max()
  }

  /// The same problem with parameters that Float can hold, which is what a pass in Float is given.
  var singlePrecision: GradientProblem {
    GradientProblem(
      parameters.converted(to: Float.self).converted(), minibatch, dropout: dropout)
  }

  /// The pass of this problem, step by step.
  var steps: Derivation<Double> { Derivation(parameters, minibatch, dropout: dropout) }
}

// MARK: - The reference

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
      let pass = Derivation<Float>(
        problem.parameters.converted(), problem.minibatch, dropout: problem.dropout)
      self.init(
        precision: precision, problem: problem.singlePrecision,
        tensors: pass.tensors.mapValues { $0.converted() })
    case .float64:
      self.init(precision: precision, problem: problem, tensors: problem.steps.tensors)
    }
  }
}

// MARK: - Writing

extension Reference {
  /// The bytes of a safetensors file with the minibatch, the parameters and all tensors, in the
  /// notebook's shapes, as `safetensors.torch.load_file` reads it.
  ///
  /// - Parameter threads: If given, how many threads measure the bounds on rounding for the program
  ///   that compares. They are metadata: `name=bound` for each tensor, in the derivation's order.
  package func encoded(threads: Int? = nil) -> [UInt8] {
    let sizes = PassSizes(problem)
    var file = SafetensorsFile()
    if let threads {
      let bounds = RoundingBounds(problem, threads: threads)
      file.metadata["bounds"] = PassTensor.computed
        .map { "\($0)=\(bounds[$0, precision])" }.joined(separator: " ")
    }
    let minibatch = problem.minibatch
    file["Xb"] = Tensor(
      minibatch.contexts.map(Int64.init), shape: [minibatch.count, minibatch.blockSize])
    file["Yb"] = Tensor(minibatch.targets.map(Int64.init), shape: [minibatch.count])
    for tensor in PassTensor.allCases {
      let parameters = PassTensor.parameters
      guard
        let matrix = parameters.contains(tensor) ? problem.parameters[tensor] : tensors[tensor]
      else { continue }
      let shape = sizes.shape(of: tensor)
      file[tensor.name] =
        precision == .float32
        ? Tensor(matrix.elements.map { Float($0) }, shape: shape)
        : Tensor(matrix.elements, shape: shape)
    }
    do {
      return try file.encoded()
    } catch {
      preconditionFailure("the names and shapes of a pass fit into a file: \(error)")
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
    let sizes = try reader.sizes()
    precision = reader.precision
    problem = GradientProblem(try reader.parameters(sizes), try reader.minibatch(sizes))
    var tensors: [PassTensor: Matrix<Double>] = [:]
    var others: [PassTensor: [Int]] = [:]
    for tensor in PassTensor.computed {
      guard let given = reader.file[tensor.name] else { continue }
      if given.dataType != precision.dataType {
        otherTypes[tensor] = given.dataType
      } else if sizes.accepts(given.shape, for: tensor) {
        tensors[tensor] = try reader.matrix(tensor, sizes)
        if given.shape != sizes.shape(of: tensor) { shapes[tensor] = given.shape }
      } else {
        others[tensor] = given.shape
      }
    }
    self.tensors = tensors
    ignored = reader.file.tensors.map(\.name).filter { name in
      PassTensor(rawValue: name) == nil && MinibatchIDs(rawValue: name) == nil
    }.sorted()
    misshapen = others
    guard let sizes = sizes.others(explaining: others) else { return }
    stale = others.filter { sizes.accepts($0.value, for: $0.key) }
    misshapen = others.filter { stale[$0.key] == nil }
    var left: [PassTensor: Matrix<Double>] = [:]
    for tensor in stale.keys { left[tensor] = try reader.matrix(tensor, sizes) }
    otherPass = OtherPass(sizes: sizes, tensors: left)
  }
}

/// Reads a reference from a safetensors file.
struct ReferenceReader {
  let file: SafetensorsFile
  /// The precision of C.
  let precision: Precision

  init(_ file: SafetensorsFile) throws(ReferenceError) {
    self.file = file
    guard let C = file["C"] else { throw .missing(tensor: "C") }
    let precision = Precision.allCases.first { $0.dataType == C.dataType }
    guard let precision else {
      throw .dataType(tensor: "C", expected: "F32 or F64", found: C.dataType)
    }
    self.precision = precision
  }

  /// All sizes: the vocabulary and the embedding are C's, the hidden layer's is W1's, the others
  /// Xb's.
  func sizes() throws(ReferenceError) -> PassSizes {
    let (vocabulary, embedding) = try dimensions("C", "(vocabulary, embedding)")
    let (n, block) = try dimensions("Xb", "(n, block)")
    let (inputs, hidden) = try dimensions("W1", "(block·embedding, hidden)")
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

  private func tensor(_ name: String) throws(ReferenceError) -> Tensor {
    guard let tensor = file[name] else { throw .missing(tensor: name) }
    return tensor
  }

  /// The two dimensions of a tensor that sizes are taken from.
  private func dimensions(
    _ name: String, _ expected: String
  ) throws(ReferenceError) -> (Int, Int) {
    let shape = try tensor(name).shape
    guard shape.count == 2, shape.allSatisfy({ $0 >= 1 }) else {
      throw .shape(tensor: name, expected: expected, found: shape)
    }
    return (shape[0], shape[1])
  }

  private func check(
    _ found: [Int], of name: String, against accepted: [[Int]]
  ) throws(ReferenceError) {
    guard !accepted.contains(found) else { return }
    throw .shape(tensor: name, expected: accepted[0].shapeDescription, found: found)
  }

  /// A tensor of the pass, which has C's type, as a matrix of Double, which holds the elements in
  /// either precision.
  func matrix(
    _ tensor: PassTensor, _ sizes: PassSizes
  ) throws(ReferenceError) -> Matrix<Double> {
    let given = try self.tensor(tensor.name)
    guard given.dataType == precision.dataType else {
      let expected = "\(precision.dataType.rawValue) like C"
      throw .dataType(tensor: tensor.name, expected: expected, found: given.dataType)
    }
    try check(given.shape, of: tensor.name, against: sizes.shapes(of: tensor))
    let (rows, columns) = sizes.matrixShape(of: tensor)
    let floats: [Double]? = (try? given.floats())?.map(Double.init)
    return Matrix(rows: rows, columns: columns, elements: floats ?? (try? given.doubles()) ?? [])
  }

  /// The parameters: finite numbers, which Float does not round to infinity.
  func parameters(_ sizes: PassSizes) throws(ReferenceError) -> Parameters<Double> {
    var parameters = Parameters<Double>(zeros: sizes.model)
    for parameter in PassTensor.parameters {
      let matrix = try matrix(parameter, sizes)
      if let index = matrix.elements.firstIndex(where: { !Float($0).isFinite }) {
        let place = sizes.shape(of: parameter).indices(of: index)
        throw .parameter(tensor: parameter.name, index: place, found: matrix.elements[index])
      }
      parameters[parameter] = matrix
    }
    return parameters
  }

  /// Xb and Yb.
  func minibatch(_ sizes: PassSizes) throws(ReferenceError) -> Minibatch {
    let (n, block) = (sizes.n, sizes.model.blockSize)
    let vocabulary = sizes.model.vocabulary
    return Minibatch(
      blockSize: block, contexts: try ids("Xb", shape: [n, block], vocabulary),
      targets: try ids("Yb", shape: [n], vocabulary))
  }

  private func ids(
    _ name: String, shape: [Int], _ vocabulary: Int
  ) throws(ReferenceError) -> [Int32] {
    let tensor = try tensor(name)
    try check(tensor.shape, of: name, against: [shape])
    let short: [Int32]? = try? tensor.elements()
    guard let ids = (try? tensor.integers()) ?? short?.map(Int64.init) else {
      throw .dataType(tensor: name, expected: "I64 or I32", found: tensor.dataType)
    }
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
  /// The line of Python that fixes it, if there is one.
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

extension DataType {
  /// The name in PyTorch; the format's where that has none.
  package var pythonName: String {
    switch self {
    case .bool: "bool"
    case .bfloat16: "bfloat16"
    case .float16, .float32, .float64: "float\(bitWidth)"
    case .int8, .int16, .int32, .int64: "int\(bitWidth)"
    case .uint8, .uint16, .uint32, .uint64: "uint\(bitWidth)"
    default: rawValue
    }
  }
}

// MARK: - Names and shapes of a notebook

extension PassTensor {
  /// The tensor that another name may stand for: `W1.grad`, `grad_W1`, `dlogist`.
  ///
  /// - Returns: nil if no name is near, and for dloss, which is 1 and not compared.
  package static func nearest(to name: String) -> PassTensor? {
    if name == "dloss" { return nil }
    for (prefix, suffix) in [("", ".grad"), ("", "_grad"), ("grad_", ""), ("d_", "")]
    where name.begins(with: prefix) && name.ends(with: suffix) && name.utf8.count < 40 {
      let owner = String(name.unicodeScalars.dropFirst(prefix.count).dropLast(suffix.count))
      if let gradient = PassTensor(rawValue: "d" + owner) { return gradient }
    }
    let name = name.lowercased()
    let length = name.unicodeScalars.count
    guard (2...20).contains(length) else { return nil }
    return NearestWords.meant(
      by: name, among: allCases, within: max(1, min(2, length / 4)), isSwapOneEdit: true
    ) { $0.name.lowercased() }
  }
}

extension PassSizes {
  init(_ problem: GradientProblem) {
    self.init(problem.parameters.shape, batchSize: problem.minibatch.count)
  }

  /// The shapes that a notebook may well give a tensor, its own first. The others have the same
  /// elements in the same order: vectors without the dimension of 1 or with it, emb with its
  /// windows one below the other.
  func shapes(of tensor: PassTensor) -> [[Int]] {
    let shape = shape(of: tensor)
    switch shape.count {
    case 0: return [shape, [1], [1, 1]]
    case 1: return [shape, [1] + shape]
    case 3: return [shape, [shape[0] * shape[1], shape[2]]]
    default:
      guard let one = tensor.dimensions.firstIndex(of: .one) else { return [shape] }
      return [shape, [shape[1 - one]]]
    }
  }

  /// Whether a notebook may well give a tensor this shape.
  func accepts(_ shape: [Int], for tensor: PassTensor) -> Bool {
    shapes(of: tensor).contains(shape)
  }

  /// Another number of windows or hidden units that explains the shapes of two tensors or more, and
  /// of as many as possible.
  func others(explaining shapes: [PassTensor: [Int]], atLeast least: Int = 2) -> PassSizes? {
    var (windows, units): (Set<Int>, Set<Int>) = ([n], [model.hidden])
    for (tensor, shape) in shapes {
      for (dimension, size) in zip(tensor.dimensions, shape) where size > 1 {
        if dimension == .n { windows.insert(size) }
        if dimension == .hidden { units.insert(size) }
      }
    }
    var best: (sizes: PassSizes, count: Int)?
    for n in windows.sorted() {
      for hidden in units.sorted() {
        // All transposed is a mistake, and no other size.
        if (n, hidden) == (self.n, model.hidden) || (n, hidden) == (model.hidden, self.n) {
          continue
        }
        let other = ModelShape(
          vocabulary: model.vocabulary, blockSize: model.blockSize, embedding: model.embedding,
          hidden: hidden)
        let sizes = PassSizes(other, batchSize: n)
        let count = shapes.count { sizes.accepts($0.value, for: $0.key) }
        if count >= least, count > best?.count ?? 0 { best = (sizes, count) }
      }
    }
    return best?.sizes
  }
}
