// The first linear layer of a slice: from the contexts to hprebn, and from dhprebn to dW1, db1, dC.
//
// It has two forms, which compute the same: per example, and per distinct input. Where batch norm and
// everything after it are concerned, they are interchangeable.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// hprebn = embcat @ W1 + b1 for the units of a slice, and the way back.
protocol FirstLayer: AnyObject {
  /// The slice's share of dC; slices add up.  (vocabulary, embedding)
  var dC: PaddedMatrix { get }

  /// Takes note that the weights have changed.
  func copyWeights()

  /// Computes hprebn of the minibatch.  (n, units)
  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?)

  /// Computes dW1, db1 and the share of dC from the gradient of hprebn.  (n, units)
  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?)
}

/// The two forms of the first layer.
package enum FirstLayerForm: Equatable, Sendable, CaseIterable {
  /// A product over the minibatch's context vectors.
  case perExample
  /// A product over the rows of C at each position, gathered by the minibatch's ids.
  case perDistinctInput

  /// The faster of the two: a large minibatch repeats the vocabulary's characters. Where they meet was
  /// measured; docs/performance.md has the figures.
  static func fastest(_ shape: ModelShape, batchSize: Int) -> Self {
    batchSize >= 2 * shape.vocabulary ? .perDistinctInput : .perExample
  }
}

/// W1 and b1 of a slice with their gradients, in the layout that both forms of the layer use.
struct FirstLayerWeights {
  let W1: PaddedMatrix  // (padded inputs, units): W1, b1, zeros
  let dW1: PaddedMatrix  // (padded inputs, units): dW1, db1, zeros
  /// The number of rows that are W1's; b1 is the next.
  let inputs: Int

  var b1: PaddedMatrix { W1.row(inputs) }  // (1, units)
  var db1: PaddedMatrix { dW1.row(inputs) }  // (1, units)
}

// MARK: - The table of embeddings, which all slices of the hidden layer read, and whose gradient they share

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

// MARK: - The minibatch's context vectors, gathered once for all slices: rows of C side by side

// embcat has one column more than the derivation's, and it is 1 everywhere. With b1 as the last row of
// W1 the bias is part of the product, and db1 comes out of embcat.T @ dhprebn with dW1.

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

// MARK: - The first layer as the derivation has it: one row of the product for every window

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

// MARK: - The first layer for large minibatches: one row of the product for every distinct input

// At each position of the context there are only as many inputs as there are characters. So
// C @ W1[position] is computed once per character and position, and a window adds up the rows that its
// ids name. Backward, the rows of dhprebn are added to those of their ids first, and dW1 and dC are
// products of these sums: the same mathematics in another order, at a cost that, but for the adding,
// no longer grows with the minibatch.

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
