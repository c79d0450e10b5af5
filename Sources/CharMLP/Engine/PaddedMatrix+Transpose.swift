// A transposed copy, in blocks of sixteen by sixteen that stay in registers.
//
// A product whose contracted index runs along the rows of both operands is the slowest of the four
// kinds; with a copy of one operand transposed it becomes the fastest, and copying costs less.
//
// It stands here, not beside the other functions of padded matrices, because in a debug build it can
// have their subscripts inlined only from another module.

import LinearAlgebra

extension PaddedMatrix {
  /// Copies the transpose of a matrix, padding included, into the elements.
  ///
  /// Both numbers of rows are multiples of `vectorWidth`.
  func assign(transposing matrix: PaddedMatrix) {
    precondition(
      rows == matrix.stride && stride == matrix.rows,
      "assign: (\(matrix.rows), \(matrix.stride)), transposed, to (\(rows), \(stride))")
    for top in Swift.stride(from: 0, to: matrix.rows, by: vectorWidth) {
      for v in 0..<matrix.vectors { transposeBlock(matrix, top: top, vector: v) }
    }
  }

  @inline(always)
  private func transposeBlock(_ matrix: PaddedMatrix, top: Int, vector v: Int) {
    var block = [16 of FloatVector](repeating: .zero)
    for row in 0..<8 {
      let (a, b) = (matrix[top &+ row, vector: v], matrix[top &+ row &+ 8, vector: v])
      block[2 &* row] = interleave(a.lowHalf, b.lowHalf)
      block[2 &* row &+ 1] = interleave(a.highHalf, b.highHalf)
    }
    block = interleaved(interleaved(interleaved(block)))
    for row in 0..<vectorWidth {
      self[v &* vectorWidth &+ row, vector: top / vectorWidth] = block[row]
    }
  }
}

/// Vector i interleaved with vector i + 8, for all i below 8. Each of four such rounds moves one bit of
/// an element's row number into its column number.
@inline(always)
private func interleaved(_ block: [16 of FloatVector]) -> [16 of FloatVector] {
  var result = block
  for index in 0..<8 {
    let (a, b) = (block[index], block[index &+ 8])
    result[2 &* index] = interleave(a.lowHalf, b.lowHalf)
    result[2 &* index &+ 1] = interleave(a.highHalf, b.highHalf)
  }
  return result
}

/// a₀ b₀ a₁ b₁ …
@inline(always)
private func interleave(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> FloatVector {
  var result = FloatVector()
  result.evenHalf = a
  result.oddHalf = b
  return result
}
