// The BLAS product against the naive one by scaled residual, as BLAS test suites judge it, and the
// naive one against the definition.

import LinearAlgebra
import Testing

@Suite("Matrix product")
struct MatrixProductTests {
  /// One random product: c ← alpha · op(a) @ op(b) + beta · c.
  struct Problem<Scalar: MatrixScalar> {
    let alpha: Scalar
    let beta: Scalar
    let a: Matrix<Scalar>
    let b: Matrix<Scalar>
    let c: Matrix<Scalar>
    let transposes: (a: Bool, b: Bool)

    init(using generator: inout SplitMix64) {
      let sizes = [0, 1, 2, 3, 5, 8, 13, 27, 32, 33, 64, 70]
      let (m, n) = (
        sizes.randomElement(using: &generator)!, sizes.randomElement(using: &generator)!
      )
      let k = sizes.randomElement(using: &generator)!
      let factors: [Scalar] = [0, 1, -1, 0.37, 2.5]
      alpha = factors.randomElement(using: &generator)!
      beta = factors.randomElement(using: &generator)!
      transposes = (Bool.random(using: &generator), Bool.random(using: &generator))
      a = transposes.a ? .random(k, m, using: &generator) : .random(m, k, using: &generator)
      b = transposes.b ? .random(n, k, using: &generator) : .random(k, n, using: &generator)
      // With beta = 0 the old content must not be read, not even when it is not a number.
      c =
        beta == 0
        ? Matrix(rows: m, columns: n, repeating: .nan) : .random(m, n, using: &generator)
    }

    func solved(by product: MatrixProduct) -> Matrix<Scalar> {
      var result = c
      switch transposes {
      case (false, false): product.accumulate(alpha: alpha, a, b, beta: beta, into: &result)
      case (true, false): product.accumulate(alpha: alpha, a.T, b, beta: beta, into: &result)
      case (false, true): product.accumulate(alpha: alpha, a, b.T, beta: beta, into: &result)
      case (true, true): product.accumulate(alpha: alpha, a.T, b.T, beta: beta, into: &result)
      }
      return result
    }

    /// max |x − y| over eps · (k + 2) · max|alpha a| · max|b| …: the residual in units of the error
    /// bound of any order of summation.
    var scaledResidual: Double {
      let (x, y) = (solved(by: .blas), solved(by: .naive))
      guard x.rows == y.rows, x.columns == y.columns else { return .infinity }
      let depth = transposes.a ? a.rows : a.columns
      let old = beta == 0 ? 0 : Double(abs(beta) * c.largestMagnitude)
      let scale =
        Double(abs(alpha) * a.largestMagnitude * b.largestMagnitude) * Double(depth) + old
      let difference = zip(x.elements, y.elements).reduce(0.0) { worst, pair in
        // Written so that a NaN on either side counts.
        let distance = Double(abs(pair.0 - pair.1))
        return distance <= worst ? worst : distance
      }
      return difference == 0 ? 0 : difference / (Double(Scalar.ulpOfOne) * scale)
    }
  }

  @Test("5,000 random products in Float differ from the naive product by a residual below 16")
  func singlePrecision() {
    expectSmallResiduals(Float.self, seed: 1)
  }

  @Test("5,000 random products in Double differ from the naive product by a residual below 16")
  func doublePrecision() {
    expectSmallResiduals(Double.self, seed: 2)
  }

  private func expectSmallResiduals<Scalar: MatrixScalar>(_: Scalar.Type, seed: UInt64) {
    var generator = SplitMix64(state: seed)
    for _ in 0..<5000 {
      let problem = Problem<Scalar>(using: &generator)
      let residual = problem.scaledResidual
      #expect(
        residual < 16,
        "\(problem.a.shapeDescription) \(problem.b.shapeDescription) \(problem.transposes)")
    }
  }

  @Test(
    "A known product comes out as on paper, with every transposition",
    arguments: MatrixProduct.allCases)
  func knownProduct(matmul: MatrixProduct) {
    let a = Matrix<Float>(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
    let b = Matrix<Float>(rows: 3, columns: 2, elements: [7, 8, 9, 10, 11, 12])
    let expected = Matrix<Float>(rows: 2, columns: 2, elements: [58, 64, 139, 154])
    #expect(matmul(a, b) == expected)
    #expect(matmul(a.transposed().T, b) == expected)
    #expect(matmul(a, b.transposed().T) == expected)
    #expect(matmul(a.transposed().T, b.transposed().T) == expected)
  }

  @Test(
    "A product of depth 0 is zero, and one without rows is empty", arguments: MatrixProduct.allCases
  )
  func emptyProducts(matmul: MatrixProduct) {
    #expect(matmul(Matrix<Float>.zeros(2, 0), Matrix.zeros(0, 3)) == .zeros(2, 3))
    #expect(matmul(Matrix<Float>.zeros(0, 4), Matrix.zeros(4, 3)) == .zeros(0, 3))
  }

  @Test("A wrong shape stops the program before BLAS sees it")
  func wrongShape() async {
    await #expect(processExitsWith: .failure) {
      _ = MatrixProduct.blas(Matrix<Float>.zeros(2, 3), Matrix.zeros(2, 3))
    }
  }
}
