// The comparison under every verdict: it must fail where it should.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The difference of two tensors in a verdict")
struct DifferenceTests {
  private func row(_ elements: Double...) -> Matrix<Double> {
    Matrix(rows: 1, columns: elements.count, elements: elements)
  }

  private func verdict(_ a: Matrix<Double>, _ b: Matrix<Double>, bound: Double) -> Comparison {
    Comparison(
      .db2, [3], against: .reference, found: a, expected: b, bound: bound,
      magnitude: 2)
  }

  @Test("Equal tensors are exact, zeros of either sign and infinities included")
  func exact() {
    let comparison = verdict(row(0, 1, .infinity), row(-0.0, 1, .infinity), bound: 0)
    #expect(comparison.verdict == .exact)
    #expect(comparison.maxAbs == 0 && comparison.maxRel == 0)
  }

  @Test(
    "A difference up to the bound is rounding, above it WRONG, at the element where it is largest")
  func bound() {
    let (a, b) = (row(1, 2, 3), row(1, 2.5, 3.25))
    #expect(verdict(a, b, bound: 0.5).verdict == .rounding)
    let wrong = verdict(a, b, bound: 0.49)
    #expect(wrong.verdict == .wrong)
    #expect(wrong.maxAbs == 0.5 && wrong.maxRel == 0.25)
    #expect(
      wrong.worst == Comparison.Worst(place: .element([1]), found: 2, expected: 2.5, bound: 0.49))
  }

  @Test(
    "What is not a number is WRONG on either side, and so is an infinity, under any finite bound",
    arguments: [Double.nan, .infinity])
  func notFinite(value: Double) {
    for bound in [0, 1e300] {
      #expect(verdict(row(1, value, 3), row(1, 2, 3), bound: bound).verdict == .wrong)
      #expect(verdict(row(1, 2, 3), row(1, value, 3), bound: bound).verdict == .wrong)
    }
    #expect(verdict(row(.nan, 2, 3), row(.nan, 2, 3), bound: 1).verdict == .wrong)
  }

  @Test("Without a finite bound, unequal tensors are not comparable, and never WRONG")
  func noBound() {
    for bound in [Double.infinity, .nan] {
      #expect(verdict(row(1, 2, 3), row(1, 2, 4), bound: bound).verdict == .notComparable)
      #expect(verdict(row(1, .nan, 3), row(1, 2, 3), bound: bound).verdict == .notComparable)
      #expect(verdict(row(1, 2, 3), row(1, 2, 3), bound: bound).verdict == .exact)
    }
  }
}
