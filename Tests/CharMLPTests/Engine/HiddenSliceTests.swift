// How the hidden layer is cut into slices.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Slices of the hidden layer")
struct HiddenSliceTests {
  private static let sizes = [
    1, 15, 16, 17, 63, 64, 65, 128, 200, 331, 512, 1000, 1024, 4096, 100_000,
  ]

  @Test("Slices cover all units, in order, and none is empty", arguments: sizes)
  func cover(hidden: Int) {
    let slices = HiddenSlice.units(hidden: hidden)
    #expect(slices.flatMap { $0 } == Array(0..<hidden))
    #expect(slices.allSatisfy { !$0.isEmpty })
    #expect(slices.count == HiddenSlice.count(hidden: hidden))
  }

  @Test("Slices start on a whole vector, and differ by at most one", arguments: sizes)
  func balance(hidden: Int) {
    let slices = HiddenSlice.units(hidden: hidden)
    #expect(slices.allSatisfy { $0.lowerBound.isMultiple(of: vectorWidth) })
    let vectors = slices.map { PaddedMatrix.stride($0.count) / vectorWidth }
    #expect((vectors.max() ?? 0) - (vectors.min() ?? 0) <= 1)
  }

  @Test("The notebook's layer has two slices, the first no larger than the second")
  func notebook() {
    #expect(HiddenSlice.units(hidden: 200) == [0..<96, 96..<200])
  }
}
