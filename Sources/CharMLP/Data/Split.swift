// Which words train, which validate and which test.
//
// The notebook's split shuffles the words and cuts at 80 % and 90 %. The shuffle itself comes from
// outside, as a permutation, so that nothing here depends on a generator. A split is an order of the
// words and two cuts; any other way to divide a list (by a hash of the word, say) is one more function
// that returns such an order, with the words of each part together.
//
// Words are named by their index in the list and not copied. Duplicates are not looked at: a word that
// stands twice in a list may train and validate.

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
  /// Both products are rounded to double precision and then cut off, as Python does it. Parts of a
  /// short list may be empty.
  /// - Parameter permutation: the index of the word that the shuffle puts at each place.
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
