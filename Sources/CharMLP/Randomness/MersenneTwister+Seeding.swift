// The two ways MT19937 is seeded: from one word (PyTorch's way) and from a key of any length (Python's
// way). Both follow the authors' reference program of 2002; the multipliers below are its constants.
// There is no seeding from the clock or the system: a run without a seed cannot be repeated.

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

  /// The index after `i`; past the end it carries the last word round to the first and starts at 1.
  private static func following(_ i: Int, in words: inout [UInt32]) -> Int {
    guard i + 1 == wordCount else { return i + 1 }
    words[0] = words[wordCount - 1]
    return 1
  }
}
