// MT19937, the 32-bit Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8(1), 1998), seeded
// as in their revision of 2002. Python's `random` and PyTorch's CPU generator both draw from it,
// and so do ours (`PythonRandom`, `TorchGenerator`).
//
// It is deliberately not a `RandomNumberGenerator`: what the standard library's `shuffle` and
// `random(in:)` draw from a generator may change with a Swift release, and a seed must always mean
// the same run. It is no source of secrets either: 624 outputs reveal the whole stream.

/// The MT19937 generator: the same seed gives the same sequence of 32-bit words, on every machine.
public struct MersenneTwister: Sendable, Equatable {
  /// The number of 32-bit words in the state, the recurrence's degree n.
  public static let wordCount = 624

  @usableFromInline var words: [UInt32]  // (wordCount)

  /// The index of the next word to hand out; `wordCount` when all are used and a twist is due.
  @usableFromInline var position: Int

  /// Draws the next 32 bits.
  @inlinable
  public mutating func next() -> UInt32 {
    if position == Self.wordCount { twist() }
    let word = words[position]
    position &+= 1
    return Self.tempered(word)
  }

  /// Advances the whole state by one generation of `wordCount` words.
  ///
  /// `x[i] ← x[(i + 397) mod 624] ^ (high bit of x[i], low bits of x[(i + 1) mod 624]) · A`, for i
  /// from 0 to 623 in place. The loop is split where the indices wrap, so that no index is ever
  /// reduced; the precondition lets the compiler drop every bounds check and vectorize both loops.
  @usableFromInline
  mutating func twist() {
    var x = words.mutableSpan
    let count = x.count
    precondition(count == Self.wordCount, "a Mersenne Twister has \(Self.wordCount) words")
    let offset = 397  // m in the paper
    let wrap = Self.wordCount - offset
    for i in 0..<wrap {
      x[i] = x[i + offset] ^ Self.mixed(x[i], x[i + 1])
    }
    for i in wrap..<(Self.wordCount - 1) {
      x[i] = x[i - wrap] ^ Self.mixed(x[i], x[i + 1])
    }
    let last = Self.wordCount - 1
    x[last] = x[offset - 1] ^ Self.mixed(x[last], x[0])
    position = 0
  }

  /// One row of the recurrence: the joined word, times the twist matrix A over GF(2).
  private static func mixed(_ upper: UInt32, _ lower: UInt32) -> UInt32 {
    let joined = (upper & 0x8000_0000) | (lower & 0x7fff_ffff)
    return (joined >> 1) ^ ((0 &- (lower & 1)) & 0x9908_b0df)
  }

  /// The output transformation of the paper, which evens out the high bits.
  @inlinable
  static func tempered(_ word: UInt32) -> UInt32 {
    var y = word
    y ^= y >> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return y ^ (y >> 18)
  }
}

// MARK: - Seeding

// From one word, as PyTorch does, and from a key of any length, as Python does. Both follow the
// authors' reference program of 2002, and the multipliers are its constants. There is no seeding
// from the clock or the system: a run without a seed cannot be repeated.

extension MersenneTwister {
  /// Seeds from one word, the reference program's `init_genrand`.
  ///
  /// `x[0] = seed`, `x[i] = 1812433253 · (x[i−1] ^ (x[i−1] >> 30)) + i` modulo 2³².
  public init(seed: UInt32) {
    var words = [seed]
    words.reserveCapacity(Self.wordCount)
    for i in 1..<Self.wordCount {
      words.append(1_812_433_253 &* Self.folded(words[i - 1]) &+ UInt32(i))
    }
    self.init(words: words, position: Self.wordCount)
  }

  /// Seeds from a key of one or more words, the reference program's `init_by_array`.
  public init(key: [UInt32]) {
    precondition(!key.isEmpty, "MersenneTwister(key:) needs at least one word")
    var words = Self(seed: 19_650_218).words
    var i = 1
    var j = 0
    for _ in 0..<max(Self.wordCount, key.count) {
      let product = Self.folded(words[i - 1]) &* 1_664_525
      words[i] = (words[i] ^ product) &+ key[j] &+ UInt32(truncatingIfNeeded: j)
      i = Self.following(i, in: &words)
      j = (j + 1) % key.count
    }
    for _ in 1..<Self.wordCount {
      let product = Self.folded(words[i - 1]) &* 1_566_083_941
      words[i] = (words[i] ^ product) &- UInt32(i)
      i = Self.following(i, in: &words)
    }
    words[0] = 0x8000_0000  // the state is never all zero
    self.init(words: words, position: Self.wordCount)
  }

  private static func folded(_ word: UInt32) -> UInt32 {
    word ^ (word >> 30)
  }

  /// The index after `i`; at the end, the last word is copied to the first and 1 comes next.
  private static func following(_ i: Int, in words: inout [UInt32]) -> Int {
    guard i + 1 == wordCount else { return i + 1 }
    words[0] = words[wordCount - 1]
    return 1
  }
}

// MARK: - The state as plain numbers, so that a checkpoint can continue a stream

extension MersenneTwister {
  /// A generator's state: 624 words and the position among them, as Python's `getstate` lists them.
  public struct State: Sendable, Equatable {
    /// The words, before tempering. // (624)
    public var words: [UInt32]

    /// The index of the next word to hand out, 0…624; at 624 a new generation of words is due.
    public var position: Int

    /// Puts a state together; whether a generator can have been in it is checked where one is
    /// restored.
    public init(words: [UInt32], position: Int) {
      self.words = words
      self.position = position
    }
  }

  /// Why a saved state is not one a generator can have been in.
  public enum InvalidState: Error, Equatable, CustomStringConvertible {
    /// There are not 624 words.
    case wordCount(found: Int)
    /// The position is not one of 0…624.
    case position(found: Int)
    /// All bits are 0, and would be for ever.
    case zero

    /// What is wrong, in one line.
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
  /// - Throws: `InvalidState` for a wrong number of words, a position outside 0…624, or a state
  ///   whose 19,937 live bits are all zero, from which every later word would be zero.
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
