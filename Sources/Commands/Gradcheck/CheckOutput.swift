// What a check shows: the verdicts on a notebook's lines in 80 columns, tables of comparisons, and
// JSON.

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
    try StandardOutput.shared.write(text, orJSON: json, if: asJSON)
    if let failure { throw failure }
  }

  var text: String {
    let details = report.map { [tables($0), notes($0), faults($0), summary($0)] } ?? []
    let sections = [heading, verdicts?.text ?? ""] + details
    return sections.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Why the command ends with 1, if it does. For a reference the verdicts count, not how far it is
  /// from ours.
  private var failure: CommandFailure? {
    if let verdicts, !verdicts.verdicts.passed { return verdicts.failure }
    let wrong = wrong
    guard !wrong.isEmpty, let report else { return nil }
    let worst = wrong.map { "\($0.tensor) against \($0.against.rawValue)" }
    let count = "\(worst.count) of \(report.comparisons.count)"
    return CommandFailure(.failure, "\(count) comparisons WRONG: \(firstThree(worst))")
  }

  private var wrong: [Comparison] {
    (report?.wrong ?? []).filter { verdicts == nil || $0.against != .reference }
  }
}

// MARK: The parts of the text

extension CheckOutput {
  private var precision: Precision { problem.reference?.precision ?? .float64 }

  private var heading: String {
    let shape = problem.problem.parameters.shape
    let dropout = problem.problem.dropout.map { ", dropout \($0.rate)" } ?? ""
    return """
      \(problem.source.singleLine()), \(precision.rawValue)
      \(problem.problem.minibatch.count) windows of \(shape.blockSize), embedding \(shape.embedding), \
      hidden \(shape.hidden), vocabulary \(shape.vocabulary)\(dropout)

      """
  }

  private func tables(_ report: GradientReport) -> String {
    let gradients = table("gradient of", report.gradients)
    return report.forward.isEmpty ? gradients : gradients + "\n" + table("forward", report.forward)
  }

