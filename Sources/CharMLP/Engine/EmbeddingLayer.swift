// The table of embeddings, which all slices of the hidden layer read, and whose gradient they share.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The embedding and its gradient.
final class EmbeddingLayer {
  let memory: ParameterMemory
  let C: PaddedMatrix  // (vocabulary, embedding)
  let dC: PaddedMatrix  // (vocabulary, embedding)

  init(_ parameters: Parameters<Float>) {
    let shape = parameters.shape
    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: shape.vocabulary, columns: shape.embedding))
    (C, dC) = memory.matrix(rows: shape.vocabulary, columns: shape.embedding)
    C.assign(parameters.C)
  }

  func read(into parameters: inout Parameters<Float>, _ gradients: inout Gradients<Float>) {
    C.copy(to: &parameters.C)
    dC.copy(to: &gradients.C)
  }
}
