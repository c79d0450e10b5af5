// The embedding in place: rows of C side by side on the way forward, added up on the way back.
//
// embcat has one column more than the derivation's, and it is 1 everywhere. With b1 as the last row of
// W1 the bias is part of the product, and db1 comes out of embcat.T @ dhprebn with dW1.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The table of embeddings and the context vectors that are looked up in it.
final class EmbeddingLayer {
  let memory: ParameterMemory
  let C: PaddedMatrix  // (vocabulary, embedding)
  let dC: PaddedMatrix  // (vocabulary, embedding)
  let embcat: PaddedMatrix  // (n, block·embedding + 1), the last column 1

  private let activations: PaddedMemory
  private let blockSize: Int

  init(_ parameters: Parameters<Float>, batchSize: Int) {
    let shape = parameters.shape
    blockSize = shape.blockSize
    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: shape.vocabulary, columns: shape.embedding))
    (C, dC) = memory.matrix(rows: shape.vocabulary, columns: shape.embedding)
    C.assign(parameters.C)

    let width = shape.contextWidth + 1
    var activations = PaddedMemory(capacity: PaddedMemory.size(rows: batchSize, columns: width))
    embcat = activations.matrix(rows: batchSize, columns: width)
    for row in 0..<batchSize { embcat[row, shape.contextWidth] = 1 }
    self.activations = activations
  }

  /// embcat = C.gatheringRows(Xb), block rows side by side.
  func gather(_ minibatch: Minibatch) {
    let contexts = minibatch.contexts.span
    for row in 0..<embcat.rows {
      for position in 0..<blockSize {
        let id = Int(contexts[row * blockSize + position])
        precondition(id >= 0 && id < C.rows, "gather: id \(id) of \(C.rows)")
        let first = position * C.columns
        for column in 0..<C.columns { embcat[row, first + column] = C[id, column] }
      }
    }
  }

  /// dC = demb.scatteringRows(Xb): a character that occurs again adds to the same row.
  func scatter(_ dembcat: PaddedMatrix, _ minibatch: Minibatch) {
    let contexts = minibatch.contexts.span
    dC.fill(0)
    for row in 0..<dembcat.rows {
      for position in 0..<blockSize {
        let id = Int(contexts[row * blockSize + position])
        let first = position * C.columns
        for column in 0..<C.columns { dC[id, column] += dembcat[row, first + column] }
      }
    }
  }

  func read(into parameters: inout Parameters<Float>, _ gradients: inout Gradients<Float>) {
    C.copy(to: &parameters.C)
    dC.copy(to: &gradients.C)
  }
}
