// What the verdicts on a notebook's lines look like: a summary that fits 80 columns, and JSON.

import CharMLP
import CommandSupport
import OrderedJSON

/// The verdicts on a reference, for people and for programs.
struct VerdictOutput {
  let reference: Reference
  let verdicts: PassVerdicts

  private typealias Words = VerdictSentence

  private static let width = 80

  var text: String {
    let parts =
      [counts] + causes + faults + followers + notes + leftOut + [missing] + ignored
    return parts.joined()
  }

  // MARK: Parts

  private var counts: String {
    let line =
      "forward: " + counts(verdicts.forward) + "      gradients: " + counts(verdicts.gradients)
    guard line.count > Self.width else { return line + "\n" }
    return "forward: " + counts(verdicts.forward) + "\ngradients: " + counts(verdicts.gradients)
      + "\n"
  }

  private func counts(_ lines: [LineVerdict]) -> String {
    let words: [(LineVerdict.Kind, String)] = [
      (.right, Words.right()), (.here, Words.here()), (.shape, Words.shape()),
      (.follows, verdicts.cause == nil ? Words.follow() : Words.misfit()),
      (.notComparable, Words.notComparable()), (.missing, Words.missing()),
    ]
    let counts = words.map { kind, word in (count: lines.count { $0.kind == kind }, word: word) }
    if counts[0].count == lines.count { return Words.allRight(["count": "\(lines.count)"]) }
    return counts.filter { $0.count > 0 || $0.word == Words.right() }
      .map { "\($0.count) \($0.word)" }.joined(separator: ", ")
  }

  private var causes: [String] {
    guard let cause = verdicts.cause else { return [] }
    let names = words(verdicts.lines.filter { $0.kind == .follows })
    let text = cause == .parameters ? Words.parameters() : Words.minibatch()
    return [
      Self.wrapped(text.split(separator: " ").map(String.init)),
      Self.wrapped(names, first: Words.misfit() + ": "),
    ]
  }

  /// A line for each mistake, the names in one column.
  private var faults: [String] {
    let faults = verdicts.faults
    let width = faults.map(\.tensor.name.count).max() ?? 0
    return faults.map { fault in
      let name = fault.tensor.name + String(repeating: " ", count: width - fault.tensor.name.count)
      let verdict = fault.kind == .shape ? Words.shape() : Words.here() + " "
      let hint = fault.hint ?? fault.tensor.question
      return Self.wrapped(
        hint.split(separator: " ").map(String.init), first: "\(name)  \(verdict)  ")
    }
  }

  private var followers: [String] {
    guard verdicts.cause == nil else { return [] }
    var groups: [(from: [PassTensor], lines: [LineVerdict])] = []
    for line in verdicts.lines where line.kind == .follows {
      if let index = groups.firstIndex(where: { $0.from == line.followsFrom }) {
        groups[index].lines.append(line)
      } else {
        groups.append((line.followsFrom, [line]))
      }
    }
    return groups.map { from, lines in
      Self.wrapped(
        words(lines), first: "follow from " + from.map(\.name).joined(separator: ", ") + ":  ",
        indent: 4)
    }
  }

  private var notes: [String] {
    verdicts.lines.filter { $0.kind == .right }.compactMap { line in
      line.hint.map { hint in
        Self.wrapped(hint.split(separator: " ").map(String.init), first: "note: \(line.tensor)  ")
      }
    }
  }

  private var leftOut: [String] {
    let lines = verdicts.lines.filter { $0.kind == .notComparable }
    var groups: [(reason: String, lines: [LineVerdict])] = []
    for line in lines {
      let reason = line.hint ?? ""
      if let index = groups.firstIndex(where: { $0.reason == reason }) {
        groups[index].lines.append(line)
      } else {
        groups.append((reason, [line]))
      }
    }
    return groups.map { reason, lines in
      Self.wrapped(
        lines.flatMap(nameAndShape) + ["(\(reason))"], first: "not comparable: ", indent: 4)
    }
  }

  /// A name, and a shape that belongs to another minibatch.
  private func nameAndShape(_ line: LineVerdict) -> [String] {
    [line.tensor.name] + (reference.stale[line.tensor].map { [$0.shapeDescription] } ?? [])
  }

  private var missing: String {
    let lines = verdicts.lines.filter { $0.kind == .missing }
    return Self.wrapped(lines.isEmpty ? ["none"] : words(lines), first: "missing: ", indent: 4)
  }

