// The diagnostics that a line of metrics carries: docs/metrics.md says what each means.
//
// They take a copy of the parameters before the step that ends in an evaluation, and one pass of the
// derivation after it. Training does not notice: its steps, and their bits, stay the same.

import CharMLP
import CommandSupport

/// Watches a run at its evaluations.
final class HealthRecord {
  private let minibatch: Minibatch?
  private var before: Parameters<Float>?

  init(_ dataset: Dataset, _ recipe: Recipe) {
    minibatch = .forDiagnosis(dataset, recipe)
  }

  /// Advances a trainer to a step, and remembers the parameters before the last one if an evaluation
  /// follows.
  func advance(_ trainer: Trainer, to target: Int, isEvaluation: Bool) throws(Divergence) {
    before = nil
    if isEvaluation, minibatch != nil, trainer.step < target {
      try trainer.advance(to: target - 1)
      before = trainer.parameters
    }
    try trainer.advance(to: target)
  }

  /// What is to be told about the step that the trainer is at; nothing where sizes are too large.
  func json(_ trainer: Trainer) -> [(key: String, value: JSONValue)] {
    guard let minibatch else { return [] }
    let parameters = trainer.parameters
    let found = Diagnostics(parameters, minibatch)
    var pairs: [(key: String, value: JSONValue)] = [
      (key: "saturated", value: .number(found.saturatedShare)),
      (key: "dead_units", value: .integer(found.deadUnits)),
      (
        key: "gradient_deviation",
        value: .object(found.gradients.map { (key: $0.name, value: .number($0.deviation)) })
      ),
    ]
    if let before {
      let ratios = UpdateRatios(from: before, to: parameters).logarithms
      let values = ratios.map { (key: $0.name, value: $0.value.map(JSONValue.number) ?? .null) }
      pairs.append((key: "update_ratio", value: .object(values)))
    }
    return pairs
  }
}
