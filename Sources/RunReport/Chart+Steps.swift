// Charts whose axis counts steps: how far it goes, where its marks stand, and columns over it.

extension Chart {
  /// The variables that every script over steps needs.
  static func steps(upTo last: Int?) -> [(name: StaticString, value: Double)] {
    let last = Double(max(1, last ?? 1))
    return [
      (name: "last_step", value: last),
      (name: "step_marks", value: max(1, roundDistance(last, marks: 4))),
    ]
  }

  /// A chart of values of evaluations, each a column of the file that the script reads.
  static func overSteps(
    _ kind: Kind, _ description: String, file: String, _ lines: [MetricsLine],
    variables: [(name: StaticString, value: Double)] = [], _ values: (MetricsLine) -> [Double?]
  ) -> Chart {
    Chart(
      kind: kind, description: description,
      variables: steps(upTo: lines.last?.step) + variables,
      files: [.init(name: file, rows: rows(lines, values))])
  }

  /// A row for each line: its step, and its values.
  static func rows(_ lines: [MetricsLine], _ values: (MetricsLine) -> [Double?]) -> [[Cell]] {
    lines.map { line in ([Double(line.step)] + values(line)).map { .number($0) } }
  }

  /// A round distance between marks of an axis, of which there shall be at most so many.
  static func roundDistance(_ span: Double, marks: Int) -> Double {
    let distance = span / Double(marks)
    guard distance.isFinite, distance > 0 else { return 1 }
    var power = 1e-3
    while power * 10 < distance { power *= 10 }
    return [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= distance } ?? distance
  }
}
