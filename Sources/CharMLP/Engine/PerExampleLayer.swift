// The first layer as the derivation has it: one row of the product for every window.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// hprebn = embcat @ W1 + b1, a row for each example.
final class PerExampleLayer: FirstLayer {
  let dC: PaddedMatrix  // (vocabulary, embedding)
  /// This slice's share.  (rows, block·embedding)
  var dembcat: PaddedMatrix { buffer[rows: 0..<input.rows] }

  private let buffer: PaddedMatrix  // (capacity, block·embedding)
  private let contextVectors: ContextVectors
  private let weights: FirstLayerWeights
  private let W1T: PaddedMatrix  // (units, padded inputs)
  private let input: StepInput
  private let activations: PaddedMemory

  init(
    _ weights: FirstLayerWeights, _ contextVectors: ContextVectors, _ input: StepInput,
    _ shape: ModelShape
  ) {
    self.weights = weights
    self.input = input
    self.contextVectors = contextVectors
    let (units, width) = (weights.W1.stride, contextVectors.width)
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: input.capacity + units, columns: width)
        + PaddedMemory.size(rows: shape.vocabulary, columns: shape.embedding))
    // One column more than anybody reads: what b1's row of W1 gives.
    buffer = activations.matrix(rows: input.capacity, columns: width)
      .resized(rows: input.capacity, columns: weights.inputs)
    W1T = activations.matrix(rows: units, columns: width)
    dC = activations.matrix(rows: shape.vocabulary, columns: shape.embedding)
    self.activations = activations
  }

  func copyWeights() { W1T.assign(transposing: weights.W1) }

  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?) {
    multiply(contextVectors.embcat.padded, weights.W1.padded, into: hprebn.padded)
    clock?.mark(.hprebn)
  }

  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?) {
    multiply(contextVectors.embcat.padded.T, dhprebn.padded, into: weights.dW1.padded)
    clock?.mark(.dW1)
    multiply(dhprebn.padded, W1T.padded, into: dembcat.padded)
    clock?.mark(.dembcat)
    scatter()
    clock?.mark(.embedding)
  }

  /// dC = demb.scatteringRows(Xb): a character that occurs again adds to the same row.
  private func scatter() {
    let (dembcat, dC, contexts) = (dembcat, dC, input.contexts)
    dC.fill(0)
    var window = 0
    for row in 0..<dembcat.rows {
      for position in 0..<input.blockSize {
        let id = contexts[window]
        window += 1
        let first = position * dC.columns
        for v in 0..<dC.vectors {
          dC[id, vector: v] += dembcat[row, from: first + v * vectorWidth]
        }
      }
    }
    dC.clearPadding()
  }
}
