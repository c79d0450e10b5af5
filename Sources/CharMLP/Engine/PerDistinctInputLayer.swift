// The first layer for large minibatches: one row of the product for every distinct input.
//
// At each position of the context there are only as many inputs as there are characters. So
// C @ W1[position] is computed once per character and position, and a window adds up the rows that its
// ids name. Backward, the rows of dhprebn are added to those of their ids first, and dW1 and dC are
// products of these sums: the same mathematics in another order, at a cost that, but for the adding,
// no longer grows with the minibatch.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// hprebn = Σ over positions of (C @ W1[position])[id] + b1.
final class PerDistinctInputLayer: FirstLayer {
  let dC: PaddedMatrix  // (vocabulary, embedding)

  private let C: PaddedMatrix  // (vocabulary, embedding)
  private let rows: PaddedMatrix  // (block·vocabulary, units): C @ W1[position], below each other
  private let drows: PaddedMatrix  // (block·vocabulary, units)
  private let weights: FirstLayerWeights
  private let input: StepInput
  private let activations: PaddedMemory

  init(_ weights: FirstLayerWeights, _ embedding: EmbeddingLayer, _ input: StepInput) {
    self.weights = weights
    self.input = input
    C = embedding.C
    let (count, units) = (input.blockSize * C.rows, weights.W1.columns)
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: 2 * count, columns: units)
        + PaddedMemory.size(rows: C.rows, columns: C.columns))
    rows = activations.matrix(rows: count, columns: units)
    drows = activations.matrix(rows: count, columns: units)
    dC = activations.matrix(rows: C.rows, columns: C.columns)
    self.activations = activations
  }

  /// The rows of a table of distinct inputs that belong to a position.  (vocabulary, units)
  private func at(_ position: Int, _ table: PaddedMatrix) -> PaddedMatrix {
    table[rows: position * C.rows..<(position + 1) * C.rows]
  }

  /// The rows of W1, or of its gradient, that belong to a position.  (embedding, units)
  private func weights(at position: Int, _ W1: PaddedMatrix) -> PaddedMatrix {
    W1[rows: position * C.columns..<(position + 1) * C.columns]
  }

  func copyWeights() {}

  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?) {
    for position in 0..<input.blockSize {
      multiply(C, weights(at: position, weights.W1).padded, into: at(position, rows).padded)
    }
    clock?.mark(.hprebn)
    gather(into: hprebn)
    clock?.mark(.embedding)
  }

  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?) {
    scatter(dhprebn)
    clock?.mark(.embedding)
    for position in 0..<input.blockSize {
      multiply(C.T, at(position, drows).padded, into: weights(at: position, weights.dW1).padded)
    }
    clock?.mark(.dW1)
    for position in 0..<input.blockSize {
      multiply(
        at(position, drows).padded, weights(at: position, weights.W1).padded.T, into: dC,
        isAdding: position > 0)
    }
    clock?.mark(.dembcat)
  }

  private func gather(into hprebn: PaddedMatrix) {
    let (rows, contexts, block, vocabulary) = (rows, input.contexts, input.blockSize, C.rows)
    let b1 = weights.b1
    for row in 0..<hprebn.rows {
      for v in 0..<hprebn.vectors {
        var sum = b1[0, vector: v]
        for position in 0..<block {
          sum += rows[position * vocabulary + contexts[row * block + position], vector: v]
        }
        hprebn[row, vector: v] = sum
      }
    }
  }

  private func scatter(_ dhprebn: PaddedMatrix) {
    let (drows, contexts, block, vocabulary) = (drows, input.contexts, input.blockSize, C.rows)
    drows.fill(0)
    for row in 0..<dhprebn.rows {
      for position in 0..<block {
        let target = position * vocabulary + contexts[row * block + position]
        for v in 0..<dhprebn.vectors {
          drows[target, vector: v] += dhprebn[row, vector: v]
        }
      }
    }
    sumRows(at(0, drows), into: weights.db1)
  }

  /// db1 = dhprebn.sum(.rows): every window adds to one row of each position.
  private func sumRows(_ rows: PaddedMatrix, into db1: PaddedMatrix) {
    db1.fill(0)
    for row in 0..<rows.rows {
      for v in 0..<rows.vectors { db1[0, vector: v] += rows[row, vector: v] }
    }
  }
}
