// One measurement of rounding: passes in Float and in Double on the same numbers, in several forms.
//
// Each form is compared with itself, so that a fault in one of them cannot pass for rounding.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The numbers that a measurement starts from.
struct NudgedPass {
  private let parameters: Parameters<Float>
  private let minibatch: Minibatch
  private let dropout: RandomMask?
  private let emb: Matrix<Float>

  /// Starts from the problem's numbers in pass 0; in the others, parameters and embeddings are moved
  /// by at most a last place, so that even two windows with one context differ.
  init(_ number: Int, of problem: GradientProblem) {
    let given = problem.parameters.converted(to: Float.self)
    var nudge = Nudge(seed: number)
    parameters = number == 0 ? given : nudge(given)
    minibatch = problem.minibatch
    dropout = problem.dropout
    let looked = Derivation(parameters, minibatch).emb
    emb = number == 0 ? looked : nudge(looked)
  }

  /// How a pass computes.
  enum Form {
    /// Line by line.
    case steps
    /// dlogits and dhprebn in one expression each.
    case oneGo
    /// In one go, and in Float with functions that are only as good as the engine's. The seed decides
    /// by how much each of their results is off.
    case engine(seed: Int)
  }

  /// The largest |Float − Double| of every tensor in any of the forms, under its name in a file.
  func differences(_ forms: [Form]) -> [String: Double] {
    var differences: [String: Double] = [:]
    for form in forms {
      let found = single(form).tensorsByFileName
      let expected = double(form).tensorsByFileName
      for ((name, found), (_, expected)) in zip(found, expected) {
        let difference = Difference(found.converted(), expected).largest
        differences[name] = max(differences[name] ?? 0, difference)
      }
    }
    return differences
  }

  private func single(_ form: Form) -> Derivation<Float> {
    let pass = Derivation(parameters, minibatch, dropout: dropout)
    pass.emb = emb
    if case .engine(let seed) = form {
      // What SIMDFunctions promises: 1/√x within 3 places, tanh within 5.
      var nudge = Nudge(seed: seed)
      pass.bnvar_inv = nudge(pass.bnvar_inv, places: 3)
      pass.h = nudge(pass.h, places: 5)
    }
    pass.take(form)
    return pass
  }

  private func double(_ form: Form) -> Derivation<Double> {
    let pass = Derivation(
      parameters.converted(to: Double.self), minibatch, dropout: dropout)
    pass.emb = emb.converted()
    pass.take(form)
    return pass
  }
}

extension Derivation {
  /// Replaces the steps by the forms in one go, if that is the form.
  fileprivate func take(_ form: NudgedPass.Form) {
    if case .steps = form { return }
    dlogits = dlogitsInOneGo
    dhprebn = dhprebnInOneGo
  }
}

/// Moves numbers by some last places up or down, or not at all, at random.
struct Nudge {
  private var random: PythonRandom

  init(seed: Int) { random = PythonRandom(seed: seed) }

  mutating func callAsFunction(_ matrix: Matrix<Float>, places: Int = 1) -> Matrix<Float> {
    let elements = matrix.elements.map { element in
      element + Float(random.randbelow(2 * places + 1) - places) * Float.ulpOfOne * element
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
