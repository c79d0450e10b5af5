// How the hidden layer is cut: by its size alone, so that any number of threads computes the same bits.

import LinearAlgebra

extension HiddenSlice {
  /// So many units of a large minibatch stay in a core's cache through batch norm, tanh and back.
  private static let largestWidth = 128
  /// No more slices than this: each adds a share of the logits.
  private static let largestCount = 32

  /// The units of every slice: whole vectors, as equal as they can be, the larger ones last.
  ///
  /// The number of slices is even where there is more than one, because most machines that share out so
  /// little work have two or four cores. The calling thread, which has more to do than the others, takes
  /// the first slices.
  static func units(hidden: Int) -> [Range<Int>] {
    let vectors = PaddedMemory.stride(hidden) / vectorWidth
    let count = count(hidden: hidden)
    return (0..<count).map { index in
      let first = index * vectors / count * vectorWidth
      let last = (index + 1) * vectors / count * vectorWidth
      return first..<min(last, hidden)
    }
  }

  /// The number of slices.
  static func count(hidden: Int) -> Int {
    let vectors = PaddedMemory.stride(hidden) / vectorWidth
    // Below this, two slices gain nothing over one.
    guard vectors >= 4 else { return 1 }
    let perSlice = largestWidth / vectorWidth
    let count = (vectors + perSlice - 1) / perSlice
    return min(max(2, (count + 1) / 2 * 2), largestCount)
  }
}
