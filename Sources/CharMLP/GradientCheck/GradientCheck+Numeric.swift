// The numeric comparison of all 26 gradients, its probes shared out over threads.

import LinearAlgebra

extension GradientCheck {
  /// Probes that one thread takes at a time.
  private static let probesInPiece = 32

  private struct Piece: Sendable {
    let tensor: Int
    let probes: ArraySlice<NumericGradient.Probe>
  }

  /// Every gradient against central differences, under its name in a file.
  func numericGradients() -> [String: Comparison] {
    let loss = PerturbedLoss(problem, steps: steps)
    let scales = StepScales(steps)
    let subjects = Derivation<Double>.gradientTensors.map { name, path in
      let value = value(of: name)
      return (
        numeric: NumericGradient(
          name: name, loss: loss, value: value,
          scales: scales.scales(of: name).broadcast(value.rows, value.columns)),
        gradient: steps[keyPath: path], rounding: bounds["d" + name, .float64]
      )
    }
    let pieces = subjects.indices.flatMap { tensor in
      let probes = subjects[tensor].numeric.probes
      return stride(from: 0, to: probes.count, by: Self.probesInPiece).map { first in
        Piece(tensor: tensor, probes: probes[first..<min(first + Self.probesInPiece, probes.count)])
      }
    }
    let lossRounding = bounds["loss", .float64]
    let findings = inParallel(pieces.count, threads: threads) { index in
      let subject = subjects[pieces[index].tensor]
      return pieces[index].probes.map { probe in
        subject.numeric.finding(
          probe, subject.gradient, gradientRounding: subject.rounding, lossRounding: lossRounding)
      }
    }
    var all = Array(repeating: [NumericGradient.Finding](), count: subjects.count)
    for (piece, found) in zip(pieces, findings) { all[piece.tensor] += found }
    return zip(subjects, all).reduce(into: [:]) { rows, subject in
      let numeric = subject.0.numeric
      rows["d" + numeric.name] = Comparison(
        numeric.name, shapes.shape(of: numeric.name), coverage: numeric.coverage, subject.1,
        magnitude: magnitudes["d" + numeric.name])
    }
  }

  /// A parameter or an intermediate of the pass.
  private func value(of name: String) -> Matrix<Double> {
    for (intermediate, path) in Derivation<Double>.forwardTensors where intermediate == name {
      return steps[keyPath: path]
    }
    for (parameter, path) in Parameters<Double>.ordered where parameter == name {
      return problem.parameters[keyPath: path]
    }
    preconditionFailure("GradientCheck: \(name) is no tensor of the pass")
  }
}

extension NumericGradient {
  fileprivate var coverage: Comparison.Coverage {
    isComplete
      ? .allElements
      : .sample(elements: Self.sampledElements, directions: Self.directions)
  }
}
