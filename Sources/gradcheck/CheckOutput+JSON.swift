// What a check has to show, for programs.

import CharMLP
import CommandSupport

extension CheckOutput {
  /// `scalar`, `passed`, `tensors` (the gradients), `forward`, and the names that were not compared.
  var json: JSONValue {
    [
      "scalar": .string(report.precision.rawValue),
      "passed": .bool(report.passed),
      "tensors": .array(report.gradients.map(json)),
      "forward": .array(report.forward.map(json)),
      "ignored": .array((problem.reference?.ignored ?? []).map { .string($0) }),
    ]
  }

  /// A row; numbers that are not finite are null.
  private func json(_ row: Comparison) -> JSONValue {
    [
      "name": .string(row.name),
      "shape": .array(row.shape.map { .integer($0) }),
      "against": .string(row.against.rawValue),
      "checked": .string(row.coverage.text),
      "exact": .bool(row.isExact),
      "max_abs": .number(row.maxAbs),
      "max_rel": .number(row.maxRel),
      "bound": .number(row.worst.bound),
      "verdict": .string(row.verdict.rawValue),
      "worst": json(row.worst),
    ]
  }

  private func json(_ worst: Comparison.Worst) -> JSONValue {
    let place: (key: String, value: JSONValue) =
      switch worst.place {
      case .element(let index): ("element", .array(index.map { .integer($0) }))
      case .direction(let number): ("direction", .integer(number))
      }
    return .object([place, ("found", .number(worst.found)), ("expected", .number(worst.expected))])
  }
}
