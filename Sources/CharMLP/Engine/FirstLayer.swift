// The first layer of a slice: from the contexts to hprebn, and from dhprebn to dW1, db1 and dC.
//
// It has two forms, which compute the same: a product with a row for each example, as in the
// derivation, and a product with a row for each distinct input, for large minibatches. From batch
// norm on, the two are interchangeable.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// hprebn = embcat @ W1 + b1 for the units of a slice, and its backward pass.
protocol FirstLayer: AnyObject {
  /// The slice's share of dC; slices add up.  (vocabulary, embedding)
  var dC: PaddedMatrix { get }

  /// The slice's share of dembcat, for a test to read; nil if the layer never has it.
  /// (rows, block·embedding)
  var shareOfdembcat: PaddedMatrix? { get }

  /// Brings the layer's copies of the weights up to date.
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

  /// The faster of the two: a large minibatch repeats the vocabulary's characters. The threshold
  /// was measured; docs/performance.md has the figures.
  static func fastest(_ shape: ModelShape, batchSize: Int) -> Self {
    batchSize / 2 >= shape.vocabulary ? .perDistinctInput : .perExample
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

// MARK: The embedding

/// The table of embeddings, which all slices of the hidden layer read, and its gradient.
final class EmbeddingLayer: ParameterLayer {
  let memory: ParameterMemory<EmbeddingTensors>
  var C: PaddedMatrix { memory.parameters.C }  // (vocabulary, embedding)
  var dC: PaddedMatrix { memory.gradients.C }  // (vocabulary, embedding)

  init(_ arena: Arena, _ shape: ModelShape, _ averages: RunningAverages) {
    memory = ParameterMemory(arena, averages) {
      EmbeddingTensors(C: $0.matrix(shape.vocabulary, shape.embedding))
    }
  }
}

/// The views of a block of the embedding's memory.
struct EmbeddingTensors: LayerTensors {
  let C: PaddedMatrix  // (vocabulary, embedding)

  func assign(_ parameters: Parameters<Float>) { C.assign(parameters.C) }
  func copy(to parameters: inout Parameters<Float>) { C.copy(to: &parameters.C) }
}

// MARK: A row for each example

/// embcat = C.gatheringRows(Xb), block rows side by side, gathered once for all slices of a thread.
///
/// embcat has one column more than the derivation's, and it is 1 everywhere. With b1 as the last
/// row of W1 the bias is part of the product, and db1 comes out of embcat.T @ dhprebn with dW1.
final class ContextVectors {
  /// The last column is 1.  (rows, block·embedding + 1)
  var embcat: PaddedMatrix { buffer[rows: 0..<input.rows] }

  /// The columns of embcat: block·embedding + 1.
  var width: Int { buffer.columns }

  private let buffer: PaddedMatrix  // (capacity, block·embedding + 1)
  private let C: PaddedMatrix  // (vocabulary, embedding)
  private let input: StepInput

  init(_ arena: Arena, _ embedding: EmbeddingLayer, _ input: StepInput) {
    C = embedding.C
    self.input = input
    let width = input.blockSize * C.columns + 1
    buffer = arena.block { $0.matrix(input.capacity, width) }
  }

  /// Looks up the minibatch's embeddings.
  ///
  /// Whole vectors are written from left to right: what goes beyond an embedding's end is
  /// overwritten by the next one, by the column of ones, or by the next row.
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

/// hprebn = embcat @ W1 + b1, a row for each example.
final class PerExampleLayer: FirstLayer {
  let dC: PaddedMatrix  // (vocabulary, embedding)
  /// This slice's share.  (rows, block·embedding)
  var dembcat: PaddedMatrix { buffer[rows: 0..<input.rows] }
  var shareOfdembcat: PaddedMatrix? { dembcat }

  private let buffer: PaddedMatrix  // (capacity, block·embedding)
  private let contextVectors: ContextVectors
  private let weights: FirstLayerWeights
  private let W1T: PaddedMatrix  // (units, padded inputs)
  private let input: StepInput

  init(
    _ arena: Arena, _ weights: FirstLayerWeights, _ contextVectors: ContextVectors,
    _ input: StepInput, _ shape: ModelShape
  ) {
    self.weights = weights
    self.input = input
    self.contextVectors = contextVectors
    let (units, width) = (weights.W1.stride, contextVectors.width)
    (buffer, W1T, dC) = arena.block {
      // One column more than is ever read: what b1's row of W1 gives.
      let dembcat = $0.matrix(input.capacity, width)
      return (
        dembcat.resized(rows: input.capacity, columns: weights.inputs), $0.matrix(units, width),
        $0.matrix(shape.vocabulary, shape.embedding)
      )
    }
  }

  func copyWeights() { W1T.assign(transposing: weights.W1) }

  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?) {
    let embcat = contextVectors.embcat
    multiply(embcat.padded, weights.W1.padded, depth: embcat.columns, into: hprebn.padded)
    clock?.mark(.hprebn)
  }

  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?) {
    multiply(contextVectors.embcat.padded.T, dhprebn.padded, into: weights.dW1.padded)
    clock?.mark(.dW1)
    multiply(dhprebn.padded, W1T.padded, depth: dhprebn.columns, into: dembcat.padded)
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

// MARK: A row for each distinct input

/// hprebn = Σ over positions of (C @ W1[position])[id] + b1.
///
/// At each position of the context there are only as many inputs as there are characters. So C @
/// W1[position] is computed once per character and position, and a window adds up the rows that its
/// ids name. Backward, the rows of dhprebn are added to those of their ids first, and dW1 and dC
/// are products of these sums: the same mathematics in another order, at a cost that, apart from
/// the adding, no longer grows with the minibatch.
///
/// Most of the adding would be for the terminators that contexts begin with. So the sum over the
/// first k positions, if all hold a terminator, is computed once for each k, and a window starts
/// from the one that fits. The input sorts its rows by k, so each row's start is known and the
/// loops have no unpredictable branches.
final class PerDistinctInputLayer: FirstLayer {
  let dC: PaddedMatrix  // (vocabulary, embedding)
  var shareOfdembcat: PaddedMatrix? { nil }

  private let C: PaddedMatrix  // (vocabulary, embedding)
  private let rows: PaddedMatrix  // (block·vocabulary, units): C @ W1[position], below each other
  private let drows: PaddedMatrix  // (block·vocabulary, units)
  private let starts: PaddedMatrix  // (block + 1, units): b1 and the rows of k leading terminators
  private let dstarts: PaddedMatrix  // (block + 1, units)
  private let weights: FirstLayerWeights
  private let input: StepInput

  init(
    _ arena: Arena, _ weights: FirstLayerWeights, _ embedding: EmbeddingLayer, _ input: StepInput
  ) {
    self.weights = weights
    self.input = input
    let C = embedding.C
    let (count, units) = (input.blockSize * C.rows, weights.W1.columns)
    (rows, drows, starts, dstarts, dC) = arena.block {
      (
        $0.matrix(count, units), $0.matrix(count, units), $0.matrix(input.blockSize + 1, units),
        $0.matrix(input.blockSize + 1, units), $0.matrix(C.rows, C.columns)
      )
    }
    self.C = C
  }

  /// The rows of a table of distinct inputs that belong to a position.  (vocabulary, units)
  private func inputs(_ table: PaddedMatrix, at position: Int) -> PaddedMatrix {
    table[rows: position * C.rows..<(position + 1) * C.rows]
  }

  /// The rows of W1, or of its gradient, that belong to a position.  (embedding, units)
  private func weights(_ W1: PaddedMatrix, at position: Int) -> PaddedMatrix {
    W1[rows: position * C.columns..<(position + 1) * C.columns]
  }

  func copyWeights() {}

  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?) {
    for position in 0..<input.blockSize {
      multiply(C, weights(weights.W1, at: position).padded, into: inputs(rows, at: position).padded)
    }
    clock?.mark(.hprebn)
    prepareStarts()
    forEachGroup(of: hprebn.vectors) { v, width in gather(into: hprebn, v, width) }
    clock?.mark(.embedding)
  }

  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?) {
    drows.fill(0)
    forEachGroup(of: dhprebn.vectors) { v, width in scatter(dhprebn, v, width) }
    distributeStartGradients()
    clock?.mark(.embedding)
    for position in 0..<input.blockSize {
      multiply(
        C.T, inputs(drows, at: position).padded, into: weights(weights.dW1, at: position).padded)
    }
    clock?.mark(.dW1)
    for position in 0..<input.blockSize {
      multiply(
        inputs(drows, at: position).padded, weights(weights.W1, at: position).padded.T, into: dC,
        isAdding: position > 0)
    }
    clock?.mark(.dembcat)
  }

  /// starts[0] = b1, starts[k + 1] = starts[k] + the row of a terminator at position k.
  private func prepareStarts() {
    let (rows, starts, b1, vocabulary) = (rows, starts, weights.b1, C.rows)
    for v in 0..<starts.vectors {
      var sum = b1[0, vector: v]
      starts[0, vector: v] = sum
      for position in 0..<input.blockSize {
        sum += rows[position * vocabulary + Int(Vocabulary.terminator), vector: v]
        starts[position + 1, vector: v] = sum
      }
    }
  }

  /// The gradient of the start with k terminators belongs to the terminators' rows at the first k
  /// positions. Every window begins with one start, so all of them together are the gradient of b1.
  private func distributeStartGradients() {
    let (drows, dstarts, db1, vocabulary) = (drows, dstarts, weights.db1, C.rows)
    for v in 0..<dstarts.vectors {
      var sum = FloatVector.zero
      for position in (0..<input.blockSize).reversed() {
        sum += dstarts[position + 1, vector: v]
        drows[position * vocabulary + Int(Vocabulary.terminator), vector: v] += sum
      }
      db1[0, vector: v] = sum + dstarts[0, vector: v]
    }
  }
}

// MARK: Gathering and scattering
//
// A few vectors of units at a time, so that sums stay in registers.

extension PerDistinctInputLayer {
  /// Calls a function for groups of four vectors, and for a smaller last one; `width` is a constant
  /// in each call.
  @inline(always)
  private func forEachGroup(of vectors: Int, _ body: (_ v: Int, _ width: Int) -> Void) {
    var v = 0
    while v + 4 <= vectors {
      body(v, 4)
      v += 4
    }
    switch vectors - v {
    case 3: body(v, 3)
    case 2: body(v, 2)
    case 1: body(v, 1)
    default: break
    }
  }

