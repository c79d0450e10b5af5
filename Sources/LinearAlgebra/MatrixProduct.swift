// The matrix product, with its two implementations: CBLAS, and the naive loop it is measured and
// checked against.
//
// A product is a value, `matmul`, that is called like a function, so that the implementation can be
// changed without touching a line that uses it. A transposition is a tag on the operand, never a
// copy. Every dimension is checked here, before BLAS sees it; alpha and beta mean what they do in
// BLAS.

import CBLAS
public import RealModule

/// An operand of a matrix product: a matrix, or a matrix tagged as transposed.
public protocol MatrixOperand<Scalar> {
  /// The type of its elements.
  associatedtype Scalar: MatrixScalar

  /// The stored matrix.
  var stored: Matrix<Scalar> { get }
  /// Whether the product takes the stored matrix transposed.
  var isTransposed: Bool { get }
}

extension MatrixOperand {
  /// Rows as the product sees them.
  public var operandRows: Int { isTransposed ? stored.columns : stored.rows }
  /// Columns as the product sees them.
  public var operandColumns: Int { isTransposed ? stored.rows : stored.columns }
}

extension Matrix: MatrixOperand {
  /// The matrix itself.
  public var stored: Matrix { self }
  /// Always false.
  public var isTransposed: Bool { false }

  /// The transpose, as a tag that a product understands.  (columns, rows)
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var T: Transposed<Scalar> { Transposed(stored: self) }
}

/// A matrix that a product takes transposed; see `Matrix.T`.
public struct Transposed<Scalar: MatrixScalar>: MatrixOperand, Sendable {
  /// The matrix that is taken transposed.
  public let stored: Matrix<Scalar>
  /// Always true.
  public var isTransposed: Bool { true }
}

/// An implementation of the matrix product: `matmul(a, b.T)`.
public enum MatrixProduct: String, CaseIterable, Sendable {
  /// `cblas_sgemm` and `cblas_dgemm`.
  case blas
  /// Three loops, in the order that reads and writes memory in sequence.
  case naive

  /// The product a @ b.  (a's rows, b's columns)
  public func callAsFunction<Scalar>(
    _ a: some MatrixOperand<Scalar>, _ b: some MatrixOperand<Scalar>
  ) -> Matrix<Scalar> {
    var product = Matrix<Scalar>.zeros(a.operandRows, b.operandColumns)
    accumulate(a, b, into: &product)
    return product
  }

  /// c ← alpha · a @ b + beta · c, as BLAS defines it: with beta = 0, c's old content is not read.
  public func accumulate<Scalar>(
    alpha: Scalar = 1, _ a: some MatrixOperand<Scalar>, _ b: some MatrixOperand<Scalar>,
    beta: Scalar = 0, into c: inout Matrix<Scalar>
  ) {
    precondition(
      a.operandColumns == b.operandRows && c.rows == a.operandRows
        && c.columns == b.operandColumns,
      """
      matmul: (\(a.operandRows), \(a.operandColumns)) @ (\(b.operandRows), \(b.operandColumns)) \
      into \(c.shapeDescription)
      """)
    switch self {
    case .blas: Self.blasProduct(alpha, a, b, beta, &c)
    case .naive: Self.naiveProduct(alpha, a, b, beta, &c)
    }
  }
}

// MARK: BLAS

extension MatrixProduct {
  private static func blasProduct<Scalar>(
    _ alpha: Scalar, _ a: some MatrixOperand<Scalar>, _ b: some MatrixOperand<Scalar>,
    _ beta: Scalar, _ c: inout Matrix<Scalar>
  ) {
    guard c.count > 0 else { return }
    _ = BLASLibrary.isReady
    let (m, n, k) = (c.rows, c.columns, a.operandColumns)
    let (lda, ldb) = (a.stored.columns, b.stored.columns)
    unsafe a.stored.elements.withUnsafeBufferPointer { aElements in
      unsafe b.stored.elements.withUnsafeBufferPointer { bElements in
        unsafe c.elements.withUnsafeMutableBufferPointer { cElements in
          guard let cStart = cElements.baseAddress else { return }
          // With k = 0 there may be no memory behind a and b, and BLAS reads none; it only checks
          // that the leading dimensions are legal.
          unsafe Scalar.cblasProduct(
            ProductCall(
              transposeA: a.isTransposed, transposeB: b.isTransposed,
              m: dimension(m), n: dimension(n), k: dimension(k), alpha: alpha,
              a: aElements.baseAddress ?? UnsafePointer(cStart), lda: dimension(max(1, lda)),
              b: bElements.baseAddress ?? UnsafePointer(cStart), ldb: dimension(max(1, ldb)),
              beta: beta, c: cStart, ldc: dimension(n)))
        }
      }
    }
  }