  /// Names that are not compared, those that are nearly a missing tensor's with that.
  private var ignored: [String] {
    guard !reference.ignored.isEmpty else { return [] }
    let names = reference.ignored.map { name in
      let shown = name.singleLine()
      guard let near = PassTensor.nearest(to: name), isMissing(near) else { return shown }
      return "\(shown) (\(near)?)"
    }
    return [Self.wrapped(names, first: "not compared: ", indent: 4)]
  }

  private func isMissing(_ tensor: PassTensor) -> Bool {
    verdicts.lines.contains { $0.tensor == tensor && $0.kind == .missing }
  }

  private func words(_ lines: [LineVerdict]) -> [String] { lines.map(\.tensor.name) }

  /// Words on lines of 80 columns at most, the later ones indented like the first, or by `indent`.
  private static func wrapped(_ words: [String], first: String = "", indent: Int? = nil) -> String {
    let margin = String(repeating: " ", count: indent ?? first.count)
    var lines = [first]
    var isFirst = true
    for word in words {
      let last = lines[lines.count - 1]
      if !isFirst, last.count + 1 + word.count > width {
        lines.append(margin + word)
      } else {
        lines[lines.count - 1] = last + (isFirst ? "" : " ") + word
      }
      isFirst = false
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension VerdictOutput {
  /// Why the command ends with 1.
  var failure: CommandFailure {
    if let cause = verdicts.cause {
      let subject = cause == .parameters ? "the parameters" : "Xb and Yb"
      return CommandFailure(.failure, "\(subject) in the file are not those of this pass")
    }
    let names = verdicts.faults.map(\.tensor.name)
    let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    let lines = names.count == 1 ? "1 line is" : "\(names.count) lines are"
    return CommandFailure(.failure, "\(lines) wrong: \(shown)")
  }

  /// Why the command ends with 65: nothing in the file could be judged.
  func nothingToJudge(_ path: String) -> CommandFailure {
    let found =
      reference.ignored.isEmpty
      ? Words.noOthers() : reference.ignored.prefix(5).joined(separator: ", ").singleLine()
    let near = reference.ignored.lazy.compactMap { name in
      PassTensor.nearest(to: name).map { near in
        Words.mayBe(["name": name.singleLine(), "tensor": near.name]) + " "
      }
    }.first
    return CommandFailure(
      .badData, "\(path): \(Words.nothing(["names": found]))",
      advice: (near ?? "") + "'gradcheck --snippet' prints the lines that write the file.")
  }

  /// A verdict for each line, in the derivation's order, forward first.
  var json: JSONValue { .array(verdicts.lines.map(json)) }

  private func json(_ line: LineVerdict) -> JSONValue {
    var origins = line.followsFrom.map(\.name)
    if line.kind == .follows, let cause = verdicts.cause { origins = [cause.rawValue] }
    return [
      "name": .string(line.tensor.name),
      "verdict": .string(line.kind.rawValue),
      "follows_from": .array(origins.map { .string($0) }),
      "hint": line.hint.map { .string($0) } ?? .null,
    ]
  }
}

extension PassTensor {
  /// What to look at where the numbers show no kind of mistake; never the line itself.
  fileprivate var question: String {
    guard let owner else {
      let names = inputs.map(\.name).joined(separator: ", ")
      return names.isEmpty ? "" : VerdictSentence.reads(["names": names])
    }
    let readers = owner.readers.map { "\($0) = \($0.line)" }
    let lines = readers.joined(separator: "; ")
    return (readers.count == 1 ? VerdictSentence.forwardLine : .forwardLines)(["lines": lines])
  }
}

// MARK: - The words, for docs/gradcheck.html too

/// What is said of a whole file.
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
    nothing else does. Write the file before the update, while all belongs to one pass.
    """
  case minibatch =
    """
    Xb and Yb in the file are not those of this pass: every line that reads them fails, and \
    nothing else does. Write the file before the next minibatch is drawn.
    """

  // What to look at
  case reads = "reads {names}"
  case forwardLine = "forward line: {lines}"
  case forwardLines = "forward lines: {lines}"

  // Nothing to judge
  case nothing = "0 of 26 gradients: expected names like dW1 and dC, found {names}"
  case noOthers = "no others"
  case mayBe = "{name} may be {tensor}."
}
