// The windows that one step learns from: contexts and the characters that follow them.

/// n contexts of `blockSize` characters and the n characters that follow.
///
/// Both are flat arrays of ids, so that a minibatch can be filled again without an allocation.
public struct Minibatch: Equatable, Sendable {
  public let blockSize: Int
  /// Xb, row by row.  (n · block)
  public internal(set) var contexts: [Int32]
  /// Yb.  (n)
  public internal(set) var targets: [Int32]
  /// The place of each window in the whole minibatch, if others compute the rest; nil if this is all.
  public internal(set) var positions: [Int32]?

  /// Makes a minibatch from its ids.
  public init(blockSize: Int, contexts: [Int32], targets: [Int32]) {
    precondition(
      blockSize >= 1 && contexts.count == targets.count * blockSize,
      "Minibatch: \(contexts.count) ids for \(targets.count) contexts of \(blockSize)")
    self.blockSize = blockSize
    self.contexts = contexts
    self.targets = targets
  }

  /// Makes room for `count` windows.
  public init(blockSize: Int, count: Int) {
    self.init(
      blockSize: blockSize, contexts: Array(repeating: 0, count: count * blockSize),
      targets: Array(repeating: 0, count: count))
  }

  /// The number of windows: n, or a part of it.
  public var count: Int { targets.count }
}
