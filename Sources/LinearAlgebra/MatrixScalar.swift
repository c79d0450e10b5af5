// The scalar types a matrix can hold: Float and Double, the two that BLAS multiplies.
//
// The one requirement beyond their arithmetic is BLAS's own product, so that everything above can be
// written once for both.

import CBLAS
public import RealModule

/// A scalar that a `Matrix` can hold and BLAS can multiply: `Float` or `Double`.
public protocol MatrixScalar: Real, BinaryFloatingPoint, Sendable {
  /// C ← alpha · op(A) @ op(B) + beta · C in row-major order, by CBLAS.
  ///
  /// The caller has checked every dimension: BLAS prints a line about a bad one and returns as if all
  /// were well.
  @unsafe static func cblasProduct(_ call: ProductCall<Self>)
}

/// The arguments of one call of BLAS's matrix product, dimensions checked.
@unsafe public struct ProductCall<Scalar> {
  let transposeA: Bool
  let transposeB: Bool
  let m: CInt
  let n: CInt
  let k: CInt
  let alpha: Scalar
  let a: UnsafePointer<Scalar>  // (m, k), or (k, m) when transposed
  let lda: CInt
  let b: UnsafePointer<Scalar>  // (k, n), or (n, k) when transposed
  let ldb: CInt
  let beta: Scalar
  let c: UnsafeMutablePointer<Scalar>  // (m, n)
  let ldc: CInt
}

extension Float: MatrixScalar {
  @unsafe public static func cblasProduct(_ call: ProductCall<Float>) {
    unsafe cblas_sgemm(
      CblasRowMajor, call.transposeA ? CblasTrans : CblasNoTrans,
      call.transposeB ? CblasTrans : CblasNoTrans, call.m, call.n, call.k, call.alpha, call.a,
      call.lda, call.b, call.ldb, call.beta, call.c, call.ldc)
  }
}

extension Double: MatrixScalar {
  @unsafe public static func cblasProduct(_ call: ProductCall<Double>) {
    unsafe cblas_dgemm(
      CblasRowMajor, call.transposeA ? CblasTrans : CblasNoTrans,
      call.transposeB ? CblasTrans : CblasNoTrans, call.m, call.n, call.k, call.alpha, call.a,
      call.lda, call.b, call.ldb, call.beta, call.c, call.ldc)
  }
}
