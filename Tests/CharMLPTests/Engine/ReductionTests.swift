// The sum that slices of the hidden layer meet in.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The sum over slices")
struct ReductionTests {
  // 1 is lost beside 2²⁵, so every order of these four has a sum of its own.
  private static let values: [Float] = [0x1p25, 1, -0x1p25, 3]

  @Test("A sum over slices adds all parts in their order", arguments: 1...values.count)
  func sum(count: Int) {
    let (rows, columns) = (3, vectorWidth + 1)
    let arena = Arena()
    let parts = (0..<count).map { _ in arena.block { $0.matrix(rows, columns) } }
    for (part, value) in zip(parts, Self.values) { part.fill(value) }
    let total = arena.block { $0.matrix(rows, columns) }

    Reduction.sum(parts, into: total)

    let expected = Self.values.prefix(count).reduce(0, +)
    #expect(total.matrix.elements == Array(repeating: expected, count: rows * columns))
    for (part, value) in zip(parts, Self.values) {
      #expect(part.matrix.elements.allSatisfy { $0 == value })
    }
    withExtendedLifetime(arena) {}
  }

  @Test("A sum over some rows changes no other row")
  func rows() {
    let arena = Arena()
    let parts = (0..<3).map { _ in arena.block { $0.matrix(3, 2) } }
    for part in parts { part.fill(1) }
    let total = arena.block { $0.matrix(3, 2) }
    Reduction.sum(parts, rows: 1..<2, into: total)
    #expect(total.matrix.elements == [0, 0, 3, 3, 0, 0])
    withExtendedLifetime(arena) {}
  }
}
