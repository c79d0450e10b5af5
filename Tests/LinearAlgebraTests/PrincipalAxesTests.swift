// Principal axes: against cases that can be worked out by hand, and against what defines them.

import LinearAlgebra
import Testing

@Suite("Principal axes")
struct PrincipalAxesTests {
  @Test("Points on a line have one axis, which explains everything")
  func line() throws {
    // (3, 4)/5 times −1, 0 and 1, around (10, 20).
    let rows = Matrix<Float>(rows: 3, columns: 2, elements: [9.4, 19.2, 10, 20, 10.6, 20.8])
    let found = try #require(PrincipalAxes(ofRows: rows))
    #expect(abs(found.axes[0, 0] - 0.6) < tolerance && abs(found.axes[0, 1] - 0.8) < tolerance)
    #expect(abs(found.singularValues[0] - Float(2).squareRoot()) < tolerance)
    #expect(found.explained(by: 0) > 0.999_999)
    #expect(found.coordinates[0, 0] < 0 && found.coordinates[2, 0] > 0)
  }

  @Test("Axes along the coordinates come in the order of their variance")
  func order() throws {
    let rows = Matrix<Float>(rows: 4, columns: 2, elements: [0, 3, 0, -3, 1, 0, -1, 0])
    let found = try #require(PrincipalAxes(ofRows: rows))
    #expect(found.axes.isClose(to: Matrix(rows: 2, columns: 2, elements: [0, 1, 1, 0]), rows: 2))
    #expect(abs(found.explained(by: 0) - 0.9) < 1e-6)
    #expect(abs(found.explained(by: 1) - 0.1) < 1e-6)
  }

  @Test(
    "Axes are orthonormal, and axes and coordinates give the rows back",
    arguments: [(27, 10), (5, 8), (1, 4), (6, 1)])
  func definition(rows: Int, columns: Int) throws {
    let points = randomMatrix(rows, columns)
    let found = try #require(PrincipalAxes(ofRows: points))
    let count = min(rows, columns)
    #expect(found.singularValues == found.singularValues.sorted(by: >))
    let products = MatrixProduct.naive(found.axes, found.axes.T)
    #expect(products.isClose(to: .oneHot(Array(0..<count), columns: count), rows: count))
    let mean = 1 / Float(rows) * points.sum(.rows)
    #expect(
      (MatrixProduct.naive(found.coordinates, found.axes) + mean).isClose(to: points, rows: rows))
  }

  @Test("The sign is fixed: negated points have the same axes and negated coordinates")
  func sign() throws {
    let points = randomMatrix(12, 5)
    let found = try #require(PrincipalAxes(ofRows: points))
    let negated = try #require(PrincipalAxes(ofRows: -points))
    #expect(negated.axes.isClose(to: found.axes, rows: 5))
    #expect(negated.coordinates.isClose(to: -found.coordinates, rows: 12))
  }

  @Test("Equal rows vary along no axis")
  func noVariance() throws {
    let found = try #require(PrincipalAxes(ofRows: Matrix(rows: 3, columns: 2, repeating: 7)))
    #expect(found.explained(by: 0) == 0)
    #expect(found.explained(by: 9) == 0)
  }

  @Test("A matrix with NaN or infinity has no principal axes", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) {
    #expect(PrincipalAxes(ofRows: Matrix(rows: 2, columns: 2, elements: [1, 2, value, 3])) == nil)
  }

  /// Elements of magnitude 1 to 4, a few dozen roundings of 2⁻²³ in a decomposition.
  private let tolerance: Float = 1e-5

  private func randomMatrix(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    var generator = SplitMix64(state: 17)
    return .random(rows, columns, using: &generator)
  }
}

extension Matrix<Float> {
  fileprivate func isClose(to other: Matrix, rows: Int) -> Bool {
    self.rows == rows && other.rows == rows && columns == other.columns
      && zip(elements, other.elements).allSatisfy { abs($0 - $1) <= 1e-5 }
  }
}
