// What can be wrong with a minibatch that a program hands to a network.

/// Why a network cannot learn from a minibatch.
public enum MinibatchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Batch norm divides by n − 1: the variance of a single window is undefined.
  case tooFewWindows(Int)
  /// The network's steps are for minibatches of another size.
  case count(Int, expected: Int)
  /// Its contexts have another length than the network's.
  case blockSize(Int, expected: Int)
  /// It has an id that is not in the network's vocabulary.
  case unknownID(Int32, vocabulary: Int)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .tooFewWindows(let count):
      "a minibatch of \(count), but batch norm needs at least 2 windows"
    case .count(let count, let expected):
      "a minibatch of \(count) windows for a network that learns from \(expected) at a time"
    case .blockSize(let size, let expected):
      "contexts of \(size) characters for a network that sees \(expected)"
    case .unknownID(let id, let vocabulary):
      "the id \(id) is not in the network's vocabulary, 0 to \(vocabulary - 1)"
    }
  }
}
