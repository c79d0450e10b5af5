// Which words train, which validate and which test.
//
// A split is an order of the words and two cuts. The notebook shuffles the words and cuts at 80 %
// and 90 %; its shuffle comes from outside as a permutation, so that nothing here depends on a
// generator. A split by hash looks at each word alone.
//
// Words are named by their index in the list and not copied. Duplicates are not considered: a word
// that is twice in a list may train and validate.

/// A division of a word list into words for training, validation and testing.
public struct Split: Equatable, Sendable {
  /// Word indices: those that train, then those that validate, then those that test.
  public let order: [Int]
  /// How many words train.
  public let trainCount: Int
  /// How many words validate.
  public let validationCount: Int

  /// The indices of the words that train.
  public var train: ArraySlice<Int> { order[..<trainCount] }
  /// The indices of the words that validate.
  public var validation: ArraySlice<Int> { order[trainCount..<trainCount + validationCount] }
  /// The indices of the words that test.
  public var test: ArraySlice<Int> { order[(trainCount + validationCount)...] }

  /// A split by an order of the words and two cuts.
  ///
  /// - Precondition: `order` holds each of 0..<order.count once; the counts fit into it.
  public init(order: [Int], trainCount: Int, validationCount: Int) {
    precondition(Self.isPermutation(order), "Split: the order is not a permutation of the words")
    precondition(
      trainCount >= 0 && validationCount >= 0 && trainCount <= order.count - validationCount,
      "Split: \(trainCount) and \(validationCount) of \(order.count) words")
    self.order = order
    self.trainCount = trainCount
    self.validationCount = validationCount
  }

  /// The notebook's split: after shuffling, words[..<n1], words[n1..<n2] and words[n2...] with
  /// n1 = int(0.8 · n) and n2 = int(0.9 · n).
  ///
  /// Both products are rounded to double precision and then truncated, as in Python. Parts of a
  /// short list may be empty.
  ///
  /// - Parameter permutation: The index of the word that the shuffle puts at each place.
  public static func notebook(permutation: [Int]) -> Split {
    let n = Double(permutation.count)
    let (n1, n2) = (Int(0.8 * n), Int(0.9 * n))
    return Split(order: permutation, trainCount: n1, validationCount: n2 - n1)
  }

  private static func isPermutation(_ order: [Int]) -> Bool {
    var seen = [Bool](repeating: false, count: order.count)
    for index in order {
      guard order.indices.contains(index), !seen[index] else { return false }
      seen[index] = true
    }
    return true
  }
}

extension Split {
  /// How it is decided which words train, validate or test.
  public enum Method: String, CaseIterable, Equatable, Sendable {
    /// All words are shuffled and cut at 80 % and 90 %, as in the lecture.
    case shuffle
    /// A hash of each word decides: 80 % of all possible words train, 10 % validate, 10 % test.
    ///
    /// Equal words share a part, and no process has to see the whole list.
    case hash
  }

  /// The parts of a split.
  enum Part: UInt8, CaseIterable, Sendable {
    case train, validation, test

    /// The part of a word with a hash, in the split of a seed.
    init(hash: UInt64, seed: UInt64) {
      switch WordHash.mixed(hash ^ WordHash.mixed(seed)).multipliedFullWidth(by: 10).high {
      case ..<8: self = .train
      case 8: self = .validation
      default: self = .test
      }
    }
  }
}
