// A step's minibatch in the engine's memory: ids that all threads read, checked once.
//
// It knows which windows of the whole minibatch are computed in this process, and sorts them if the
// first layer needs that; no layer looks at a `Minibatch` itself.

import LinearAlgebra

/// The windows that a step learns from: ids that all threads read, checked once.
///
/// How many of a minibatch's windows are computed here may change from step to step: a rank that
/// holds a part of the text computes the windows that fall into it, possibly none. There is room
/// for as many as there can be, and `rows` says how many there are.
///
/// If the first layer needs it, rows are sorted by the number of terminators that a context begins
/// with: as many as the word before its character leaves room for.
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
  private let isSorted: Bool
  private let rowCount: IndexVector  // (1), not a variable: reading one would be checked every time
  private let rowEnds: IndexVector  // (block + 1): where the rows of each number of terminators end

  init(_ arena: Arena, _ shape: ModelShape, batchSize: Int, capacity: Int, isSorted: Bool) {
    self.batchSize = batchSize
    self.capacity = capacity
    self.isSorted = isSorted
    blockSize = shape.blockSize
    vocabulary = shape.vocabulary
    contexts = arena.numbers(capacity, shape.blockSize)
    targets = arena.numbers(capacity)
    positions = arena.numbers(capacity)
    rowCount = arena.numbers(1)
    rowEnds = arena.numbers(shape.blockSize + 1)
  }

  /// The rows whose contexts begin with exactly `count` terminators, if rows are sorted.
  @inline(always)
  func rows(leadingTerminators count: Int) -> Range<Int> {
    (count == 0 ? 0 : rowEnds[count - 1])..<rowEnds[count]
  }

  /// Copies a minibatch, or the part of it that is computed here; its ids must be of the
  /// vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.blockSize == blockSize && minibatch.count <= capacity
        && (minibatch.count == batchSize || minibatch.positions?.count == minibatch.count),
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(blockSize)
      """)
    rowCount[0] = minibatch.count
    let (ids, ys) = (minibatch.contexts.span, minibatch.targets.span)
    if isSorted { findRowEnds(ids) }
    for window in 0..<minibatch.count {
      let row = isSorted ? nextRow(leadingTerminators(ids, window)) : window
      for position in 0..<blockSize {
        let id = checked(ids[window * blockSize + position], below: vocabulary)
        contexts[row * blockSize + position] = id
      }
      targets[row] = checked(ys[window], below: vocabulary)
      positions[row] = window
    }
    guard let places = minibatch.positions else { return }
    for row in 0..<minibatch.count {
      positions[row] = checked(places[positions[row]], below: batchSize)
    }
  }

  /// Counts the windows of each number of terminators. Each end starts where its rows do, and
  /// advances with every one of them.
  private func findRowEnds(_ contexts: Span<Int32>) {
    for count in 0...blockSize { rowEnds[count] = 0 }
    for window in 0..<rows { rowEnds[leadingTerminators(contexts, window)] += 1 }
    var start = 0
    for count in 0...blockSize {
      let windows = rowEnds[count]
      rowEnds[count] = start
      start += windows
    }
  }

  private func nextRow(_ terminators: Int) -> Int {
    defer { rowEnds[terminators] += 1 }
    return rowEnds[terminators]
  }

  @inline(always)
  private func leadingTerminators(_ contexts: Span<Int32>, _ window: Int) -> Int {
    var count = 0
    while count < blockSize, contexts[window * blockSize + count] == Vocabulary.terminator {
      count += 1
    }
    return count
  }

  @inline(always)
  private func checked(_ number: Int32, below limit: Int) -> Int {
    precondition(number >= 0 && number < limit, "FusedEngine: \(number) of \(limit)")
    return Int(number)
  }
}
