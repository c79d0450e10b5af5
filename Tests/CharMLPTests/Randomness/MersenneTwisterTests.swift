// MT19937 against its authors' published output and the C++ standard's check value.

import CharMLP
import Testing

@Suite("MersenneTwister")
struct MersenneTwisterTests {
  @Test("MersenneTwister with a key gives the first outputs that its authors published")
  func publishedOutputs() {
    // mt19937ar.out, Matsumoto and Nishimura 2002.
    var twister = MersenneTwister(key: [0x123, 0x234, 0x345, 0x456])
    let expected: [UInt32] = [
      1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783, 4_228_976_476,
    ]
    #expect(expected.map { _ in twister.next() } == expected)
  }

  @Test("MersenneTwister's 10,000th output from seed 5489 is the C++ standard's check value")
  func tenThousandthOutput() {
    // [rand.predef] in ISO/IEC 14882.
    var twister = MersenneTwister(seed: 5489)
    for _ in 1..<10_000 { _ = twister.next() }
    #expect(twister.next() == 4_123_659_995)
  }

  @Test("MersenneTwister uses every word of a key that is longer than its state")
  func longKey() {
    let key = [UInt32](repeating: 1, count: 700)
    let changedAtEnd = [UInt32](key.dropLast()) + [2]
    #expect(MersenneTwister(key: key) != MersenneTwister(key: changedAtEnd))
  }

  @Test("A copy of a MersenneTwister draws what the original draws, and is independent of it")
  func valueSemantics() {
    var original = MersenneTwister(seed: 1)
    for _ in 0..<600 { _ = original.next() }
    var copy = original
    // 100 draws cross a twist, where the two begin to have words of their own.
    let fromOriginal = (0..<100).map { _ in original.next() }
    #expect(copy != original)
    let fromCopy = (0..<100).map { _ in copy.next() }
    #expect(fromOriginal == fromCopy)
    #expect(copy == original)
  }

  @Test("MersenneTwister with an empty key stops the program")
  func emptyKey() async {
    await #expect(processExitsWith: .failure) { _ = MersenneTwister(key: []) }
  }
}
