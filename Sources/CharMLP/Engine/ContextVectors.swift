// The minibatch's context vectors, gathered once for all slices: rows of C side by side.
//
// embcat has one column more than the derivation's, and it is 1 everywhere. With b1 as the last row of
// W1 the bias is part of the product, and db1 comes out of embcat.T @ dhprebn with dW1.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// embcat = C.gatheringRows(Xb), block rows side by side.
final class ContextVectors {
  /// The last column is 1.  (rows, block·embedding + 1)
  var embcat: PaddedMatrix { buffer[rows: 0..<input.rows] }

  /// The columns of embcat: block·embedding + 1.
  var width: Int { buffer.columns }

  private let buffer: PaddedMatrix  // (capacity, block·embedding + 1)
  private let C: PaddedMatrix  // (vocabulary, embedding)
  private let input: StepInput
  private let activations: PaddedMemory

  init(_ embedding: EmbeddingLayer, _ input: StepInput) {
    C = embedding.C
    self.input = input
    let width = input.blockSize * C.columns + 1
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: input.capacity, columns: width))
    buffer = activations.matrix(rows: input.capacity, columns: width)
    self.activations = activations
  }

  /// Looks up the minibatch's embeddings.
  ///
  /// Whole vectors are written from left to right: what goes beyond an embedding's end is written over
  /// by the next one, by the column of ones, or by the next row.
  func gather() {
    let (embcat, C, contexts) = (embcat, C, input.contexts)
    var window = 0
    for row in 0..<embcat.rows {
      for position in 0..<input.blockSize {
        let id = contexts[window]
        window += 1
        let first = position * C.columns
        for v in 0..<C.vectors {
          embcat[row, from: first + v * vectorWidth] = C[id, vector: v]
        }
      }
      embcat[row, embcat.columns - 1] = 1
    }
  }
}
