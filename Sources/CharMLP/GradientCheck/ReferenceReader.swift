// The tensors of a reference file, one by one, in the types and shapes that they must have.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import Safetensors

/// A safetensors file whose sizes have been found to fit each other.
struct ReferenceReader {
  let file: SafetensorsFile
  let precision: Precision
  let shapes: TensorShapes

  /// Reads precision and sizes.
  init(_ file: SafetensorsFile) throws(ReferenceError) {
    self.file = file
    let C = try Self.tensor("C", in: file)
    let precision = Precision.allCases.first { $0.dataType == C.dataType }
    guard let precision else {
      throw .dataType(tensor: "C", expected: "F32 or F64", found: C.dataType)
    }
    self.precision = precision
    shapes = try Self.sizes(of: file)
  }

  /// All sizes: the vocabulary and the embedding are C's, the hidden layer's is W1's, the others Xb's.
  private static func sizes(of file: SafetensorsFile) throws(ReferenceError) -> TensorShapes {
    let (vocabulary, embedding) = try dimensions("C", "(vocabulary, embedding)", in: file)
    let (n, block) = try dimensions("Xb", "(n, block)", in: file)
    let (inputs, hidden) = try dimensions("W1", "(block·embedding, hidden)", in: file)
    guard n >= 2 else {
      throw .shape(tensor: "Xb", expected: "(n, block) with n of at least 2", found: [n, block])
    }
    let (width, overflow) = block.multipliedReportingOverflow(by: embedding)
    guard !overflow, inputs == width else {
      let expected = "(block·embedding, hidden) with \(block)·\(embedding) rows"
      throw .shape(tensor: "W1", expected: expected, found: [inputs, hidden])
    }
    let model = ModelShape(
      vocabulary: vocabulary, blockSize: block, embedding: embedding, hidden: hidden)
    let limit = GradientProblem.elementLimit
    guard let largest = GradientProblem.largestTensor(model, batchSize: n), largest <= limit else {
      throw .tooLarge(limit: limit)
    }
    return TensorShapes(model, batchSize: n)
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
  /// A tensor of the pass, a gradient or a parameter, as a matrix.
  func matrix(_ fileName: String) throws(ReferenceError) -> Matrix<Double> {
    let isGradient = fileName.hasPrefix("d")
    let name = isGradient ? String(fileName.dropFirst()) : fileName
    let tensor = try Self.tensor(fileName, in: file)
    guard tensor.dataType == precision.dataType else {
      let expected = "\(precision.dataType.rawValue) like C"
      throw .dataType(tensor: fileName, expected: expected, found: tensor.dataType)
    }
    try check(
      tensor.shape, of: fileName, against: [shapes.shape(of: name)] + shapes.alternatives(of: name))
    let (rows, columns) = shapes.matrixShape(of: name)
    return Matrix(rows: rows, columns: columns, elements: numbers(of: tensor))
  }

  private func check(
    _ found: [Int], of name: String, against accepted: [[Int]]
  ) throws(ReferenceError) {
    guard !accepted.contains(found) else { return }
    let expected = accepted.map(\.shapeDescription).joined(separator: " or ")
    throw .shape(tensor: name, expected: expected, found: found)
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
    var parameters = Parameters<Double>(zeros: shapes.model)
    for (name, path) in Parameters<Double>.ordered {
      let matrix = try matrix(name)
      if let index = matrix.elements.firstIndex(where: { !Float($0).isFinite }) {
        let place = shapes.shape(of: name).indices(of: index)
        throw .parameter(tensor: name, index: place, found: matrix.elements[index])
      }
      parameters[keyPath: path] = matrix
    }
    return parameters
  }

  /// Xb and Yb.
  func minibatch() throws(ReferenceError) -> Minibatch {
    let (n, block) = (shapes.n, shapes.model.blockSize)
    return Minibatch(
      blockSize: block, contexts: try ids("Xb", shape: [n, block]),
      targets: try ids("Yb", shape: [n]))
  }

  private func ids(_ name: String, shape: [Int]) throws(ReferenceError) -> [Int32] {
    let tensor = try Self.tensor(name, in: file)
    try check(tensor.shape, of: name, against: [shape])
    guard let ids = try? tensor.integers() else {
      throw .dataType(tensor: name, expected: "I64", found: tensor.dataType)
    }
    let vocabulary = shapes.model.vocabulary
    for (index, id) in ids.enumerated() where id < 0 || id >= vocabulary {
      throw .id(tensor: name, index: shape.indices(of: index), vocabulary: vocabulary, found: id)
    }
    return ids.map(Int32.init)
  }
}
