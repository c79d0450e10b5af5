// Distinct contexts in blocks: enough rows for a good product, few enough to stay in the cache.

extension DistinctContexts {
  /// Some consecutive contexts.
  struct Block {
    /// Their numbers.
    let indices: Range<Int>
    /// Their ids, row by row.  (indices.count · block)
    let contexts: ArraySlice<Int32>
  }

  private static let blockLength = 256

  /// All contexts, in order, a block at a time.
  var blocks: some Sequence<Block> {
    stride(from: 0, to: count, by: Self.blockLength).lazy.map { start in
      let indices = start..<min(start + Self.blockLength, count)
      let ids = indices.lowerBound * blockSize..<indices.upperBound * blockSize
      return Block(indices: indices, contexts: contexts[ids])
    }
  }

  /// The number of windows with a context.
  func weight(of context: Int) -> Int {
    targetRange(of: context).reduce(0) { $0 + Int(targetCounts[$1]) }
  }

  /// The number of windows with any of the contexts.
  public var windowCount: Int { targetCounts.reduce(0) { $0 + Int($1) } }
}
