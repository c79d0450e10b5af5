// The one place where partial sums meet.
//
// Parts are added in their order, always the same, so that the sum has the same bits however the work
// was shared out.

import LinearAlgebra

/// Adds up what parts of an engine contribute.
enum Reduction {
  /// The sum of some rows of all parts, into the same rows of a matrix that is none of them.
  static func sum(_ parts: [PaddedMatrix], rows: Range<Int>, into total: PaddedMatrix) {
    let parts = parts.span
    let (first, second) = (parts[0], parts[min(1, parts.count - 1)])
    for row in rows {
      for v in 0..<total.vectors {
        let part = first[row, vector: v]
        total[row, vector: v] = parts.count == 1 ? part : part + second[row, vector: v]
      }
    }
    for index in 2..<max(parts.count, 2) { add(parts[index], rows, to: total) }
  }

  /// The sum of all parts.
  static func sum(_ parts: [PaddedMatrix], into total: PaddedMatrix) {
    sum(parts, rows: 0..<total.rows, into: total)
  }

  private static func add(_ part: PaddedMatrix, _ rows: Range<Int>, to total: PaddedMatrix) {
    for row in rows {
      for v in 0..<total.vectors { total[row, vector: v] += part[row, vector: v] }
    }
  }
}