  /// A dimension as BLAS counts it, in 32 bits.
  private static func dimension(_ value: Int) -> CInt {
    guard let dimension = CInt(exactly: value) else {
      preconditionFailure("matmul: dimension \(value) exceeds BLAS's 32 bits")
    }
    return dimension
  }
}

// MARK: The naive product

extension MatrixProduct {
  /// i-k-j order: the inner loop runs along a row of b and a row of c, and is vectorized.
  ///
  /// A transposed operand is copied to row-major order first, at the cost of reading it once.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func naiveProduct<Scalar: MatrixScalar>(
    _ alpha: Scalar, _ aStored: Matrix<Scalar>, _ bStored: Matrix<Scalar>, _ beta: Scalar,
    _ c: inout Matrix<Scalar>
  ) {
    let (rows, columns, depth) = (c.rows, c.columns, aStored.columns)
    unsafe aStored.elements.withUnsafeBufferPointer { a in
      unsafe bStored.elements.withUnsafeBufferPointer { b in
        unsafe c.elements.withUnsafeMutableBufferPointer { c in
          guard let c = c.baseAddress else { return }
          for i in 0..<rows {
            unsafe scale(c + i * columns, count: columns, by: beta)
            if alpha == 0 { continue }
            for k in 0..<depth {
              let factor = unsafe alpha * a[i * depth + k]
              unsafe add(factor, b.baseAddress! + k * columns, to: c + i * columns, count: columns)
            }
          }
        }
      }
    }
  }

  /// target ← factor · target; with 0, the old content is not read.
  @inline(__always)
  private static func scale<Scalar: MatrixScalar>(
    _ target: UnsafeMutablePointer<Scalar>, count: Int, by factor: Scalar
  ) {
    if factor == 0 {
      unsafe target.update(repeating: 0, count: count)
    } else if factor != 1 {
      for j in 0..<count { unsafe target[j] *= factor }
    }
  }

  /// target ← target + factor · source.
  @inline(__always)
  private static func add<Scalar: MatrixScalar>(
    _ factor: Scalar, _ source: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>,
    count: Int
  ) {
    for j in 0..<count { unsafe target[j] += factor * source[j] }
  }

  private static func naiveProduct<Scalar>(
    _ alpha: Scalar, _ a: some MatrixOperand<Scalar>, _ b: some MatrixOperand<Scalar>,
    _ beta: Scalar, _ c: inout Matrix<Scalar>
  ) {
    naiveProduct(alpha, a.laidOut(), b.laidOut(), beta, &c)
  }
}

extension MatrixOperand {
  /// The operand as the product sees it, in row-major order.
  func laidOut() -> Matrix<Scalar> { isTransposed ? stored.transposed() : stored }
}

extension Matrix {
  /// The transpose in memory of its own.  (columns, rows)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func transposed() -> Matrix {
    var result = Matrix.zeros(columns, rows)
    let source = elements.span
    var target = result.elements.mutableSpan
    for row in 0..<rows {
      for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
    }
    return result
  }
}

// MARK: - Scalar types
//
// Float and Double, the two that BLAS multiplies. The one requirement beyond their arithmetic is
// BLAS's own product, so that everything above can be written once for both.

/// A scalar that a `Matrix` can hold and BLAS can multiply: `Float` or `Double`.
public protocol MatrixScalar: Real, BinaryFloatingPoint, Sendable {
  /// C ← alpha · op(A) @ op(B) + beta · C in row-major order, by CBLAS.
  ///
  /// The caller has checked every dimension: BLAS prints a line about a bad one and returns as if
  /// nothing were wrong.
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
  /// The product by `cblas_sgemm`.
  @unsafe public static func cblasProduct(_ call: ProductCall<Float>) {
    unsafe cblas_sgemm(
      CblasRowMajor, call.transposeA ? CblasTrans : CblasNoTrans,
      call.transposeB ? CblasTrans : CblasNoTrans, call.m, call.n, call.k, call.alpha, call.a,
      call.lda, call.b, call.ldb, call.beta, call.c, call.ldc)
  }
}

extension Double: MatrixScalar {
  /// The product by `cblas_dgemm`.
  @unsafe public static func cblasProduct(_ call: ProductCall<Double>) {
    unsafe cblas_dgemm(
      CblasRowMajor, call.transposeA ? CblasTrans : CblasNoTrans,
      call.transposeB ? CblasTrans : CblasNoTrans, call.m, call.n, call.k, call.alpha, call.a,
      call.lda, call.b, call.ldb, call.beta, call.c, call.ldc)
  }
}
