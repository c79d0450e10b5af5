// A minibatch in memory that all threads of an engine read: ids, checked once.

import LinearAlgebra

/// The windows that a step learns from.
final class StepInput {
  let batchSize: Int
  let blockSize: Int
  /// Xb, row by row.  (n · block)
  let contexts: IndexVector
  /// Yb.  (n)
  let targets: IndexVector

  private let vocabulary: Int
  private let contextMemory: IndexMemory
  private let targetMemory: IndexMemory

  init(_ shape: ModelShape, batchSize: Int) {
    self.batchSize = batchSize
    blockSize = shape.blockSize
    vocabulary = shape.vocabulary
    contextMemory = IndexMemory(count: batchSize * shape.blockSize)
    targetMemory = IndexMemory(count: batchSize)
    contexts = contextMemory.vector
    targets = targetMemory.vector
  }

  /// Copies a minibatch, whose ids must be of the vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.count == batchSize && minibatch.blockSize == blockSize,
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(blockSize)
      """)
    copy(minibatch.contexts.span, to: contexts)
    copy(minibatch.targets.span, to: targets)
  }

  private func copy(_ ids: Span<Int32>, to vector: IndexVector) {
    for index in 0..<vector.count {
      let id = Int(ids[index])
      precondition(id >= 0 && id < vocabulary, "FusedEngine: id \(id) of \(vocabulary)")
      vector[index] = id
    }
  }
}
