// Saved states: they are Python's and PyTorch's own, they continue a stream exactly, and a state no
// generator can have been in is refused with what is wrong about it.

import Testing

@testable import CharMLP

@Suite("Generator states")
struct GeneratorStateTests {
  @Test("The state of PythonRandom after a thousand draws is the one that Python lists")
  func pythonState() throws {
    let expected = try RandomnessFixture.load().pythonState
    var random = PythonRandom(seed: expected.seed)
    for _ in 0..<(try #require(expected.draws)) { _ = random.getrandbits(32) }
    #expect(random.twister.state.words == expected.words)
    #expect(random.twister.state.position == expected.position)
  }

  @Test(
    "The state of TorchGenerator after three normal deviates is PyTorch's, with a fourth one kept")
  func torchState() throws {
    let expected = try RandomnessFixture.load().torchState
    var generator = TorchGenerator(seed: expected.seed)
    _ = generator.randn(count: try #require(expected.count))
    let state = generator.state
    #expect(state.twister.words == expected.words)
    #expect(state.twister.position == expected.position)
    let normal = try #require(state.cachedNormal)
    let expectedNormal = try #require(expected.cachedNormal)
    // The same double-precision formula; two C libraries may round log, sqrt or sin differently.
    #expect(abs(normal - expectedNormal) <= 4 * expectedNormal.ulp)
  }

  @Test("A restored Mersenne Twister continues its stream", arguments: [0, 1, 623, 624, 625, 1248])
  func restoring(draws: Int) throws {
    var twister = MersenneTwister(seed: 3)
    for _ in 0..<draws { _ = twister.next() }
    var restored = try MersenneTwister(restoring: twister.state)
    #expect(restored == twister)
    #expect((0..<700).map { _ in restored.next() } == (0..<700).map { _ in twister.next() })
  }

  @Test("A restored TorchGenerator draws the deviate that was kept", arguments: [2, 3])
  func restoringNormal(count: Int) throws {
    var generator = TorchGenerator(seed: 3)
    _ = generator.randn(count: count)
    #expect((generator.state.cachedNormal != nil) == (count == 3))
    var restored = try TorchGenerator(restoring: generator.state)
    #expect(restored == generator)
    #expect(restored.randn(count: 5) == generator.randn(count: 5))
  }

  @Test("TorchGenerators that differ only in the deviate they keep are not equal")
  func equality() throws {
    var state = TorchGenerator(seed: 3).state
    state.cachedNormal = 0.5
    #expect(try TorchGenerator(restoring: state) != TorchGenerator(seed: 3))
  }

  static let invalid: [(MersenneTwister.State, MersenneTwister.InvalidState)] = {
    let ones = [UInt32](repeating: 1, count: 624)
    let onlyDeadBits = [0x7fff_ffff] + [UInt32](repeating: 0, count: 623)
    return [
      (.init(words: [], position: 0), .wordCount(found: 0)),
      (.init(words: ones + [1], position: 0), .wordCount(found: 625)),
      (.init(words: ones, position: -1), .position(found: -1)),
      (.init(words: ones, position: 625), .position(found: 625)),
      (.init(words: onlyDeadBits, position: 0), .zero),
    ]
  }()

  @Test("A state that no generator can have been in is refused", arguments: invalid)
  func refusal(state: MersenneTwister.State, reason: MersenneTwister.InvalidState) {
    #expect(throws: reason) { try MersenneTwister(restoring: state) }
    #expect(throws: TorchGenerator.InvalidState.twister(reason)) {
      try TorchGenerator(restoring: .init(twister: state, cachedNormal: nil))
    }
  }

  @Test(
    "A state whose only set bit is the highest of the first word is accepted at positions 0 to 624")
  func smallestState() throws {
    let words = [0x8000_0000] + [UInt32](repeating: 0, count: 623)
    for position in [0, 624] {
      var twister = try MersenneTwister(restoring: .init(words: words, position: position))
      #expect((0..<624).contains { _ in twister.next() != 0 })
    }
  }

  @Test(
    "A kept deviate that is infinite is refused", arguments: [Double.infinity, -.infinity])
  func infiniteNormal(normal: Double) {
    let state = TorchGenerator.State(
      twister: MersenneTwister(seed: 3).state, cachedNormal: normal)
    #expect(throws: TorchGenerator.InvalidState.cachedNormal(found: normal)) {
      try TorchGenerator(restoring: state)
    }
  }

  @Test("A kept deviate that is not a number is refused")
  func notANumber() {
    let state = TorchGenerator.State(
      twister: MersenneTwister(seed: 3).state, cachedNormal: .nan)
    #expect(throws: TorchGenerator.InvalidState.self) { try TorchGenerator(restoring: state) }
  }

  @Test("Refusals of generator states say what was expected and what was found")
  func descriptions() {
    #expect(
      "\(TorchGenerator.InvalidState.twister(.wordCount(found: 3)))"
        == "expected 624 words of Mersenne Twister state, found 3")
    #expect(
      "\(TorchGenerator.InvalidState.twister(.position(found: 700)))"
        == "expected a Mersenne Twister position of 0 to 624, found 700")
    #expect(
      "\(TorchGenerator.InvalidState.twister(.zero))"
        == "expected a Mersenne Twister state with a bit set, found only zeros")
    #expect(
      "\(TorchGenerator.InvalidState.cachedNormal(found: .infinity))"
        == "expected a finite normal deviate in the generator's state, found inf")
  }
}
