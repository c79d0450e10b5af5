// Python's `random` against streams drawn by CPython 3.11: bit for bit, in order.

import CharMLP
import Testing

@Suite("PythonRandom")
struct PythonRandomTests {
  @Test(
    "PythonRandom's bits, bounded draws and shuffles are CPython's",
    arguments: try RandomnessFixture.load().python)
  func stream(expected: RandomnessFixture.PythonStream) throws {
    var random = PythonRandom(seed: try #require(Int128(expected.seed)))
    // As `random.random()` makes them of two words.
    let uniforms = expected.uniforms.map { _ in
      Double(random.getrandbits(27) << 26 | random.getrandbits(26)) * 0x1p-53
    }
    #expect(uniforms == expected.uniforms)
    for pair in expected.bits {
      #expect(random.getrandbits(Int(pair[0])) == pair[1], "getrandbits(\(pair[0]))")
    }
    for pair in expected.below {
      #expect(random.randbelow(pair[0]) == pair[1], "randbelow(\(pair[0]))")
    }
    for shuffled in expected.shuffles {
      var elements = Array(shuffled.indices)
      random.shuffle(&elements)
      #expect(elements == shuffled)
    }
    #expect(random.getrandbits(32) == expected.next)
  }

  @Test("PythonRandom shuffles a list as long as the lecture's as CPython does")
  func longShuffle() throws {
    let expected = try RandomnessFixture.load().pythonLongShuffle
    var random = PythonRandom(seed: expected.seed)
    var elements = Array(0..<expected.count)
    random.shuffle(&elements)
    #expect(Array(elements.prefix(expected.first.count)) == expected.first)
    #expect(Array(elements.suffix(expected.last.count)) == expected.last)
    #expect(elements.sorted() == Array(0..<expected.count))
  }

  @Test("PythonRandom ignores the integer type and the sign of a seed")
  func seedTypes() {
    let expected = PythonRandom(seed: 42)
    #expect(PythonRandom(seed: UInt8(42)) == expected)
    #expect(PythonRandom(seed: UInt128(42)) == expected)
    #expect(PythonRandom(seed: Int8(-42)) == expected)
    #expect(PythonRandom(seed: Int.min) == PythonRandom(seed: UInt64(1) << 63))
    #expect(PythonRandom(seed: 43) != expected)
  }

  @Test("PythonRandom shuffles a slice in its own indices and leaves the rest alone")
  func slice() {
    var random = PythonRandom(seed: 42)
    var whole = Array(0..<10)
    random.shuffle(&whole)
    var again = PythonRandom(seed: 42)
    var padded = [-1, -1] + Array(0..<10) + [-1]
    again.shuffle(&padded[2..<12])
    #expect(padded == [-1, -1] + whole + [-1])
  }

  @Test("PythonRandom stops the program at more than 64 bits, or a bound of zero")
  func preconditions() async {
    await #expect(processExitsWith: .failure) {
      var random = PythonRandom(seed: 0)
      _ = random.getrandbits(65)
    }
    await #expect(processExitsWith: .failure) {
      var random = PythonRandom(seed: 0)
      _ = random.randbelow(0)
    }
  }
}
