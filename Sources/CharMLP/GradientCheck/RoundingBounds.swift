// How much of a difference rounding can explain, tensor by tensor: measured, not guessed.
//
// Float and Double run the same lines on the same numbers, so what they differ by is Float's rounding.
// Batch norm amplifies it by bnvar_inv, up to 316, and which unit is hit depends on the problem; so
// the measurement is made on the problem itself. Double's rounding is Float's scaled by 2⁻²⁹.
//
// One pass is not enough. Where a single element decides, it can be right by luck, and a bound near
// zero would condemn every other program: one correct program in 20 is more than 16 × as far off as a
// single pass. So there are eight, with parameters and embeddings moved by at most a last place, which
// changes all roundings and nothing else; fewer than one in a million exceed 16 × the largest of them.
// Each is run step by step and with the forms in one go, because those round differently: in db1 the
// steps cancel what they have lost, and one expression does not.

import LinearAlgebra

/// The largest differences that two correct programs may show.
struct RoundingBounds: Sendable {
  /// max|Float − Double| of each tensor, under its name in a file.
  private let differences: [String: Double]
  /// What the last place is taken of.
  private let magnitudes: Magnitudes
  private let terms: RoundedTerms

  /// The factor between two programs' roundings.
  private static let factor = 16.0

  /// The passes that are compared, in each precision.
  private static let passes = 8

  /// Measures the problem's rounding.
  init(_ problem: GradientProblem, magnitudes: Magnitudes, threads: Int) {
    let measured = inParallel(Self.passes, threads: threads) { pass in
      var nudge = Nudge(pass: pass)
      let parameters = nudge(problem.parameters.converted(to: Float.self))
      let emb = nudge(Derivation(parameters, problem.minibatch).emb)
      return Self.differences(parameters, problem.minibatch, emb: emb)
    }
    differences = measured.reduce(into: [:]) { $0.merge($1) { max($0, $1) } }
    self.magnitudes = magnitudes
    terms = RoundedTerms(problem)
  }

  /// 16 · max|Float − Double|, scaled to the precision, + roundings in the line · last place.
  ///
  /// - Parameter tensor: Its name in a file, such as `h` or `dh`.
  subscript(tensor: String, precision: Precision) -> Double {
    guard let difference = differences[tensor] else {
      preconditionFailure("RoundingBounds: \(tensor) is no tensor of the pass")
    }
    let scale = precision.ulpOfOne / Precision.float32.ulpOfOne
    return Self.factor * difference * scale
      + Double(terms[tensor]) * precision.ulp(of: magnitudes[tensor])
  }

  /// What Float and Double differ by, step by step or with the forms in one go, whichever is more.
  ///
  /// Each form is compared with itself: a fault in one of them must not pass for rounding.
  private static func differences(
    _ parameters: Parameters<Float>, _ minibatch: Minibatch, emb: Matrix<Float>
  ) -> [String: Double] {
    var differences: [String: Double] = [:]
    for isOneGo in [false, true] {
      let single = pass(parameters, minibatch, emb: emb, isOneGo: isOneGo)
      let double = pass(
        parameters.converted(to: Double.self), minibatch, emb: emb.converted(), isOneGo: isOneGo)
      for ((name, found), (_, expected)) in zip(single.tensorsByFileName, double.tensorsByFileName)
      {
        let difference = Difference(found.converted(), expected).largest
        differences[name] = max(differences[name] ?? 0, difference)
      }
    }
    return differences
  }

  private static func pass<Scalar: MatrixScalar>(
    _ parameters: Parameters<Scalar>, _ minibatch: Minibatch, emb: Matrix<Scalar>, isOneGo: Bool
  ) -> Derivation<Scalar> {
    let pass = Derivation(parameters, minibatch)
    pass.emb = emb
    if isOneGo {
      pass.dlogits = pass.dlogitsInOneGo
      pass.dhprebn = pass.dhprebnInOneGo
    }
    return pass
  }
}

/// Moves numbers by a last place up, down, or not at all, at random; in pass 0, none moves.
private struct Nudge {
  private let isIdle: Bool
  private var random: PythonRandom

  init(pass: Int) {
    isIdle = pass == 0
    random = PythonRandom(seed: pass)
  }

  mutating func callAsFunction(_ matrix: Matrix<Float>) -> Matrix<Float> {
    if isIdle { return matrix }
    let elements = matrix.elements.map { element in
      element + Float(random.randbelow(3) - 1) * Float.ulpOfOne * element
    }
    return Matrix(rows: matrix.rows, columns: matrix.columns, elements: elements)
  }

  mutating func callAsFunction(_ parameters: Parameters<Float>) -> Parameters<Float> {
    var nudged = parameters
    for (_, path) in Parameters<Float>.ordered {
      nudged[keyPath: path] = self(nudged[keyPath: path])
    }
    return nudged
  }
}
