// Elementary functions, element by element, from swift-numerics.
//
// They are the reference: correctly rounded or nearly so, in both precisions. The engine has faster
// ones of its own, which are tested against these.

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
