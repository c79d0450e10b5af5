// The sum that slices of the hidden layer meet in, for more slices than an engine has today.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The sum over slices")
struct ReductionTests {
  // 1 is lost beside 2²⁵, so every order of these four has a sum of its own.
  private static let values: [Float] = [0x1p25, 1, -0x1p25, 3]

  @Test(
    "It is the sum of all parts in their order, in the place of the first",
    arguments: 1...values.count)
  func sum(count: Int) {
    let (rows, columns) = (2, vectorWidth + 1)
    var memory = PaddedMemory(capacity: count * PaddedMemory.size(rows: rows, columns: columns))
    let parts = (0..<count).map { _ in memory.matrix(rows: rows, columns: columns) }
    for (part, value) in zip(parts, Self.values) { part.fill(value) }

    let total = Reduction.sum(count) { parts[$0] }

    let expected = Self.values.prefix(count).reduce(0, +)
    #expect(total.matrix.elements == Array(repeating: expected, count: rows * columns))
    #expect(parts[0].matrix == total.matrix)
    for (part, value) in zip(parts, Self.values).dropFirst() {
      #expect(part.matrix.elements.allSatisfy { $0 == value })
    }
    withExtendedLifetime(memory) {}
  }
}
