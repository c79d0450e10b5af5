// A slice of the hidden layer: the hidden units from a first to a last, with all that is theirs.
//
// Batch norm's statistics belong to a unit. So from embcat @ W1 to tanh, and back to dW1, a slice
// needs nothing of another; only its share of the logits and of dC is added to the others'. How its
// parameters lie in memory is the business of HiddenTensors; where a product needs weights the other way
// round, it reads a transposed copy.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Some of the hidden units: their parameters, their gradients, their activations.
final class HiddenSlice {
  let units: Range<Int>
  /// The windows of a minibatch, on all ranks.
  let n: Float
  let memory: ParameterMemory<HiddenTensors>
  let firstLayer: any FirstLayer
  let firstWeights: FirstLayerWeights

  let W2T: PaddedMatrix  // (padded vocabulary, units)
  let W2: PaddedMatrix  // (units, vocabulary), a copy of W2T
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  let dW2T: PaddedMatrix  // (padded vocabulary, units)
  let dbngain: PaddedMatrix  // (1, units)
  let dbnbias: PaddedMatrix  // (1, units)

  let bnmeani: PaddedMatrix  // (1, units)
  let bnvar_inv: PaddedMatrix  // (1, units)

  let input: StepInput
  let activations: HiddenActivations
  private let scratch: PaddedMemory

  init(
    _ start: EngineStart, units: Range<Int>, _ input: StepInput, keepsIntermediates: Bool,
    firstLayer: (FirstLayerWeights) -> any FirstLayer
  ) {
    let shape = start.parameters.shape
    let (width, vocabulary) = (units.count, shape.vocabulary)
    self.units = units
    (n, self.input) = (Float(input.batchSize), input)

    memory = ParameterMemory(
      capacity: HiddenTensors.size(shape, units: units), hasMoments: start.moments != nil,
      cut: { HiddenTensors(cutFrom: &$0, shape, units: units) }, decaying: \.weights)
    let (parameters, gradients) = (memory.parameters, memory.gradients)
    (W2T, dW2T) = (parameters.W2T, gradients.W2T)
    (bngain, dbngain) = (parameters.bngain, gradients.bngain)
    (bnbias, dbnbias) = (parameters.bnbias, gradients.bnbias)
    firstWeights = FirstLayerWeights(
      W1: parameters.W1, dW1: gradients.W1, inputs: shape.contextWidth)
    self.firstLayer = firstLayer(firstWeights)

    var scratch = PaddedMemory(
      capacity: PaddedMemory.size(rows: PaddedMemory.stride(width), columns: vocabulary)
        + PaddedMemory.size(rows: 2, columns: width))
    W2 = scratch.matrix(rows: PaddedMemory.stride(width), columns: vocabulary)
    bnmeani = scratch.matrix(rows: 1, columns: width)
    bnvar_inv = scratch.matrix(rows: 1, columns: width)
    self.scratch = scratch
    activations = HiddenActivations(
      input, units: width, vocabulary: vocabulary, keepsIntermediates: keepsIntermediates)
    memory.assign(start)
    copyWeights()
  }

  /// Moves every parameter by an optimizer's rule.
  func apply(_ update: ParameterUpdate) {
    memory.apply(update)
    copyWeights()
  }

  /// Brings the transposed copies up to date.
  private func copyWeights() {
    W2.assign(transposing: W2T)
    firstLayer.copyWeights()
  }
}
