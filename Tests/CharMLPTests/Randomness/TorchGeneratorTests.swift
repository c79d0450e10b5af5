// PyTorch's CPU generator against streams drawn by PyTorch 2.13: whole numbers and uniforms equal,
// normal deviates to rounding, and every call taking exactly as much of the stream as PyTorch's.

import Testing

@testable import CharMLP

@Suite("TorchGenerator")
struct TorchGeneratorTests {
  /// The range whose one draw after a stream shows how much of it has gone.
  static let following = 0..<((1 << 28) - 1)

  @Test(
    "TorchGenerator's stream of mixed calls is PyTorch's",
    arguments: try RandomnessFixture.load().torch)
  func stream(expected: RandomnessFixture.TorchStream) {
    var generator = TorchGenerator(seed: expected.seed)
    for draw in expected.draws {
      switch draw {
      case .normals(let values):
        Self.expectEqual(generator.randn(count: values.count), values)
      case .integers(let range, let values):
        #expect(values.map { _ in generator.randint(in: range) } == values, "\(range)")
      case .doubles(let values):
        #expect(values.map { _ in generator.uniform() } == values)
      case .floats(let values):
        #expect(values.map { _ in generator.uniformFloat() } == values)
      }
    }
    #expect(generator.randint(in: Self.following) == expected.next)
  }

  @Test(
    "TorchGenerator's randn of every size from 1 to 100 has PyTorch's ends and uses as many words")
  func everySize() throws {
    var generator = TorchGenerator(seed: 7)
    let all = try RandomnessFixture.load().torchEnds
    #expect(all.map(\.count) == Array(1...100))
    for expected in all {
      let values = generator.randn(count: expected.count)
      let ends = [values[0], values[expected.count - 1]]
      Self.expectEqual(ends, [expected.first, expected.last], exactly: expected.count < 16)
      #expect(generator.randint(in: Self.following) == expected.next, "after \(expected.count)")
    }
  }

  @Test("TorchGenerator uses only the low 32 bits of a seed")
  func seedBits() {
    #expect(TorchGenerator(seed: (1 << 32) + 5) == TorchGenerator(seed: 5))
    #expect(TorchGenerator(seed: 6) != TorchGenerator(seed: 5))
  }

  @Test(
    "TorchGenerator draws a minibatch as it draws its numbers one by one",
    arguments: [1, 27, 182_625, 1 << 28, 1 << 40])
  func minibatch(bound: Int) {
    var batched = TorchGenerator(seed: 11)
    var single = batched
    var indices = [Int](repeating: -1, count: 1000)
    var span = indices.mutableSpan
    batched.randint(below: bound, into: &span)
    #expect(indices == indices.map { _ in single.randint(below: bound) })
    #expect(batched == single)
  }

  @Test("TorchGenerator stops the program at an empty range")
  func preconditions() async {
    await #expect(processExitsWith: .failure) {
      var generator = TorchGenerator(seed: 0)
      _ = generator.randint(in: 5..<5)
    }
  }

  /// Fewer than 16 deviates are the same double-precision formula, rounded once: equal. In larger
  /// tensors PyTorch's log, cos and sin are single-precision approximations. Deviates stay below 6,
  /// where neighbours are 4.8e-7 apart: the tolerance is two of its roundings.
  static func expectEqual(
    _ values: [Float], _ expected: [Float], exactly: Bool? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count == expected.count, sourceLocation: sourceLocation)
    let tolerance: Float = (exactly ?? (expected.count < 16)) ? 0 : 1e-6
    for (i, (value, other)) in zip(values, expected).enumerated()
    where !(abs(value - other) <= tolerance) {
      Issue.record("[\(i)]: \(value), expected \(other)", sourceLocation: sourceLocation)
    }
  }
}
