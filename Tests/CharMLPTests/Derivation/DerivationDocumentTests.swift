// The Swift lines in docs/derivation.md against Derivation.swift: the steps, and the forms in one
// go at its end.
//
// A document that shows code is right on the day it is written. This keeps it right: whoever
// changes a line of the derivation changes its line in the document. What the prose says is not
// tested here.

import Foundation
import Testing

@testable import CharMLP

@Suite("docs/derivation.md")
struct DerivationDocumentTests {
  private let markdown: String
  private let steps: String
  private let oneGo: String

  init() throws {
    markdown = try Self.text("docs/derivation.md")
    let code = try Self.text("Sources/CharMLP/Derivation/Derivation.swift")
    let start = try #require(code.range(of: "// MARK: - All in one go")).lowerBound
    steps = String(code[..<start])
    oneGo = String(code[start...])
  }

  /// The text of a file of the repository.
  private static func text(_ path: String) throws -> String {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../..").standardizedFileURL
    return try String(contentsOf: repository.appending(path: path), encoding: .utf8)
  }

  private func disagreements(markdown: String? = nil, steps: String? = nil) -> [String] {
    DerivationDocument(markdown: markdown ?? self.markdown)
      .disagreements(with: DerivationSource(steps: steps ?? self.steps, oneGo: oneGo))
  }

  @Test("docs/derivation.md shows all of the code's lines, the gradients in the code's order")
  func agreement() {
    #expect(disagreements() == [])
  }

  @Test("Hints show forward lines as the document's PyTorch does", arguments: PassTensor.computed)
  func notebookLines(tensor: PassTensor) {
    let line = "\n\(tensor.name) = \(tensor.notebookLine)\n"
    #expect(tensor.isGradient ? tensor.notebookLine.isEmpty : markdown.contains(line))
  }

  @Test(
    "There are 20 forward lines, 26 gradients, one more of each for dropout, and 8 lines of forms in one go to show"
  )
  func nothingIsOverlooked() {
    let source = DerivationSource(steps: steps, oneGo: oneGo)
    #expect(source.forward.count == 21)
    #expect(source.gradients.count == 27)
    #expect(source.oneGo.count == 8)
  }

  @Test(
    "A changed, a lost or a misplaced line in the document is found",
    arguments: [
      ("dlogit_maxes = -dnorm_logits", "dlogit_maxes = dnorm_logits", "not in the code: dlogit"),
      ("tanh(hpreact)  // (n, hidden)", "tanh(hpreact)  // (1, hidden)", "not in the code: h ="),
      ("let variance = n / (n - 1) * bnraw", "let variance = bnraw", "not in the code: let"),
      ("dbnraw = bngain * dhpreact  // (n, hidden)\n", "", "not in the document: dbnraw"),
      ("h = tanh(hpreact)  // (n, hidden)\n", "", "not in the document: h ="),
      ("```swift\ndC =", "```\ndC =", "not in the document: dC"),
      ("### The mean\n", "", "out of the code's order: bnmeani"),
    ])
  func driftOfDocument(original: String, changed: String, finding: String) {
    #expect(markdown.contains(original))
    let drifted = markdown.replacing(original, with: changed, maxReplacements: 1)
    #expect(disagreements(markdown: drifted).contains { $0.contains(finding) })
  }

  @Test("A gradient that is shown twice, or before its turn, is found though its section is right")
  func orderOfSections() {
    let line = "db2 = dlogits.sum(.rows)  // (1, vocabulary)\n"
    let section = "## Another\n```swift\n\(line)```\n"
    #expect(markdown.contains(line))
    let moved = markdown.replacing(line, with: "")
    for drifted in [section + markdown, section + moved] {
      #expect(
        disagreements(markdown: drifted).contains(
          "the gradients are not shown once each, in the code's order"))
    }
  }

  @Test("A changed line in the code is found, and a new one")
  func driftOfCode() {
    let line = "public lazy var dcounts = dprobs * counts_sum_inv + dcounts_sum  // (n, vocabulary)"
    #expect(steps.contains(line))
    let changed = "public lazy var dcounts = dprobs * counts_sum_inv  // (n, vocabulary)"
    let added = line + "\n  public lazy var dloss = Matrix.zeros(1, 1)  // (1, 1)"
    for (replacement, finding) in [
      (changed, "not in the document: dcounts = dprobs * counts_sum_inv  // (n, vocabulary)"),
      (added, "not in the document: dloss = Matrix.zeros(1, 1)  // (1, 1)"),
    ] {
      let drifted = steps.replacing(line, with: replacement)
      #expect(disagreements(steps: drifted).contains(finding))
    }
  }
}
