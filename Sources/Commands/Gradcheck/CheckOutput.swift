// What a check has to show, for people.

import CharMLP
import CommandSupport
import OrderedJSON

/// A report and verdicts beside the problem that they are about.
struct CheckOutput {
  let problem: CheckedProblem
  /// Every comparison; nil if only the verdicts are asked for.
  let report: GradientReport?
  /// The verdicts on a reference.
  let verdicts: VerdictOutput?

  /// Checks the problem.
  ///
  /// - Throws: `CommandFailure` (65) if a reference has nothing to judge.
  init(_ problem: CheckedProblem, showsTables: Bool) throws(CommandFailure) {
    self.problem = problem
    verdicts = problem.reference.map {
      VerdictOutput(reference: $0, verdicts: PassVerdicts($0))
    }
    if let verdicts, verdicts.verdicts.isEmpty {
      throw verdicts.nothingToJudge(problem.source)
    }
    report = showsTables ? problem.report() : nil
  }

  /// Prints everything.
  ///
  /// - Throws: `CommandFailure` (1) if something is wrong.
  func write(asJSON: Bool) throws(CommandFailure) {
    try StandardOutput.shared.write(asJSON ? json.encoded() + "\n" : text)
    if let failure { throw failure }
  }

  var text: String {
    let details = report.map { [tables($0), notes($0), faults($0), summary($0)] } ?? []
    let sections = [heading, verdicts?.text ?? ""] + details
    return sections.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Why the command ends with 1, if it does. What the verdicts say of a reference counts, and not
  /// how far it is from ours.
  private var failure: CommandFailure? {
    if let verdicts, !verdicts.verdicts.passed { return verdicts.failure }
    let wrong = wrong
    guard !wrong.isEmpty, let report else { return nil }
    let worst = wrong.map { "\($0.tensor) against \($0.against.rawValue)" }
    let shown = worst.prefix(3).joined(separator: ", ") + (worst.count > 3 ? ", …" : "")
    return CommandFailure(
      .failure, "\(worst.count) of \(report.comparisons.count) comparisons WRONG: \(shown)")
  }

  private var wrong: [Comparison] {
    (report?.wrong ?? []).filter { verdicts == nil || $0.against != .reference }
  }
}

// MARK: The parts of the text

extension CheckOutput {
  private var heading: String {
    let shape = problem.problem.parameters.shape
    let dropout = problem.problem.dropout.map { ", dropout \($0.rate)" } ?? ""
    return """
      \(problem.source.singleLine()), \((problem.reference?.precision ?? .float64).rawValue)
      \(problem.problem.minibatch.count) windows of \(shape.blockSize), embedding \(shape.embedding), \
      hidden \(shape.hidden), vocabulary \(shape.vocabulary)\(dropout)

      """
  }

  private func tables(_ report: GradientReport) -> String {
    let gradients = table("gradient of", report.gradients)
    return report.forward.isEmpty ? gradients : gradients + "\n" + table("forward", report.forward)
  }

  private func table(_ heading: String, _ rows: [Comparison]) -> String {
    var table = Table(
      [
        heading, "shape", "against", "checked", "exact", "max abs", "max rel", "verdict",
        "worst element",
      ], leftAligned: [0, 1, 2, 3, 4, 7, 8])
    for row in rows {
      table.add([
        row.name, row.shape.shapeDescription, row.against.rawValue, row.coverage.text,
        row.isExact ? "yes" : "no", Format.scientific(row.maxAbs), Format.scientific(row.maxRel),
        row.verdict.rawValue, row.isExact ? "" : row.worst.place.text,
      ])
    }
    return table.text
  }

  private func notes(_ report: GradientReport) -> String {
    var notes: [String] = []
    if report.gradients.contains(where: { $0.coverage != .allElements }) {
      notes.append("32+8: 32 elements and 8 random directions, of more than 1,000 elements.")
    }
    notes.append(
      """
      b1, logit_maxes: gradients that are zero in exact arithmetic. Batch norm subtracts b1 again with
      the mean, and a softmax does not see what is subtracted from all logits. All that is computed is
      rounding, so they are judged absolutely; max rel is relative to the terms that cancel.
      """)
    if let reference = problem.reference { notes.append(note(on: reference, report)) }
    return notes.map { $0 + "\n" }.joined()
  }

  private func note(on reference: Reference, _ report: GradientReport) -> String {
    let gradients = report.gradients.count { $0.against == .reference }
    let forward = report.forward.count { $0.against == .reference }
    let note = "reference: \(gradients) of 26 gradients, \(forward) of 20 forward tensors"
    guard !reference.ignored.isEmpty else { return note + "." }
    return note + "; not compared: " + reference.ignored.joined(separator: ", ").singleLine() + "."
  }

  /// A line for everything that is wrong.
  private func faults(_ report: GradientReport) -> String {
    report.wrong.map { row in
      """
      WRONG \(row.tensor.name) at \(row.worst.place.text): \(row.against.rawValue) \(row.worst.found), \
      derivation \(row.worst.expected); rounding explains \(Format.scientific(row.worst.bound))

      """
    }.joined()
  }

  private func summary(_ report: GradientReport) -> String {
    let counts = report.counts.map { "\($0.count) \($0.verdict.rawValue)" }
    return "\(report.comparisons.count) comparisons: \(counts.joined(separator: ", "))\n"
  }
}

// MARK: - What a check has to show, for programs

extension CheckOutput {
  /// `scalar`, `passed`, `tensors` (the gradients), `forward`, the names that were not compared, and a
  /// reference's verdicts and what a whole file of it is wrong in.
  private var json: JSONValue {
    [
      "scalar": .string((problem.reference?.precision ?? .float64).rawValue),
      "passed": .bool(failure == nil),
      "cause": verdicts?.verdicts.cause.map { .string($0.rawValue) } ?? .null,
      "verdicts": verdicts?.json ?? [],
      "tensors": .array((report?.gradients ?? []).map(json)),
      "forward": .array((report?.forward ?? []).map(json)),
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

// MARK: - The words for what a row compares

extension Comparison.Coverage {
  var text: String {
    switch self {
    case .allElements: "all"
    case .sample(let elements, let directions): "\(elements)+\(directions)"
    }
  }
}

extension Comparison.Worst.Place {
  var text: String {
    switch self {
    case .element(let index): index.shapeDescription
    case .direction(let number): "direction \(number)"
    }
  }
}
