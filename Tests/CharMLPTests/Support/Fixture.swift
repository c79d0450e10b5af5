// A golden file from PyTorch, as matrices; Tools/make_fixtures.py writes them.

import CharMLP
import Foundation
import LinearAlgebra
import Safetensors
import Testing

struct Fixture {
  let file: SafetensorsFile

  /// Reads `Fixtures/<name>.safetensors`.
  init(_ name: String) throws {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "safetensors"))
    file = try SafetensorsFile(decoding: [UInt8](Data(contentsOf: url)))
  }

  /// A tensor as a matrix: the last dimension is the columns, all others are rows.
  func matrix<Scalar: MatrixScalar & TensorElement>(
    _ name: String, _: Scalar.Type = Scalar.self
  ) throws -> Matrix<Scalar> {
    let columns = try file.tensor(named: name).shape.last ?? 1
    let elements = try file.elements(named: name, as: Scalar.self)
    return Matrix(rows: elements.count / columns, columns: columns, elements: elements)
  }

  func parameters<Scalar: MatrixScalar & TensorElement>(
    _: Scalar.Type = Scalar.self
  ) throws -> Parameters<Scalar> {
    try Parameters(
      C: matrix("C"), W1: matrix("W1"), b1: matrix("b1"), W2: matrix("W2"), b2: matrix("b2"),
      bngain: matrix("bngain"), bnbias: matrix("bnbias"))
  }

  var minibatch: Minibatch {
    get throws {
      Minibatch(
        blockSize: try file.tensor(named: "Xb").shape[1],
        contexts: try file.elements(named: "Xb", as: Int64.self).map(Int32.init),
        targets: try file.elements(named: "Yb", as: Int64.self).map(Int32.init))
    }
  }
}
