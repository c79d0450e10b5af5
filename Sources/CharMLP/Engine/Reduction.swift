// The one place where partial sums meet.
//
// Slices are added in their order, always the same, so that the sum has the same bits however the
// work was shared out.

import LinearAlgebra

/// Adds up what the slices of the hidden layer contribute.
enum Reduction {
  /// The sum of `count` partial matrices, formed in the place of the first.
  static func sum(_ count: Int, _ partial: (Int) -> PaddedMatrix) -> PaddedMatrix {
    let total = partial(0)
    for index in 1..<max(count, 1) {
      let next = partial(index)
      for row in 0..<total.rows {
        for v in 0..<total.vectors { total[row, vector: v] += next[row, vector: v] }
      }
    }
    return total
  }
}
