// A minibatch in memory that all threads of an engine read: ids, checked once.

import LinearAlgebra

/// The windows that a step learns from.
final class StepInput {
  /// The windows of a minibatch, on all ranks: n of the derivation.
  let batchSize: Int
  /// The positions in a minibatch of the windows that are computed here: all, but for ranks.
  let share: Range<Int>
  let blockSize: Int

  /// The number of windows that are computed here.
  var rows: Int { share.count }

  /// Xb, row by row.  (rows · block)
  let contexts: IndexVector
  /// Yb.  (rows)
  let targets: IndexVector

  private let vocabulary: Int
  private let contextMemory: IndexMemory
  private let targetMemory: IndexMemory

  init(_ shape: ModelShape, batchSize: Int, share: Range<Int>) {
    self.batchSize = batchSize
    self.share = share
    blockSize = shape.blockSize
    vocabulary = shape.vocabulary
    contextMemory = IndexMemory(count: share.count * shape.blockSize)
    targetMemory = IndexMemory(count: share.count)
    contexts = contextMemory.vector
    targets = targetMemory.vector
  }

  /// Copies a minibatch, whose ids must be of the vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.count == rows && minibatch.blockSize == blockSize,
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(rows) windows of \(blockSize)
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
