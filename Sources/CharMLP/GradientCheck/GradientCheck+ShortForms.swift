// The two "all in one go" forms and the fused engine, against the step-by-step pass in Double.

import LinearAlgebra

extension GradientCheck {
  /// dlogits and dhprebn as one expression each, in Double.
  func oneGoGradients() -> [String: Comparison] {
    let forms = [
      ("dlogits", steps.dlogitsInOneGo, steps.dlogits),
      ("dhprebn", steps.dhprebnInOneGo, steps.dhprebn),
    ]
    return forms.reduce(into: [:]) { rows, form in
      let (name, found, expected) = form
      rows[name] = comparison(
        name, against: .oneGo, found: found, expected: expected,
        bound: bounds[name, .float64])
    }
  }

  /// What the engine that trains leaves in memory, in Float: the loss and twelve gradients.
  ///
  /// The engine is given parameters that Float can hold, and so is the pass that it is held against.
  func fusedTensors() -> [String: Comparison] {
    let single = problem.singlePrecision
    let expected = single == problem ? steps : single.steps
    let known = Dictionary(uniqueKeysWithValues: expected.tensorsByFileName.map { ($0, $1) })
    let engine = FusedEngine(
      problem.parameters.converted(), batchSize: problem.minibatch.count, keepsIntermediates: true)
    let loss = engine.differentiate(problem.minibatch, dropout: problem.dropout)
    let gradients = engine.gradients
    var found = engine.intermediates
    found.append(("loss", Matrix(rows: 1, columns: 1, repeating: loss)))
    for (name, path) in Parameters<Float>.ordered {
      found.append(("d" + name, gradients[keyPath: path]))
    }
    return found.reduce(into: [:]) { rows, tensor in
      guard let expected = known[tensor.name] else {
        preconditionFailure("GradientCheck: \(tensor.name) is no tensor of the pass")
      }
      rows[tensor.name] = comparison(
        tensor.name, against: .fused, found: tensor.value.converted(), expected: expected,
        bound: bounds.engineBound(tensor.name))
    }
  }
}

extension FusedEngine {
  /// The gradients of intermediates that are left in memory; slices side by side.
  package var intermediates: [(name: String, value: Matrix<Float>)] {
    var tensors = [
      ("dlogits", stages.output.dlogits.matrix), ("dh", sideBySide { $0.dh }),
      ("dhpreact", sideBySide { $0.dhpreact }), ("dhprebn", sideBySide { $0.dhprebn }),
    ]
    let shares = stages.slices.compactMap { ($0.firstLayer as? PerExampleLayer)?.dembcat.matrix }
    if let first = shares.first {
      tensors.append(("dembcat", shares.dropFirst().reduce(first, +)))
    }
    return tensors
  }

  private func sideBySide(_ part: (HiddenSlice) -> PaddedMatrix) -> Matrix<Float> {
    var whole = Matrix<Float>.zeros(batchSize, shape.hidden)
    for slice in stages.slices { part(slice).copy(to: &whole, column: slice.units.lowerBound) }
    return whole
  }
}
