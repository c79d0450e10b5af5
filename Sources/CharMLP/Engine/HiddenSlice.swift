// A slice of the hidden layer: the hidden units from a first to a last, with all that is theirs.
//
// Batch norm's statistics belong to a unit. So from embcat @ W1 to tanh, and back to dW1, a slice
// needs nothing of another; only its share of the logits and of dembcat is added to the others'.
// W1 has b1 as one more row, to match the column of ones in embcat, and rows of zeros up to a whole
// vector: products of whole vectors are faster than exact ones, and padding adds only zeros.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Some of the hidden units: their parameters, their gradients, their activations.
final class HiddenSlice {
  let units: Range<Int>
  let memory: ParameterMemory

  let W1: PaddedMatrix  // (padded inputs, units): W1, b1, zeros
  let W2: PaddedMatrix  // (units, vocabulary)
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  let dW1: PaddedMatrix  // (padded inputs, units): dW1, db1, zeros
  let dW2: PaddedMatrix  // (units, vocabulary)
  let dbngain: PaddedMatrix  // (1, units)
  let dbnbias: PaddedMatrix  // (1, units)

  let bnraw: PaddedMatrix  // (n, units), hprebn before it is normalized
  let bnvar_inv: PaddedMatrix  // (1, units)
  let h: PaddedMatrix  // (n, units)
  let logits: PaddedMatrix  // (n, vocabulary), this slice's share
  let dh: PaddedMatrix  // (n, units)
  let dhpreact: PaddedMatrix  // (n, units)
  let dhprebn: PaddedMatrix  // (n, units)
  let dembcat: PaddedMatrix  // (n, block·embedding), this slice's share

  private let activations: PaddedMemory

  /// The slices of a hidden layer: for now there is one.
  static func units(hidden: Int) -> [Range<Int>] { [0..<hidden] }

  init(
    _ parameters: Parameters<Float>, units: Range<Int>, batchSize: Int, keepsIntermediates: Bool
  ) {
    let shape = parameters.shape
    let (width, vocabulary) = (units.count, shape.vocabulary)
    let inputs = PaddedMemory.stride(shape.contextWidth + 1)
    self.units = units

    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: inputs + 2, columns: width)
        + PaddedMemory.size(rows: width, columns: vocabulary))
    (W1, dW1) = memory.matrix(rows: inputs, columns: width)
    (W2, dW2) = memory.matrix(rows: width, columns: vocabulary)
    (bngain, dbngain) = memory.matrix(rows: 1, columns: width)
    (bnbias, dbnbias) = memory.matrix(rows: 1, columns: width)

    let gradientBuffers = keepsIntermediates ? 3 : 1
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: (2 + gradientBuffers) * batchSize + 1, columns: width)
        + PaddedMemory.size(rows: batchSize, columns: vocabulary)
        + PaddedMemory.size(rows: batchSize, columns: inputs))
    bnraw = activations.matrix(rows: batchSize, columns: width)
    bnvar_inv = activations.matrix(rows: 1, columns: width)
    h = activations.matrix(rows: batchSize, columns: width)
    logits = activations.matrix(rows: batchSize, columns: vocabulary)
    dh = activations.matrix(rows: batchSize, columns: width)
    dhpreact = keepsIntermediates ? activations.matrix(rows: batchSize, columns: width) : dh
    dhprebn = keepsIntermediates ? activations.matrix(rows: batchSize, columns: width) : dh
    // One column more than anybody reads: what b1's row of W1 gives.
    dembcat = activations.matrix(rows: batchSize, columns: inputs)
      .resized(rows: batchSize, columns: shape.contextWidth)
    self.activations = activations
    assign(parameters)
  }

  private func assign(_ parameters: Parameters<Float>) {
    W1.resized(rows: parameters.W1.rows, columns: W1.columns).assign(
      parameters.W1, column: units.lowerBound)
    W1.row(parameters.W1.rows).assign(parameters.b1, column: units.lowerBound)
    W2.assign(parameters.W2, row: units.lowerBound)
    bngain.assign(parameters.bngain, column: units.lowerBound)
    bnbias.assign(parameters.bnbias, column: units.lowerBound)
  }

  func read(into parameters: inout Parameters<Float>, _ gradients: inout Gradients<Float>) {
    read(W1, W2, bngain, bnbias, into: &parameters)
    read(dW1, dW2, dbngain, dbnbias, into: &gradients)
  }

  private func read(
    _ W1: PaddedMatrix, _ W2: PaddedMatrix, _ bngain: PaddedMatrix, _ bnbias: PaddedMatrix,
    into target: inout Parameters<Float>
  ) {
    let weights = target.W1.rows
    W1.resized(rows: weights, columns: W1.columns).copy(to: &target.W1, column: units.lowerBound)
    W1.row(weights).copy(to: &target.b1, column: units.lowerBound)
    W2.copy(to: &target.W2, row: units.lowerBound)
    bngain.copy(to: &target.bngain, column: units.lowerBound)
    bnbias.copy(to: &target.bnbias, column: units.lowerBound)
  }
}
