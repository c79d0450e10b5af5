// The comparison itself: it must fail where it should, or every test that uses it is empty.

import LinearAlgebra
import Testing

@Suite("Distance of two tensors")
struct DistanceTests {
  private func row(_ elements: Double...) -> Matrix<Double> {
    Matrix(rows: 1, columns: elements.count, elements: elements)
  }

  @Test("The distance of two tensors is the largest difference, relative to magnitudes above 1")
  func relative() {
    #expect(distance(row(1, 2), row(1, 2.5)) == 0.2)
    #expect(distance(row(0.5, 0), row(0.25, 0)) == 0.25)
  }

  @Test("A tensor of another shape is infinitely far, even with the same elements")
  func shapes() {
    #expect(distance(row(1, 2), row(1, 2).transposed()) == .infinity)
    #expect(distance(row(1, 2), row(1)) == .infinity)
  }

  @Test("A tensor with a NaN or an infinity is infinitely far from any other")
  func notANumber() {
    #expect(distance(row(.nan), row(1)) == .infinity)
    #expect(distance(row(1), row(.nan)) == .infinity)
    #expect(distance(row(.nan), row(.nan)) == .infinity)
    #expect(distance(row(.infinity), row(1)) == .infinity)
  }
}
