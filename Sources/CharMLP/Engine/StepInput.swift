// A minibatch in memory that all threads of an engine read: ids, checked once.
//
// How many of a minibatch's windows are computed here may change from step to step: a rank that holds a
// part of the text computes the windows that fall into it, possibly none. There is room for all that may
// come, and `rows` says how many there are.

import LinearAlgebra

/// The windows that a step learns from.
final class StepInput {
  /// The windows of a minibatch, on all ranks: n of the derivation.
  let batchSize: Int
  /// The most windows of a minibatch that are computed here.
  let capacity: Int
  /// The number of windows that are computed here in this step.
  var rows: Int { rowCount[0] }
  let blockSize: Int

  /// Xb, row by row.  (capacity · block)
  let contexts: IndexVector
  /// Yb.  (capacity)
  let targets: IndexVector
  /// The place of each row in the minibatch.  (capacity)
  let positions: IndexVector

  private let vocabulary: Int
  private let contextMemory: IndexMemory
  private let targetMemory: IndexMemory
  private let positionMemory: IndexMemory
  private let rowCount: IndexVector  // (1), not a variable: reading one would be checked every time
  private let rowCountMemory: IndexMemory

  init(_ shape: ModelShape, batchSize: Int, capacity: Int) {
    self.batchSize = batchSize
    self.capacity = capacity
    blockSize = shape.blockSize
    vocabulary = shape.vocabulary
    contextMemory = IndexMemory(count: capacity * shape.blockSize)
    targetMemory = IndexMemory(count: capacity)
    positionMemory = IndexMemory(count: capacity)
    contexts = contextMemory.vector
    targets = targetMemory.vector
    positions = positionMemory.vector
    rowCountMemory = IndexMemory(count: 1)
    rowCount = rowCountMemory.vector
    rowCount[0] = capacity
    for row in 0..<capacity { positions[row] = row }
  }

  /// Copies a minibatch, or the part of it that is computed here; its ids must be of the vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.blockSize == blockSize && minibatch.count <= capacity
        && (minibatch.count == batchSize || minibatch.positions?.count == minibatch.count),
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(blockSize)
      """)
    rowCount[0] = minibatch.count
    copy(minibatch.contexts.span, below: vocabulary, to: contexts)
    copy(minibatch.targets.span, below: vocabulary, to: targets)
    if let places = minibatch.positions { copy(places.span, below: batchSize, to: positions) }
  }

  private func copy(_ source: Span<Int32>, below limit: Int, to vector: IndexVector) {
    for index in 0..<source.count {
      let number = Int(source[index])
      precondition(number >= 0 && number < limit, "FusedEngine: \(number) of \(limit)")
      vector[index] = number
    }
  }
}