  /// hprebn = starts[k] + Σ over the other positions of rows[id].
  @inline(always)
  private func gather(into hprebn: PaddedMatrix, _ v: Int, _ width: Int) {
    let (rows, starts, contexts) = (rows, starts, input.contexts)
    let (block, vocabulary) = (input.blockSize, C.rows)
    for count in 0...block {
      for row in input.rows(leadingTerminators: count) {
        var sums = [4 of FloatVector](repeating: .zero)
        for lane in 0..<width { sums[lane] = starts[count, vector: v &+ lane] }
        for position in count..<block {
          let source = position &* vocabulary &+ contexts[row &* block &+ position]
          for lane in 0..<width { sums[lane] += rows[source, vector: v &+ lane] }
        }
        for lane in 0..<width { hprebn[row, vector: v &+ lane] = sums[lane] }
      }
    }
  }

  /// Adds each row of dhprebn to the gradients of what it was gathered from.
  @inline(always)
  private func scatter(_ dhprebn: PaddedMatrix, _ v: Int, _ width: Int) {
    let (drows, dstarts, contexts) = (drows, dstarts, input.contexts)
    let (block, vocabulary) = (input.blockSize, C.rows)
    for count in 0...block {
      var sums = [4 of FloatVector](repeating: .zero)
      for row in input.rows(leadingTerminators: count) {
        var gradients = [4 of FloatVector](repeating: .zero)
        for lane in 0..<width {
          gradients[lane] = dhprebn[row, vector: v &+ lane]
          sums[lane] += gradients[lane]
        }
        for position in count..<block {
          let target = position &* vocabulary &+ contexts[row &* block &+ position]
          for lane in 0..<width { drows[target, vector: v &+ lane] += gradients[lane] }
        }
      }
      for lane in 0..<width { dstarts[count, vector: v &+ lane] = sums[lane] }
    }
  }
}
