// Broadcasting, reductions, gathering and scattering, on matrices small enough to check by eye.

import LinearAlgebra
import Testing

@Suite("Matrix")
struct MatrixTests {
  let matrix = Matrix<Double>(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
  let row = Matrix<Double>(rows: 1, columns: 3, elements: [10, 20, 30])
  let column = Matrix<Double>(rows: 2, columns: 1, elements: [100, 200])

  @Test("A dimension of 1 is repeated, on either side of an operator")
  func broadcasting() {
    #expect((matrix + row).elements == [11, 22, 33, 14, 25, 36])
    #expect((row + matrix).elements == [11, 22, 33, 14, 25, 36])
    #expect((matrix * column).elements == [100, 200, 300, 800, 1000, 1200])
    #expect((column - matrix).elements == [99, 98, 97, 196, 195, 194])
    #expect((row * column).elements == [1000, 2000, 3000, 2000, 4000, 6000])
    #expect(column.broadcast(2, 2).elements == [100, 100, 200, 200])
  }

  @Test("Shapes that do not match stop the program")
  func mismatch() async {
    await #expect(processExitsWith: .failure) {
      _ = Matrix<Double>.zeros(2, 3) * Matrix.zeros(2, 2)
    }
  }

  @Test("Arithmetic with a scalar acts on every element of a matrix")
  func scalars() {
    #expect((2 * matrix).elements == [2, 4, 6, 8, 10, 12])
    #expect((matrix / 2).elements == [0.5, 1, 1.5, 2, 2.5, 3])
    #expect((matrix + 1).elements == [2, 3, 4, 5, 6, 7])
    #expect((1 - matrix).elements == [0, -1, -2, -3, -4, -5])
    #expect((-matrix).elements == [-1, -2, -3, -4, -5, -6])
  }

  @Test("A reduction keeps its dimension with length 1")
  func reductions() {
    #expect(matrix.sum(.rows) == Matrix(rows: 1, columns: 3, elements: [5, 7, 9]))
    #expect(matrix.sum(.columns) == Matrix(rows: 2, columns: 1, elements: [6, 15]))
    #expect((-matrix).max(.rows) == Matrix(rows: 1, columns: 3, elements: [-1, -2, -3]))
    #expect(matrix.max(.columns) == Matrix(rows: 2, columns: 1, elements: [3, 6]))
    #expect(matrix.sum() == 21)
  }

  @Test("Powers are exact where the derivation uses them", arguments: [-1, -0.5, 2])
  func powers(power: Double) {
    let x = Matrix<Double>(rows: 1, columns: 2, elements: [4, 16])
    let expected = [-1: [0.25, 0.0625], -0.5: [0.5, 0.25], 2: [16, 256]][power]
    #expect(pow(x, power).elements == expected)
  }

  @Test("Scattering adds where gathering repeated")
  func gatherAndScatter() {
    let gathered = matrix.gatheringRows([1, 0, 1])
    #expect(gathered.elements == [4, 5, 6, 1, 2, 3, 4, 5, 6])
    #expect(gathered.scatteringRows([1, 0, 1], into: 3).elements == [1, 2, 3, 8, 10, 12, 0, 0, 0])
  }

  @Test("Picking, one-hot rows and maxima agree with each other")
  func indices() {
    #expect(matrix.picking([2, 0]).elements == [3, 4])
    #expect(matrix.maximaOfRows.elements == [0, 0, 1, 0, 0, 1])
    #expect((matrix * .oneHot([2, 0], columns: 3)).sum(.columns) == matrix.picking([2, 0]))
    let tie = Matrix<Double>(rows: 1, columns: 3, elements: [7, 7, 1])
    #expect(tie.maximaOfRows.elements == [1, 0, 0])
  }

  @Test("Converting to Float rounds each element to nearest")
  func conversion() {
    let third = Matrix<Double>(rows: 1, columns: 1, elements: [1.0 / 3])
    #expect(third.converted(to: Float.self).elements == [Float(1.0 / 3)])
  }
}
