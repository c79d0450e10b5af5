// The two ways to split a list, and the part that a word's hash puts it into.

extension Split {
  /// How words come to train, validate or test.
  public enum Method: String, CaseIterable, Equatable, Sendable {
    /// All words are shuffled and cut at 80 % and 90 %, as in the lecture.
    case shuffle
    /// A hash of each word decides: 80 % of all possible words train, 10 % validate, 10 % test.
    ///
    /// Equal words share a part, and nobody has to see the whole list.
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
