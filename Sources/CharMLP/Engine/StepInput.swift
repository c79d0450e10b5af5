// The minibatch in the engine's memory: ids that all threads read.
//
// There is room for two: while threads learn from one, the calling thread prepares the next.

import LinearAlgebra

/// The windows that a step learns from: ids that all threads read, checked once.
///
/// How many of a minibatch's windows are computed here may change from step to step: a rank that
/// holds a part of the text computes the windows that fall into it, possibly none. There is room
/// for as many as there can be, and `rowCount` says how many there are.
///
/// If the first layer needs it, rows are sorted by the number of terminators that their contexts
/// begin with: the nearer a character is to the beginning of its word, the more.
struct MinibatchMemory {
  /// The windows of a minibatch, on all ranks: n of the derivation.
  let batchSize: Int
  /// The most windows of a minibatch that are computed here.
  let capacity: Int
  let blockSize: Int
  let contexts: IndexVector  // (capacity · block)
  let targets: IndexVector  // (capacity)
  let positions: IndexVector  // (capacity)
  let rowCount: IndexVector  // (1)
  let rowEnds: IndexVector  // (block + 1): where the rows of each number of terminators end

  private let vocabulary: Int
  private let isSorted: Bool

  init(_ arena: Arena, _ shape: ModelShape, batchSize: Int, capacity: Int, isSorted: Bool) {
    (self.batchSize, self.capacity, self.isSorted) = (batchSize, capacity, isSorted)
    (blockSize, vocabulary) = (shape.blockSize, shape.vocabulary)
    contexts = arena.numbers(capacity, shape.blockSize)
    targets = arena.numbers(capacity)
    positions = arena.numbers(capacity)
    rowCount = arena.numbers(1)
    rowEnds = arena.numbers(shape.blockSize + 1)
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
    for window in 0..<rowCount[0] { rowEnds[leadingTerminators(contexts, window)] += 1 }
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

/// What a thread reads of the minibatch that it learns from: one of two.
final class StepInput {
  private let minibatches: (MinibatchMemory, MinibatchMemory)
  private let index: IndexVector  // (1); a variable's exclusivity would be checked at each read
  private var current: MinibatchMemory { index[0] == 0 ? minibatches.0 : minibatches.1 }

  init(_ arena: Arena, _ minibatches: (MinibatchMemory, MinibatchMemory)) {
    self.minibatches = minibatches
    index = arena.numbers(1)
  }

  /// Turns to one of the two.
  func select(_ index: Int) { self.index[0] = index }

  var batchSize: Int { minibatches.0.batchSize }
  var capacity: Int { minibatches.0.capacity }
  var blockSize: Int { minibatches.0.blockSize }
  /// The number of windows that are computed here in this step.
  var rows: Int { current.rowCount[0] }
  /// Xb, row by row.  (rows · block)
  var contexts: IndexVector { current.contexts }
  /// Yb.  (rows)
  var targets: IndexVector { current.targets }
  /// The place of each row in the minibatch.  (rows)
  var positions: IndexVector { current.positions }

  /// The rows whose contexts begin with exactly `count` terminators, if rows are sorted.
  @inline(always)
  func rows(leadingTerminators count: Int) -> Range<Int> {
    let rowEnds = current.rowEnds
    return (count == 0 ? 0 : rowEnds[count - 1])..<rowEnds[count]
  }
}
