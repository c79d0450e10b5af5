// The mask of dropout: how much it drops, where, and how it is asked for.

import Testing

@testable import LinearAlgebra

@Suite("RandomMask")
struct RandomMaskTests {
  // 64,000 independent elements: five standard deviations of the share are at most 0.01.
  @Test(
    "A mask drops the share that is asked for, and keeps the mean",
    arguments: [0, 0.1, 0.5, 0.9] as [Float], [0, 1, 1_000_000])
  func share(rate: Float, step: Int) {
    let mask: Matrix<Float> = RandomMask(rate: rate, seed: 1, step: step, columns: 200).matrix(
      320, 200)
    let dropped = Float(mask.elements.count { $0 == 0 }) / 64_000
    #expect(abs(dropped - rate) <= 0.01)
    #expect(mask.elements.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
  }

  // The share of pairs that are dropped together is rate² within five standard deviations.
  @Test("Neighbours in a row, in a column and in time are dropped independently")
  func independence() {
    func mask(_ step: Int) -> Matrix<Float> {
      RandomMask(rate: 0.5, seed: 1, step: step, columns: 256).matrix(256, 256)
    }
    let (now, next) = (mask(0), mask(1))
    var together = [0, 0, 0]
    for row in 0..<255 {
      for column in 0..<255 where now[row, column] == 0 {
        if now[row, column + 1] == 0 { together[0] += 1 }
        if now[row + 1, column] == 0 { together[1] += 1 }
        if next[row, column] == 0 { together[2] += 1 }
      }
    }
    for count in together { #expect(abs(Double(count) / (255 * 255) - 0.25) <= 0.009) }
  }

  @Test("A dropout mask depends only on seed, step and place, by vector or as a matrix")
  func vectors() {
    let mask = RandomMask(rate: 0.3, seed: 9, step: 2, columns: 40)
    let matrix: Matrix<Float> = mask.matrix(5, 40)
    for row in 0..<5 {
      for first in stride(from: 0, to: 32, by: 16) {
        let vector = mask[row, from: first]
        for lane in 0..<16 { #expect(vector[lane] == matrix[row, first + lane]) }
      }
    }
    #expect(matrix == RandomMask(rate: 0.3, seed: 9, step: 2, columns: 40).matrix(5, 40))
    #expect(matrix != RandomMask(rate: 0.3, seed: 9, step: 3, columns: 40).matrix(5, 40))
    #expect(matrix != RandomMask(rate: 0.3, seed: 8, step: 2, columns: 40).matrix(5, 40))
  }
}
