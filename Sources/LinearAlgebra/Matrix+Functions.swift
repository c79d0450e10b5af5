// What is done to each element alone: arithmetic with a scalar, and swift-numerics' functions.
//
// The functions are the reference: correctly rounded or nearly so, in both precisions. The engine has
// faster ones of its own, which are tested against these. All stand in the file of the loop they share,
// because without whole-module optimization, as in a debug build, it is specialized nowhere else.

import RealModule

/// eˣ of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func exp<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.exp($0) } }

/// The natural logarithm of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func log<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.log($0) } }

/// The hyperbolic tangent of every element.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func tanh<Scalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.map { Scalar.tanh($0) } }

/// Every element to the given power.
///
/// −1 and −1/2 and 2, the derivation's powers, are computed as 1/x, 1/√x and x·x.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func pow<Scalar>(_ x: Matrix<Scalar>, _ power: Scalar) -> Matrix<Scalar> {
  switch power {
  case -1: x.map { 1 / $0 }
  case -0.5: x.map { 1 / $0.squareRoot() }
  case 2: x.map { $0 * $0 }
  default: x.map { Scalar.pow($0, power) }
  }
}

extension Matrix {
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func * (lhs: Scalar, rhs: Matrix) -> Matrix { rhs.map { lhs * $0 } }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func / (lhs: Matrix, rhs: Scalar) -> Matrix { lhs.map { $0 / rhs } }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func + (lhs: Matrix, rhs: Scalar) -> Matrix { lhs.map { $0 + rhs } }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func - (lhs: Scalar, rhs: Matrix) -> Matrix { rhs.map { lhs - $0 } }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static prefix func - (operand: Matrix) -> Matrix { operand.map { -$0 } }
}

extension Matrix {
  @inline(__always)
  fileprivate func map(_ transform: (Scalar) -> Scalar) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements.map(transform))
  }
}
