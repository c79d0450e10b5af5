// docs/derivation.md and the code it shows, as lists of lines that a test can compare.
//
// A line counts without its indentation and without `public lazy var `, so that the document can
// show `dcounts = …` where the code declares it. Everything else counts, spaces and shape comments
// too. Deliberately no Swift parser: blank lines and whole-line comments are dropped, and that is
// all.

import Foundation

/// What the document shows, section by section.
struct DerivationDocument {
  /// The Swift lines under one heading of any level.
  struct Section {
    let heading: String
    var lines: [String]
  }

  let sections: [Section]

  /// All Swift lines, from the top down.
  var lines: [String] { sections.flatMap(\.lines) }

  init(markdown: String) {
    var sections = [Section(heading: "", lines: [])]
    var fence: String?
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        fence = fence == nil ? String(line.dropFirst(3)) : nil
      } else if fence == nil, line.hasPrefix("#") {
        sections.append(Section(heading: String(line), lines: []))
      } else if fence == "swift", let shown = DerivationSource.comparable(line) {
        sections[sections.count - 1].lines.append(shown)
      }
    }
    self.sections = sections
  }
}

/// What the code has.
struct DerivationSource {
  /// All lines that say something, in the code's order.
  let lines: [String]
  /// The lines of the forward pass.
  let forward: [String]
  /// The lines of the backward pass.
  let gradients: [String]
  /// The lines that make up the forms in one go, declarations included.
  let oneGo: [String]

  /// Reads the two files from their text.
  init(steps: String, oneGo: String) {
    let declarations = steps.split(separator: "\n").filter { $0.contains(Self.declaration) }
    let (gradients, forward) = (
      declarations.filter { $0.contains(Self.declaration + "d") },
      declarations.filter { !$0.contains(Self.declaration + "d") }
    )
    self.forward = forward.compactMap(Self.comparable)
    self.gradients = gradients.compactMap(Self.comparable)
    let forms = oneGo.split(separator: "\n").compactMap(Self.comparable)
    self.oneGo = forms.filter { line in
      !["public import ", "extension ", "}"].contains { line.hasPrefix($0) }
    }
    lines = steps.split(separator: "\n").compactMap(Self.comparable) + forms
  }

  /// Only the passes declare lazily, and only gradients have names that begin with d.
  private static let declaration = "public lazy var "

  /// The part of a line that is compared; nil for a blank line or one that is all comment.
  static func comparable(_ line: Substring) -> String? {
    let trimmed = line.trimmingCharacters(in: .whitespaces)
    guard !trimmed.isEmpty, !trimmed.hasPrefix("//") else { return nil }
    return trimmed.hasPrefix(declaration) ? String(trimmed.dropFirst(declaration.count)) : trimmed
  }
}

// MARK: What can be wrong

extension DerivationDocument {
  /// Where the document and the code have drifted apart, one sentence each; empty if they agree.
  func disagreements(with source: DerivationSource) -> [String] {
    sections.flatMap { unknownOrMisplaced($0, source) } + missing(source) + reordered(source)
  }

  /// Every line shown is a line of the code, and within a section they stand in the code's order.
  private func unknownOrMisplaced(_ section: Section, _ source: DerivationSource) -> [String] {
    var rest = source.lines[...]
    return section.lines.compactMap { line in
      guard source.lines.contains(line) else {
        return "\(section.heading): not in the code: \(line)"
      }
      guard let index = rest.firstIndex(of: line) else {
        return "\(section.heading): out of the code's order: \(line)"
      }
      rest = rest[(index + 1)...]
      return nil
    }
  }

  /// Every line of both passes and of the forms in one go is shown.
  private func missing(_ source: DerivationSource) -> [String] {
    let shown = Set(lines)
    return (source.forward + source.gradients + source.oneGo)
      .filter { !shown.contains($0) }
      .map { "not in the document: \($0)" }
  }

  /// The gradients are shown once each, in the order in which the backward pass has them.
  private func reordered(_ source: DerivationSource) -> [String] {
    let shown = lines.filter(source.gradients.contains)
    let expected = source.gradients.filter(shown.contains)
    return shown == expected ? [] : ["the gradients are not shown once each, in the code's order"]
  }
}
