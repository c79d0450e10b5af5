// The engine's transposed copies of its weights.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Transposed copies")
struct TransposeTests {
  @Test(
    "A transposed copy turns rows into columns, padding included",
    arguments: [(16, 16), (32, 100), (64, 27)])
  func transposes(rows: Int, columns: Int) {
    let stride = PaddedMatrix.stride(columns)
    let arena = Arena()
    let (source, target) = arena.block { ($0.matrix(rows, columns), $0.matrix(stride, rows)) }
    let matrix = Matrix(
      rows: rows, columns: columns, elements: (0..<rows * columns).map { Float($0 + 1) })
    source.assign(matrix)
    target.assign(transposing: source)
    for row in 0..<stride {
      for column in 0..<rows {
        #expect(target[row, column] == (row < columns ? matrix[column, row] : 0))
      }
    }
    withExtendedLifetime(arena) {}
  }
}
