// The table of embeddings, which all slices of the hidden layer read, and whose gradient they share.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The embedding and its gradient.
final class EmbeddingLayer {
  let memory: ParameterMemory<EmbeddingTensors>
  var C: PaddedMatrix { memory.parameters.C }  // (vocabulary, embedding)
  var dC: PaddedMatrix { memory.gradients.C }  // (vocabulary, embedding)

  init(_ start: EngineStart) {
    let shape = start.parameters.shape
    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: shape.vocabulary, columns: shape.embedding),
      hasMoments: start.moments != nil,
      cut: { EmbeddingTensors(C: $0.matrix(rows: shape.vocabulary, columns: shape.embedding)) })
    memory.assign(start)
  }
}

/// The windows on a block of the embedding's memory.
struct EmbeddingTensors: LayerTensors {
  let C: PaddedMatrix  // (vocabulary, embedding)

  func assign(_ parameters: Parameters<Float>) { C.assign(parameters.C) }
  func copy(to parameters: inout Parameters<Float>) { C.copy(to: &parameters.C) }
}
