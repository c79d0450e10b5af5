// The engine's memory: windows that agree with matrices, and padding that stays out of the way.

import Testing

@testable import LinearAlgebra

@Suite("Padded matrices")
struct PaddedMatrixTests {
  private func withPadded(_ matrix: Matrix<Float>, _ body: (PaddedMatrix) -> Void) {
    let arena = Arena()
    let padded = arena.block { $0.matrix(matrix.rows, matrix.columns) }
    padded.assign(matrix)
    body(padded)
    withExtendedLifetime(arena) {}
  }

  private func counted(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { Float($0 + 1) })
  }

  @Test(
    "What is copied in comes out, and the padding is zero", arguments: [(3, 5), (16, 16), (2, 33)])
  func copies(rows: Int, columns: Int) {
    let matrix = counted(rows, columns)
    withPadded(matrix) { padded in
      #expect(padded.matrix == matrix)
      #expect(padded.stride == PaddedMatrix.stride(columns))
      for row in 0..<rows {
        for column in columns..<padded.stride { #expect(padded[row, column] == 0) }
      }
    }
  }

  @Test("A matrix is copied in and out transposed, from a row on")
  func transposedCopies() {
    let matrix = counted(5, 3)
    withPadded(Matrix<Float>.zeros(3, 2)) { padded in
      padded.assign(transposed: matrix, row: 1)
      #expect(padded.matrix.elements == [4, 7, 5, 8, 6, 9])
      var target = Matrix<Float>.zeros(5, 3)
      padded.copy(transposedTo: &target, row: 1)
      #expect(target.elements == [0, 0, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test(
    "Zeros that a product leaves out change no bit of it",
    arguments: [(1, 31, 112), (27, 31, 48), (27, 104, 40), (64, 104, 112)])
  func leftOut(rows: Int, depth: Int, width: Int) {
    var generator = SplitMix64(state: 3)
    let left = Matrix<Float>.random(rows, depth, using: &generator)
    let right = Matrix<Float>.random(depth, width, using: &generator)
    let arena = Arena()
    let (a, b, c) = arena.block {
      let depth = PaddedMatrix.stride(depth)
      return ($0.matrix(rows, depth), $0.matrix(depth, width), $0.matrix(rows, width))
    }
    a.resized(rows: rows, columns: depth).assign(left)
    b[rows: 0..<depth].assign(right)
    multiply(a, b, into: c)
    let all = c.matrix
    c.fill(1)
    multiply(a, b, depth: depth, into: c)
    let isSame = c.matrix == all
    #expect(isSame)

    let gradient = arena.block { $0.matrix(a.columns, width) }
    multiply(a.T, c, into: gradient)
    let allRows = gradient.matrix
    gradient.fill(0)
    multiply(a.T, c, rows: depth, into: gradient)
    let areSameRows = gradient.matrix == allRows
    #expect(areSameRows)
    withExtendedLifetime(arena) {}
  }

  @Test("Sixteen floats are read and written from any column, beyond the row's end too")
  func unaligned() {
    withPadded(counted(2, 20)) { padded in
      #expect(padded[0, from: 3][0] == 4)
      #expect(padded[0, from: 3][15] == 19)
      // The row has 32 places: from 30 on, the last fourteen lanes are the next row's.
      #expect(padded[0, from: 30][2] == 21)
      padded[1, from: 10] = FloatVector(repeating: -1)
      #expect(padded[1, 9] == 30)
      #expect(padded[1, 10] == -1)
      padded.clearPadding()
      #expect(padded[1, 19] == -1)
      #expect(padded[1, 20] == 0)
    }
  }

  @Test("A product may be added to the result's content")
  func addsProducts() {
    let (a, b) = (counted(3, 4), counted(4, 5))
    withPadded(a) { a in
      withPadded(b) { b in
        withPadded(Matrix<Float>.zeros(3, 5)) { c in
          multiply(a, b, into: c)
          let once = c.matrix
          multiply(a, b, into: c, isAdding: true)
          #expect(c.matrix == once + once)
          #expect(once == MatrixProduct.naive(a.matrix, b.matrix))
        }
      }
    }
  }

  @Test("An arena that only measures counts what another one allocates")
  func measurement() {
    let arenas = [Arena(.measurement), Arena()]
    for arena in arenas {
      let (a, b) = arena.block { ($0.matrix(3, 5), $0.matrix(2, 17)) }
      #expect(a.stride == 16 && b.stride == 32)
      #expect(arena.indices(7).count == 7)
    }
    // Three rows of 16 floats, two of 32, seven numbers, and for each block a vector more.
    #expect(arenas.map(\.byteCount) == [604, 604])
  }

  @Test("Windows of one block lie apart, and in no other block's memory")
  func windowsApart() {
    let arena = Arena()
    let windows = (0..<3).map { _ in arena.block { [$0.matrix(2, 3), $0.matrix(1, 20)] } }
    let all = windows.flatMap { $0 }
    for (number, window) in all.enumerated() { window.fill(Float(number)) }
    for (number, window) in all.enumerated() {
      #expect(window.matrix.elements.allSatisfy { $0 == Float(number) })
    }
  }

  @Test("A number of bytes that no Int can hold is measured as nil")
  func unmeasurable() {
    let arena = Arena(.measurement)
    _ = arena.block { $0.matrix(.max / 8, 100) }
    #expect(arena.byteCount == nil)
  }
}
