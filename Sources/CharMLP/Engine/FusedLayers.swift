// What one thread of an engine owns: its slices, and a replica of what all slices read.
//
// Every thread keeps the embedding for itself. All of them add up the same shares of dC and make the same
// update, so the replicas stay equal to the last bit, and nobody waits for one thread to do it for all.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The layers that one thread works on.
final class FusedLayers {
  let embedding: EmbeddingLayer
  let contextVectors: ContextVectors?
  let slices: [HiddenSlice]

  init(
    _ start: EngineStart, units: [Range<Int>], _ input: StepInput,
    firstLayer form: FirstLayerForm, keepsIntermediates: Bool
  ) {
    let embedding = EmbeddingLayer(start)
    let contextVectors = form == .perExample ? ContextVectors(embedding, input) : nil
    slices = units.map { units in
      HiddenSlice(
        start, units: units, input, keepsIntermediates: keepsIntermediates
      ) { weights in
        if let contextVectors {
          PerExampleLayer(weights, contextVectors, input, start.parameters.shape)
        } else {
          PerDistinctInputLayer(weights, embedding, input)
        }
      }
    }
    (self.embedding, self.contextVectors) = (embedding, contextVectors)
  }
}
