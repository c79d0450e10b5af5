// Where a slice's parameters lie in a block of memory.
//
// Both weights lie with the units along their rows: W1 as it is, W2 transposed. W1 has b1 as one more
// row, and both have rows of zeros up to a whole vector: products of whole vectors are faster than exact
// ones, and padding adds only zeros.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The windows on a block of a slice's memory.
struct HiddenTensors: LayerTensors {
  let W1: PaddedMatrix  // (padded inputs, units): W1, b1, zeros
  let W2T: PaddedMatrix  // (padded vocabulary, units)
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  private let inputs: Int
  private let vocabulary: Int
  private let firstUnit: Int

  /// The floats in a block.
  static func size(_ shape: ModelShape, units: Range<Int>) -> Int {
    let rows = PaddedMemory.stride(shape.contextWidth + 1) + PaddedMemory.stride(shape.vocabulary)
    return PaddedMemory.size(rows: rows + 2, columns: units.count)
  }

  init(cutFrom memory: inout PaddedMemory, _ shape: ModelShape, units: Range<Int>) {
    inputs = shape.contextWidth
    vocabulary = shape.vocabulary
    firstUnit = units.lowerBound
    W1 = memory.matrix(rows: PaddedMemory.stride(inputs + 1), columns: units.count)
    W2T = memory.matrix(rows: PaddedMemory.stride(vocabulary), columns: units.count)
    bngain = memory.matrix(rows: 1, columns: units.count)
    bnbias = memory.matrix(rows: 1, columns: units.count)
  }

  /// W1 without b1, and W2: what weight decay shrinks.
  var weights: [PaddedMatrix] { [W1[rows: 0..<inputs], W2T] }

  func assign(_ parameters: Parameters<Float>) {
    W1[rows: 0..<inputs].assign(parameters.W1, column: firstUnit)
    W1.row(inputs).assign(parameters.b1, column: firstUnit)
    W2T[rows: 0..<vocabulary].assign(transposed: parameters.W2, row: firstUnit)
    bngain.assign(parameters.bngain, column: firstUnit)
    bnbias.assign(parameters.bnbias, column: firstUnit)
  }

  func copy(to parameters: inout Parameters<Float>) {
    W1[rows: 0..<inputs].copy(to: &parameters.W1, column: firstUnit)
    W1.row(inputs).copy(to: &parameters.b1, column: firstUnit)
    W2T[rows: 0..<vocabulary].copy(transposedTo: &parameters.W2, row: firstUnit)
    bngain.copy(to: &parameters.bngain, column: firstUnit)
    bnbias.copy(to: &parameters.bnbias, column: firstUnit)
  }
}
