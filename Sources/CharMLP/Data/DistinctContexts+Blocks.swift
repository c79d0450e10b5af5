// Distinct contexts in blocks: enough rows for a good product, few enough to stay in the cache, and
// fewer where a row is so wide that even those would take more memory than training does.

extension DistinctContexts {
  /// Some consecutive contexts.
  struct Block {
    /// Their numbers.
    let indices: Range<Int>
    /// Their ids, row by row.  (indices.count · block)
    let contexts: ArraySlice<Int32>
  }

  /// The most contexts in a block.
  private static let blockLength = 256

  /// The most elements in a matrix with a row for each context of a block, unless one row has more:
  /// 128 MiB of doubles.
  private static let blockElements = 1 << 24

  /// How many contexts a block has if matrices with a row for each of them are so wide: 1…256.
  static func blockLength(width: Int) -> Int {
    precondition(width > 0, "DistinctContexts: rows of \(width) elements")
    return max(1, min(blockLength, blockElements / width))
  }

  /// All contexts, in order, a block at a time.
  /// - Parameter width: The columns of the widest matrix that is made of a block.
  func blocks(width: Int) -> some Sequence<Block> {
    let length = Self.blockLength(width: width)
    return stride(from: 0, to: count, by: length).lazy.map { start in
      let indices = start..<min(start + length, count)
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
