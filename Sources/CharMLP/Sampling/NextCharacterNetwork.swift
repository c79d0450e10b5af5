// The network as sampling needs it: the logits after many contexts, fast.
//
// Batch norm with fixed statistics is linear and so part of the first layer (see Model). At each position
// of a context there are only as many inputs as characters, so C @ W1[position] is computed once for all
// of them, and a context adds up `blockSize` rows (the idea of Engine/PerDistinctInputLayer).
//
// A product of few rows takes other paths through BLAS than one of many, with other bits, and so may its
// last rows. Here a product always has `productRows` rows, used or not, of which a batch uses those that
// take the path of the first: the logits of a context depend neither on its row nor on its neighbours.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// logits = tanh(Σ over positions of rows[position, id] + b1) @ W2 + b2.
final class NextCharacterNetwork {
  let shape: ModelShape
  let vocabulary: Vocabulary

  /// The most contexts that are evaluated at once.
  let batchRows: Int

  /// The rows of every product.
  private static let productRows = 64

  private let rows: PaddedMatrix  // (block·vocabulary, hidden), batch norm folded in
  private let b1: PaddedMatrix  // (1, hidden)
  private let W2: PaddedMatrix  // (hidden, vocabulary)
  private let b2: PaddedMatrix  // (1, vocabulary)
  private let h: PaddedMatrix  // (productRows, hidden)
  private let logits: PaddedMatrix  // (productRows, vocabulary)
  private let memory: PaddedMemory

  init(_ model: Model) {
    shape = model.shape
    vocabulary = model.vocabulary
    let (hidden, count) = (shape.hidden, shape.vocabulary)
    let tableRows = shape.blockSize * count
    var memory = PaddedMemory(
      capacity: PaddedMemory.size(rows: tableRows + 1 + Self.productRows, columns: hidden)
        + PaddedMemory.size(rows: hidden + 1 + Self.productRows, columns: count))
    rows = memory.matrix(rows: tableRows, columns: hidden)
    b1 = memory.matrix(rows: 1, columns: hidden)
    h = memory.matrix(rows: Self.productRows, columns: hidden)
    W2 = memory.matrix(rows: hidden, columns: count)
    b2 = memory.matrix(rows: 1, columns: count)
    logits = memory.matrix(rows: Self.productRows, columns: count)
    self.memory = memory
    b1.assign(model.foldedb1)
    W2.assign(model.parameters.W2)
    b2.assign(model.parameters.b2)
    batchRows = Self.rowsAlike(h, W2, into: logits)
    fillTable(model)
  }

  /// How many rows of a product have the bits of its first one if they hold the same numbers.
  ///
  /// Sums of so many products that are added in another order differ nearly always; four rows of random
  /// numbers leave no doubt.
  private static func rowsAlike(
    _ h: PaddedMatrix, _ W2: PaddedMatrix, into logits: PaddedMatrix
  ) -> Int {
    var count = productRows
    var generator = Philox(seed: 0, stream: 0)
    for _ in 0..<4 {
      for column in 0..<h.columns {
        let number = Float(generator.uniform()) - 0.5
        for row in 0..<productRows { h[row, column] = number }
      }
      multiply(h, W2.padded, into: logits.padded)
      count =
        (1..<count).first { row in
          (0..<logits.columns).contains { logits[row, $0] != logits[0, $0] }
        } ?? count
    }
    return count
  }

  private func fillTable(_ model: Model) {
    let (width, count) = (shape.embedding, shape.vocabulary)
    for position in 0..<shape.blockSize {
      let first = position * width * shape.hidden
      let weights = Matrix(
        rows: width, columns: shape.hidden,
        elements: Array(model.foldedW1.elements[first..<first + width * shape.hidden]))
      rows[rows: position * count..<(position + 1) * count]
        .assign(MatrixProduct.blas(model.parameters.C, weights))
    }
  }

  /// Computes the logits after up to `batchRows` contexts; see `logit`.
  ///
  /// - Parameters:
  ///   - contexts: Ids row by row.  (n · block)
  ///   - contextCount: How many of the rows; nil is all.
  func evaluate(_ contexts: [Int32], count contextCount: Int? = nil) {
    let (block, count) = (shape.blockSize, shape.vocabulary)
    let contextCount = contextCount ?? contexts.count / block
    precondition(
      contextCount <= batchRows && contextCount * block <= contexts.count,
      "NextCharacterNetwork: \(contexts.count) ids for \(contextCount) contexts of \(block)")
    for row in 0..<contextCount {
      for v in 0..<h.vectors {
        var sum = b1[0, vector: v]
        for position in 0..<block {
          sum += rows[position * count + Int(contexts[row * block + position]), vector: v]
        }
        h[row, vector: v] = tanh(sum)
      }
    }
    multiply(h, W2.padded, into: logits.padded)
  }

  /// The logit of a character after one of the contexts evaluated last.
  @inline(__always)
  func logit(_ row: Int, _ id: Int) -> Float { logits[row, id] + b2[0, id] }

  /// The distribution after one of the contexts evaluated last.
  func distribution(_ row: Int, _ options: ChainOptions, into probabilities: inout [Double]) {
    options.distribution(
      count: shape.vocabulary, logit: { logit(row, $0) }, into: &probabilities)
  }
}
