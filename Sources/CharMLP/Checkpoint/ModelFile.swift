// A model as a safetensors file, and back.
//
// The file is self-contained: parameters, batch norm's statistics, vocabulary, and the recipe they come
// from. Python's `safetensors` opens it, and finds the tensors under the notebook's names. What is not
// the model (times, paths, host) is not here, so that two runs that learned the same have equal files.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
public import Safetensors

extension Model {
  /// The version of the file's layout that is written, and the newest that is read.
  public static let fileVersion = 1
  private static let architecture = "embedding-linear-batchnorm-tanh-linear"

  /// The model as a file.
  ///
  /// - Throws: `SafetensorsError` if the vocabulary is too long for a header.
  public func file(recipe: Recipe) throws(SafetensorsError) -> [UInt8] {
    var file = SafetensorsFile(metadata: [
      "format": "charmlp",
      "version": String(Self.fileVersion),
      "architecture": Self.architecture,
      "vocabulary": String(String.UnicodeScalarView(vocabulary.symbols)),
      "recipe": recipe.text,
    ])
    for (name, path) in Parameters<Float>.ordered {
      file[name] = Tensor(parameters[keyPath: path], isVector: name == "b1" || name == "b2")
    }
    file["bnmean"] = Tensor(statistics.bnmean)
    file["bnvar"] = Tensor(statistics.bnvar)
    return try file.encoded()
  }

  /// Reads a model from a file's bytes.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .notSafetensors(error)
    }
    try Self.checkFormat(file.metadata)
    let vocabulary: Vocabulary
    do {
      vocabulary = try Vocabulary(
        symbols: Array((file.metadata["vocabulary"] ?? "").unicodeScalars))
    } catch {
      throw .vocabulary(error)
    }
    let shape = try Self.shape(file, vocabulary)
    var parameters = Parameters<Float>(zeros: shape)
    for (name, path) in Parameters<Float>.ordered {
      let expected = parameters[keyPath: path]
      parameters[keyPath: path] = try file.matrix(name, expected.rows, expected.columns)
    }
    let statistics = BatchNormStatistics(
      bnmean: try file.matrix("bnmean", 1, shape.hidden),
      bnvar: try file.matrix("bnvar", 1, shape.hidden))
    self.init(vocabulary: vocabulary, parameters: parameters, statistics: statistics)
  }

  private static func checkFormat(_ metadata: [String: String]) throws(ModelFileError) {
    guard metadata["format"] == "charmlp", let version = metadata["version"].flatMap(Int.init)
    else {
      throw .notAModel
    }
    guard version <= fileVersion else { throw .newerVersion(version) }
    guard metadata["architecture"] == architecture else {
      throw .otherArchitecture(metadata["architecture"] ?? "none")
    }
  }

  /// The sizes as the shapes of C and W1 give them.
  private static func shape(
    _ file: SafetensorsFile, _ vocabulary: Vocabulary
  ) throws(ModelFileError) -> ModelShape {
    guard let C = file["C"]?.shape, C.count == 2, C[0] == vocabulary.count, C[1] >= 1 else {
      throw .tensor("C", expected: "(\(vocabulary.count), embedding)")
    }
    guard let W1 = file["W1"]?.shape, W1.count == 2, W1[0] >= 1, W1[0].isMultiple(of: C[1]),
      W1[1] >= 1
    else { throw .tensor("W1", expected: "(block·\(C[1]), hidden)") }
    return ModelShape(
      vocabulary: C[0], blockSize: W1[0] / C[1], embedding: C[1], hidden: W1[1])
  }
}

/// Why a file is not a model that can be used.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not a safetensors file.
  case notSafetensors(SafetensorsError)
  /// It is one, but nothing that this project wrote.
  case notAModel
  /// A newer version of this project wrote it.
  case newerVersion(Int)
  /// It is a network of another kind.
  case otherArchitecture(String)
  /// Its vocabulary is none.
  case vocabulary(VocabularyError)
  /// A tensor is missing, has another type or shape, or holds a value that is not finite.
  case tensor(String, expected: String)

  /// Whether the file is sound, but not for this version of the program.
  public var isIncompatible: Bool {
    switch self {
    case .newerVersion, .otherArchitecture: true
    default: false
    }
  }

  public var description: String {
    switch self {
    case .notSafetensors(let error): "not a model file: \(error)"
    case .notAModel: "a safetensors file, but not a CharMLP model"
    case .newerVersion(let version):
      "version \(version) of the model file; this program reads up to \(Model.fileVersion)"
    case .otherArchitecture(let name): "a network of another architecture (\(name))"
    case .vocabulary(let error): "vocabulary: \(error)"
    case .tensor(let name, let expected): "tensor \(name): expected finite F32 of shape \(expected)"
    }
  }
}

extension Tensor {
  /// A matrix as a tensor of two dimensions, or of one as the notebook has its biases.
  fileprivate init(_ matrix: Matrix<Float>, isVector: Bool = false) {
    self.init(matrix.elements, shape: isVector ? [matrix.count] : [matrix.rows, matrix.columns])
  }
}

extension SafetensorsFile {
  /// A tensor of finite floats as a matrix; one dimension stands for a row.
  fileprivate func matrix(
    _ name: String, _ rows: Int, _ columns: Int
  ) throws(ModelFileError) -> Matrix<Float> {
    let shapes = rows == 1 ? [[1, columns], [columns]] : [[rows, columns]]
    guard let tensor = self[name], shapes.contains(tensor.shape),
      let elements = try? tensor.floats(), elements.allSatisfy(\.isFinite)
    else { throw .tensor(name, expected: "(\(rows), \(columns))") }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }
}
