// The state of MT19937 as plain numbers, so that a checkpoint can carry a stream on where it stopped.
// It says nothing of how it is stored; it refuses what no generator can have been in.

extension MersenneTwister {
  /// A generator's state: 624 words and the position among them, as Python's `getstate` lists them.
  public struct State: Sendable, Equatable {
    /// The words, before tempering. // (624)
    public var words: [UInt32]

    /// The index of the next word to hand out, 0…624; at 624 a new generation of words is due.
    public var position: Int

    public init(words: [UInt32], position: Int) {
      self.words = words
      self.position = position
    }
  }

  /// Why a saved state is not one a generator can have been in.
  public enum InvalidState: Error, Equatable, CustomStringConvertible {
    case wordCount(found: Int)
    case position(found: Int)
    case zero

    public var description: String {
      switch self {
      case .wordCount(let found):
        "expected \(MersenneTwister.wordCount) words of Mersenne Twister state, found \(found)"
      case .position(let found):
        "expected a Mersenne Twister position of 0 to \(MersenneTwister.wordCount), found \(found)"
      case .zero:
        "expected a Mersenne Twister state with a bit set, found only zeros"
      }
    }
  }

  /// The state now; a generator restored from it draws what this one would draw next.
  ///
  /// It shares the generator's storage, so the first twist after it is taken copies 624 words.
  public var state: State {
    State(words: words, position: position)
  }

  /// Continues from a saved state.
  ///
  /// - Throws: `InvalidState` for a wrong number of words, a position outside 0…624, or a state whose
  ///   19,937 live bits are all zero, from which every later word would be zero.
  public init(restoring state: State) throws(InvalidState) {
    guard state.words.count == Self.wordCount else {
      throw .wordCount(found: state.words.count)
    }
    guard (0...Self.wordCount).contains(state.position) else {
      throw .position(found: state.position)
    }
    // Of the first word only the highest bit takes part in the recurrence.
    guard state.words[0] >> 31 != 0 || state.words.dropFirst().contains(where: { $0 != 0 }) else {
      throw .zero
    }
    self.init(words: state.words, position: state.position)
  }
}
