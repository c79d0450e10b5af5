// MT19937, the 32-bit Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8(1), 1998), seeded
// as in their revision of 2002. Python's `random` and PyTorch's CPU generator both draw from it,
// and so do ours (`PythonRandom`, `TorchGenerator`).
//
// It is deliberately not a `RandomNumberGenerator`: what the standard library's `shuffle` and
// `random(in:)` draw from a generator may change with a Swift release, and a seed must always mean
// the same run. It is not a source of secrets either: 624 outputs reveal the whole stream.

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

// MARK: - Saved state
//
// Plain numbers, so that a checkpoint can continue a stream.

extension MersenneTwister {
  /// A generator's state: 624 words and the position among them, as Python's `getstate` lists them.
  public struct State: Sendable, Equatable {
    /// The words, before tempering. // (624)
    public var words: [UInt32]

    /// The index of the next word to hand out, 0…624; at 624 a new generation of words is due.
    public var position: Int

    /// Creates a state; whether a generator can have been in it is checked when one is restored.
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
    /// All bits are 0, and would stay so.
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

// MARK: - Python's random module
//
// The part that decides which words a run trains on: `random.seed(42)` and `random.shuffle(words)`,
// so that a list is split here as in the lecture's notebook. Checked against CPython 3.11. Only
// integers are seeds: Python hashes strings and bytes first, and without a seed takes one from the
// clock; neither is wanted here.

/// Python's `random.Random` for integer seeds: the same seed gives the same draws and shuffles.
package struct PythonRandom: Sendable, Equatable {
  private(set) var twister: MersenneTwister

  /// Seeds as `random.seed(seed)` does; as there, the sign of `seed` is ignored.
  ///
  /// The key of `init_by_array` is `|seed|` in base 2³², lowest digit first, without leading zeros.
  package init(seed: some BinaryInteger) {
    twister = MersenneTwister(key: Self.digits(of: seed))
  }

  /// Draws an integer of `count` random bits, 0…64, as `random.getrandbits(count)` does.
  package mutating func getrandbits(_ count: Int) -> UInt64 {
    precondition((0...64).contains(count), "getrandbits draws 0 to 64 bits, not \(count)")
    if count == 0 { return 0 }
    if count <= 32 { return UInt64(twister.next() >> UInt32(32 - count)) }
    let low = UInt64(twister.next())
    let high = UInt64(twister.next() >> UInt32(64 - count))
    return high << 32 | low
  }

  /// Draws an integer in [0, bound), as `random._randbelow(bound)` does.
  ///
  /// Bits are drawn until they fall below the bound, so every value is equally likely, and the
  /// number of words consumed varies.
  package mutating func randbelow(_ bound: Int) -> Int {
    precondition(bound > 0, "randbelow needs a positive bound, not \(bound)")
    // The width of `bound`, not of `bound − 1`: a power of two is drawn with a bit to spare.
    let width = Int.bitWidth - bound.leadingZeroBitCount
    while true {
      let candidate = getrandbits(width)
      if candidate < UInt64(bound) { return Int(candidate) }
    }
  }

  /// Shuffles in place, as `random.shuffle` does: Fisher and Yates, from the last element down.
  package mutating func shuffle<Elements>(_ elements: inout Elements)
  where Elements: MutableCollection & RandomAccessCollection {
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      let j = randbelow(i + 1)
      elements.swapAt(
        elements.index(elements.startIndex, offsetBy: i),
        elements.index(elements.startIndex, offsetBy: j))
    }
  }

  /// `|seed|` in base 2³², lowest digit first, at least one digit.
  private static func digits(of seed: some BinaryInteger) -> [UInt32] {
    var digits: [UInt32] = []
    var rest = seed.magnitude
    repeat {
      digits.append(UInt32(truncatingIfNeeded: rest))
      rest >>= 32
    } while rest != 0
    return digits
  }
}

// MARK: - Philox
//
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC11): a counter-based generator, whose n-th block of a stream is a function of the seed, the
// stream and n.
//
// So every sampled word has a stream of its own that costs nothing to start, and no two streams of
// a seed overlap. The tests compare it with the paper's known answers. It is not a source of
// secrets, and not what the notebook draws from: that is `TorchGenerator`.

/// Streams of random numbers: the same seed and stream give the same numbers, on every machine.
package struct Philox: Sendable, Equatable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var second: UInt64 = 0
  private var hasSecond = false

  /// Starts a stream of a seed: the seed is the key, the stream the high half of the counter.
  @inline(__always)
  package init(seed: UInt64, stream: UInt64) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(
      0, 0, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
  }

  /// Draws a number in [0, 1), a multiple of 2⁻⁵³.
  @inline(__always)
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Draws 64 bits: half a block, the first two words of it first.
  @inline(__always)
  package mutating func next() -> UInt64 {
    if hasSecond {
      hasSecond = false
      return second
    }
    let block = Self.block(counter: counter, key: key)
    let low = (UInt64(counter.y) << 32 | UInt64(counter.x)) &+ 1
    counter.x = UInt32(truncatingIfNeeded: low)
    counter.y = UInt32(truncatingIfNeeded: low >> 32)
    second = UInt64(block.w) << 32 | UInt64(block.z)
    hasSecond = true
    return UInt64(block.y) << 32 | UInt64(block.x)
  }

  /// Ten rounds of the paper's bijection; multipliers and Weyl constants are its table 2.
  @inline(__always)
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let left = UInt64(x0) &* 0xD251_1F53
      let right = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1, x2, x3) = (
        UInt32(truncatingIfNeeded: right >> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: right),
        UInt32(truncatingIfNeeded: left >> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: left)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(x0, x1, x2, x3)
  }
}
