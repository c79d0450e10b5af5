// A slice of the hidden layer: the hidden units from a first to a last, with all that is theirs.
//
// Batch norm's statistics belong to a unit. So from embcat @ W1 to tanh, and back to dW1, a slice
// needs nothing of another; only its share of the logits and of dC is added to the others'. Both
// weights lie with the units along their rows: W1 as it is, W2 transposed; where a product needs one of
// them the other way round, it reads a transposed copy. W1 has b1 as one more row, and both have rows of zeros up to a
// whole vector: products of whole vectors are faster than exact ones, and padding adds only zeros.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Some of the hidden units: their parameters, their gradients, their activations.
final class HiddenSlice {
  let units: Range<Int>
  let memory: ParameterMemory
  let firstLayer: any FirstLayer
  let firstWeights: FirstLayerWeights

  let W2T: PaddedMatrix  // (padded vocabulary, units)
  let W2: PaddedMatrix  // (units, vocabulary), a copy of W2T
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  let dW2T: PaddedMatrix  // (padded vocabulary, units)
  let dbngain: PaddedMatrix  // (1, units)
  let dbnbias: PaddedMatrix  // (1, units)

  let hprebn: PaddedMatrix  // (n, units)
  let bnmeani: PaddedMatrix  // (1, units)
  let bnvar_inv: PaddedMatrix  // (1, units)
  let h: PaddedMatrix  // (n, units)
  let logits: PaddedMatrix  // (n, vocabulary), this slice's share
  let dh: PaddedMatrix  // (n, units)
  let dhpreact: PaddedMatrix  // (n, units)
  let dhprebn: PaddedMatrix  // (n, units)

  private let vocabulary: Int
  private let activations: PaddedMemory

  init(
    _ parameters: Parameters<Float>, units: Range<Int>, batchSize: Int, keepsIntermediates: Bool,
    firstLayer: (FirstLayerWeights) -> any FirstLayer
  ) {
    let shape = parameters.shape
    let width = units.count
    let inputs = PaddedMemory.stride(shape.contextWidth + 1)
    let outputs = PaddedMemory.stride(shape.vocabulary)
    self.units = units
    vocabulary = shape.vocabulary

    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: inputs + outputs + 2, columns: width))
    let (W1, dW1) = memory.matrix(rows: inputs, columns: width)
    (W2T, dW2T) = memory.matrix(rows: outputs, columns: width)
    (bngain, dbngain) = memory.matrix(rows: 1, columns: width)
    (bnbias, dbnbias) = memory.matrix(rows: 1, columns: width)
    firstWeights = FirstLayerWeights(W1: W1, dW1: dW1, inputs: shape.contextWidth)
    self.firstLayer = firstLayer(firstWeights)

    let gradientBuffers = keepsIntermediates ? 3 : 1
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: (2 + gradientBuffers) * batchSize + 2, columns: width)
        + PaddedMemory.size(rows: PaddedMemory.stride(width) + batchSize, columns: vocabulary))
    W2 = activations.matrix(rows: PaddedMemory.stride(width), columns: vocabulary)
    hprebn = activations.matrix(rows: batchSize, columns: width)
    bnmeani = activations.matrix(rows: 1, columns: width)
    bnvar_inv = activations.matrix(rows: 1, columns: width)
    h = activations.matrix(rows: batchSize, columns: width)
    logits = activations.matrix(rows: batchSize, columns: vocabulary)
    dh = activations.matrix(rows: batchSize, columns: width)
    dhpreact = keepsIntermediates ? activations.matrix(rows: batchSize, columns: width) : dh
    dhprebn = keepsIntermediates ? activations.matrix(rows: batchSize, columns: width) : dh
    self.activations = activations
    assign(parameters)
  }

  private func assign(_ parameters: Parameters<Float>) {
    let first = units.lowerBound
    firstWeights.W1[rows: 0..<parameters.W1.rows].assign(parameters.W1, column: first)
    firstWeights.b1.assign(parameters.b1, column: first)
    W2T[rows: 0..<vocabulary].assign(transposed: parameters.W2, row: first)
    bngain.assign(parameters.bngain, column: first)
    bnbias.assign(parameters.bnbias, column: first)
    copyWeights()
  }

  /// Moves every parameter against its gradient.
  func descend(learningRate: Float) {
    memory.descend(learningRate: learningRate)
    copyWeights()
  }

  /// Brings the transposed copies up to date.
  private func copyWeights() {
    W2.assign(transposing: W2T)
    firstLayer.copyWeights()
  }

  func read(into parameters: inout Parameters<Float>, _ gradients: inout Gradients<Float>) {
    read((firstWeights.W1, firstWeights.b1, W2T, bngain, bnbias), into: &parameters)
    read((firstWeights.dW1, firstWeights.db1, dW2T, dbngain, dbnbias), into: &gradients)
  }

  private typealias Tensors = (
    W1: PaddedMatrix, b1: PaddedMatrix, W2T: PaddedMatrix, bngain: PaddedMatrix,
    bnbias: PaddedMatrix
  )

  private func read(_ tensors: Tensors, into target: inout Parameters<Float>) {
    let first = units.lowerBound
    tensors.W1[rows: 0..<target.W1.rows].copy(to: &target.W1, column: first)
    tensors.b1.copy(to: &target.b1, column: first)
    tensors.W2T[rows: 0..<vocabulary].copy(transposedTo: &target.W2, row: first)
    tensors.bngain.copy(to: &target.bngain, column: first)
    tensors.bnbias.copy(to: &target.bnbias, column: first)
  }
}