  /// At most 80 columns wide; JSON has more of each row.
  private func table(_ heading: String, _ rows: [Comparison]) -> String {
    var table = Table(
      [heading, "shape", "against", "of", "max abs", "max rel", "verdict"],
      leftAligned: [0, 1, 2, 3, 6])
    for row in rows {
      table.add([
        row.name, row.shape.shapeDescription, row.against.rawValue, row.coverage.text,
        Format.scientific(row.maxAbs), Format.scientific(row.maxRel), row.verdict.rawValue,
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
      b1, logit_maxes: gradients that are zero in exact arithmetic. Batch norm \
      subtracts b1 again with the mean, and a softmax does not see what is subtracted \
      from all logits. What a program computes there is rounding error, so they are \
      compared with zero, and a factor in them does not show; max rel is relative to \
      the terms that cancel.
      """)
    if let reference = problem.reference { notes.append(note(on: reference, report)) }
    return notes.map { wrapped($0) }.joined()
  }

  private func note(on reference: Reference, _ report: GradientReport) -> String {
    let gradients = report.gradients.count { $0.against == .reference }
    let forward = report.forward.count { $0.against == .reference }
    let note =
      "reference: \(gradients) of \(PassTensor.gradients.count) gradients, "
      + "\(forward) of \(PassTensor.forward.count) forward tensors"
    guard !reference.ignored.isEmpty else { return note + "." }
    return note + "; not compared: " + reference.ignored.joined(separator: ", ").singleLine() + "."
  }

  /// A line for everything that is wrong.
  private func faults(_ report: GradientReport) -> String {
    report.wrong.map { row in
      wrapped(
        """
        WRONG \(row.tensor.name) at \(row.worst.place.text): \(row.against.rawValue) \(row.worst.found), \
        derivation \(row.worst.expected); rounding explains \(Format.scientific(row.worst.bound))
        """)
    }.joined()
  }

  private func summary(_ report: GradientReport) -> String {
    let counts = report.counts.map { "\($0.count) \($0.verdict.rawValue)" }
    return "\(report.comparisons.count) comparisons: \(counts.joined(separator: ", "))\n"
  }
}

// MARK: - What a check has to show, for programs

extension CheckOutput {
  /// `scalar`, `passed`, `cause` (what is wrong with a reference as a whole), a reference's
  /// `verdicts`, `tensors` (the gradients), `forward`, and `ignored`, the names not compared.
  private var json: JSONValue {
    [
      "scalar": .string(precision.rawValue),
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
      "exact": .bool(row.verdict == .exact),
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

// MARK: - Lines of text

private let width = 80

/// A text on lines of 80 columns at most, the later ones indented like the first.
private func wrapped(_ text: String, first: String = "") -> String {
  wrapped(text.split(separator: " ").map(String.init), first: first)
}

/// Words on such lines, the later ones indented like the first, or by `indent`.
private func wrapped(_ words: [String], first: String = "", indent: Int? = nil) -> String {
  let lines = Format.filled(words, first: first, indent: indent ?? first.count, columns: width)
  return (lines.isEmpty ? [first] : lines).map { $0 + "\n" }.joined()
}

private func firstThree(_ names: [String]) -> String {
  names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
}

// MARK: - Verdicts

/// The verdicts on a reference, for people and for programs.
struct VerdictOutput {
  let reference: Reference
  let verdicts: PassVerdicts

  private typealias Words = VerdictSentence

  var text: String {
    let parts =
      [counts] + causes + faults + followers + notes + leftOut + [missing] + ignored
    return parts.joined()
  }

  // MARK: Parts

  private var counts: String {
    let line =
      "forward: " + counts(verdicts.forward) + "      gradients: " + counts(verdicts.gradients)
    guard line.count > width else { return line + "\n" }
    return "forward: " + counts(verdicts.forward) + "\ngradients: " + counts(verdicts.gradients)
      + "\n"
  }

  private func counts(_ lines: [LineVerdict]) -> String {
    let words: [(LineVerdict.Kind, String)] = [
      (.right, Words.right()), (.wrong, Words.here()), (.shape, Words.shape()),
      (.follows, Words.follow()), (.follows, Words.misfit()),
      (.notComparable, Words.notComparable()), (.missing, Words.missing()),
    ]
    let counts = words.map { kind, word in
      (
        count: lines.count { $0.kind == kind && $0.isMisfit == (word == Words.misfit()) },
        word: word
      )
    }
    if counts[0].count == lines.count { return Words.allRight(["count": "\(lines.count)"]) }
    return counts.filter { $0.count > 0 || $0.word == Words.right() }
      .map { "\($0.count) \($0.word)" }.joined(separator: ", ")
  }

  private var causes: [String] {
    guard let cause = verdicts.cause else { return [] }
    let misfits = verdicts.lines.filter(\.isMisfit)
    let changed = verdicts.changedParameters
    let text =
      switch (cause, changed.count) {
      case (.minibatch, _): Words.minibatch()
      case (.parameters, 0): Words.parameters()
      case (.parameters, 1):
        Words.oneParameter(["name": changed[0].name, "line": misfits[0].tensor.name])
      case (.parameters, _):
        Words.someParameters(["names": changed.map(\.name).joined(separator: ", ")])
      }
    return [wrapped(text), wrapped(words(misfits), first: Words.misfit() + ": ")]
  }

  /// A line for each mistake, the names in one column.
  private var faults: [String] {
    let faults = verdicts.faults
    let width = faults.map(\.tensor.name.count).max() ?? 0
    return faults.map { fault in
      let name = fault.tensor.name + String(repeating: " ", count: width - fault.tensor.name.count)
      let verdict = fault.kind == .shape ? Words.shape() : Words.here() + " "
      let hint = fault.hint ?? fault.tensor.question
      return wrapped(hint, first: "\(name)  \(verdict)  ")
    }
  }

  private var followers: [String] {
    let lines = verdicts.lines.filter { $0.kind == .follows && !$0.isMisfit }
    return grouped(lines, by: \.followsFrom).map { from, lines in
      wrapped(
        words(lines), first: "follow from " + from.map(\.name).joined(separator: ", ") + ":  ",
        indent: 4)
    }
  }

  private var notes: [String] {
    verdicts.lines.filter { $0.kind == .right }.compactMap { line in
      line.hint.map { wrapped($0, first: "note: \(line.tensor)  ") }
    }
  }

  private var leftOut: [String] {
    let lines = verdicts.lines.filter { $0.kind == .notComparable }
    return grouped(lines) { $0.hint ?? "" }.map { reason, lines in
      wrapped(
        lines.flatMap(nameAndShape) + ["(\(reason))"], first: "not comparable: ", indent: 4)
    }
  }

  /// A name, and a shape that belongs to another minibatch.
  private func nameAndShape(_ line: LineVerdict) -> [String] {
    [line.tensor.name] + (reference.stale[line.tensor].map { [$0.shapeDescription] } ?? [])
  }

  private var missing: String {
    let lines = verdicts.lines.filter { $0.kind == .missing }
    return wrapped(lines.isEmpty ? ["none"] : words(lines), first: "missing: ", indent: 4)
  }

  /// Names that are not compared, each with the missing tensor that it nearly names.
  private var ignored: [String] {
    guard !reference.ignored.isEmpty else { return [] }
    let names = reference.ignored.map { name in
      let shown = Self.shown(name)
      guard let near = PassTensor.nearest(to: name), isMissing(near) else { return shown }
      return "\(shown) (\(near)?)"
    }
    return [wrapped(names, first: "not compared: ", indent: 4)]
  }

  /// A name from the file, at most as long as half a line.
  private static func shown(_ name: String) -> String {
    name.isEmpty ? "\"\"" : name.singleLine(limit: width / 2)
  }

  private func isMissing(_ tensor: PassTensor) -> Bool {
    verdicts.lines.contains { $0.tensor == tensor && $0.kind == .missing }
  }

  private func words(_ lines: [LineVerdict]) -> [String] { lines.map(\.tensor.name) }

  /// Lines grouped by key, in the order in which the keys first occur.
  private func grouped<Key: Equatable>(
    _ lines: [LineVerdict], by key: (LineVerdict) -> Key
  ) -> [(key: Key, lines: [LineVerdict])] {
    lines.reduce(into: []) { groups, line in
      let key = key(line)
      if let index = groups.firstIndex(where: { $0.key == key }) {
        groups[index].lines.append(line)
      } else {
        groups.append((key, [line]))
      }
    }
  }
}

extension VerdictOutput {
  /// Why the command ends with 1.
  var failure: CommandFailure {
    let names = verdicts.faults.map(\.tensor.name)
    let lines = names.count == 1 ? "1 line is" : "\(names.count) lines are"
    let parts = [misfit, names.isEmpty ? nil : "\(lines) wrong: \(firstThree(names))"]
    return CommandFailure(.failure, parts.compactMap(\.self).joined(separator: "; "))
  }

  /// What in the file belongs to another pass.
  private var misfit: String? {
    let changed = verdicts.changedParameters
    return switch verdicts.cause {
    case nil: nil
    case .minibatch: "Xb and Yb in the file are not those of this pass"
    case .parameters where changed.count == 1:
      "\(changed[0]) in the file is not the one that this pass used"
    case .parameters: "the parameters in the file are not those of this pass"
    }
  }

  /// Why the command ends with 65: nothing in the file could be judged.
  func nothingToJudge(_ path: String) -> CommandFailure {
    let found = reference.ignored.isEmpty ? firstOfOtherType ?? Words.noOthers() : firstIgnored
    let near = reference.ignored.lazy.compactMap { name in
      PassTensor.nearest(to: name).map { near in
        " " + Words.mayBe(["name": Self.shown(name), "tensor": near.name])
      }
    }.first
    return CommandFailure(
      .badData, "\(path): \(Words.nothing(["names": found]))",
      advice: Words.expected() + (near ?? "") + " See 'gradcheck --snippet'.")
  }

  private var firstOfOtherType: String? {
    PassTensor.computed.lazy.compactMap { tensor in
      reference.otherTypes[tensor].map { "\(tensor) in \($0.pythonName)" }
    }.first
  }

  /// The first names that are not compared, as many as fit into a line beside a path.
  private var firstIgnored: String {
    var text = ""
    for (index, name) in reference.ignored.enumerated() {
      let longer = index == 0 ? Self.shown(name) : text + ", " + Self.shown(name)
      if index > 0, longer.count > 22 { return text + ", …" }
      text = longer
    }
    return text
  }

  /// A verdict for each line, in the derivation's order, forward first.
  var json: JSONValue { .array(verdicts.lines.map(json)) }

  private func json(_ line: LineVerdict) -> JSONValue {
    var origins = line.followsFrom.map(\.name)
    if line.isMisfit, origins.isEmpty, let cause = verdicts.cause { origins = [cause.rawValue] }
    return [
      "name": .string(line.tensor.name),
      "verdict": .string(line.kind.rawValue),
      "follows_from": .array(origins.map { .string($0) }),
      "hint": line.hint.map { .string($0) } ?? .null,
    ]
  }
}

// MARK: - The words, for docs/gradcheck.html too

/// The summary of a whole file.
enum VerdictSentence: String, Sentence {
  // Counts
  case allRight = "{count} of {count} right"
  case right = "right"
  case here = "WRONG HERE"
  case shape = "WRONG SHAPE"
  case follow = "follow"
  case misfit = "do not fit"
  case notComparable = "not comparable"
  case missing = "missing"

  // Causes
  case parameters =
    """
    The parameters in the file are not those of this pass: every line that reads them fails, and \
    nothing else does. Write the file before the update, while everything still belongs to one pass.
    """
  case someParameters =
    """
    The parameters in the file are not those of this pass: {names} changed after the lines that \
    read them were computed. Write the file before the update, while everything still belongs to one pass.
    """
  case oneParameter =
    """
    {name} in the file is not the one that this pass used: it changed after {line} was computed. \
    Write the file before the update, or keep {name}.clone() from before it.
    """
  case minibatch =
    """
    Xb and Yb in the file are not those of this pass: every line that reads them fails, and \
    nothing else does. Write the file before the next minibatch is drawn.
    """

  // Nothing to judge
  case nothing = "0 of 26 gradients: found {names}"
  case noOthers = "no others"
  case expected = "Expected names like dW1 and dC."
  case mayBe = "{name} may be {tensor}."
}
