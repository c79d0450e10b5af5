// The matrix product of padded matrices: `cblas_sgemm` on their memory, nothing copied.
//
// As for matrices, a transposition is a tag on the operand. The three combinations here are the ones
// that a linear layer has: its output, its input's gradient, its weights' gradient.

import CBLAS

/// A padded matrix that a product takes transposed; see `PaddedMatrix.T`.
package struct TransposedPaddedMatrix {
  fileprivate let stored: PaddedMatrix
}

extension PaddedMatrix {
  /// The transpose, as a tag that a product understands.  (columns, rows)
  // swift-format-ignore: AlwaysUseLowerCamelCase
  package var T: TransposedPaddedMatrix { TransposedPaddedMatrix(stored: self) }
}

/// c ← a @ b, or c + a @ b, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: PaddedMatrix, _ b: PaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.rows, b.columns), c)
  sgemm(CblasNoTrans, a, CblasNoTrans, b, depth: a.columns, c, isAdding)
}

/// c ← a @ b.T, or c + a @ b.T, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: PaddedMatrix, _ b: TransposedPaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.rows, a.columns), (b.stored.columns, b.stored.rows), c)
  sgemm(CblasNoTrans, a, CblasTrans, b.stored, depth: a.columns, c, isAdding)
}

/// c ← a.T @ b, or c + a.T @ b, by `cblas_sgemm`.  The memory of c must not be that of a or b.
package func multiply(
  _ a: TransposedPaddedMatrix, _ b: PaddedMatrix, into c: PaddedMatrix, isAdding: Bool = false
) {
  check((a.stored.columns, a.stored.rows), (b.rows, b.columns), c)
  sgemm(CblasTrans, a.stored, CblasNoTrans, b, depth: b.rows, c, isAdding)
}

private func check(
  _ a: (rows: Int, columns: Int), _ b: (rows: Int, columns: Int), _ c: PaddedMatrix
) {
  precondition(
    a.columns == b.rows && c.rows == a.rows && c.columns == b.columns,
    "multiply: (\(a.rows), \(a.columns)) @ (\(b.rows), \(b.columns)) into (\(c.rows), \(c.columns))"
  )
}

private func sgemm(
  _ transposeA: CBLAS_TRANSPOSE, _ a: PaddedMatrix, _ transposeB: CBLAS_TRANSPOSE,
  _ b: PaddedMatrix, depth: Int, _ c: PaddedMatrix, _ isAdding: Bool
) {
  guard c.rows > 0, c.columns > 0 else { return }
  // A sum of nothing: a rank without a window in the minibatch.
  guard depth > 0 else {
    if !isAdding { c.fill(0) }
    return
  }
  _ = BLASLibrary.isReady
  unsafe cblas_sgemm(
    CblasRowMajor, transposeA, transposeB, CInt(c.rows), CInt(c.columns), CInt(depth), 1,
    a.start, CInt(a.stride), b.start, CInt(b.stride), isAdding ? 1 : 0, c.start, CInt(c.stride))
}
