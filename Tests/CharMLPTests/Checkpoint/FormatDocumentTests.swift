// docs/format.md has every name that stands in a file of ours.

import Foundation
import Safetensors
import Testing

@testable import CharMLP

@Suite("docs/format.md")
struct FormatDocumentTests {
  /// Files that together have everything there can be.
  private static func files() throws -> [[UInt8]] {
    var run = try SmallRun()
    run.recipe.optimizer = .adamw
    run.recipe.averaging = 0.9
    run.recipe.mix = .ngram
    let long = StoredWords(run.dataset.words, limit: 1)
    let source = try StartingNetwork(
      file: Checkpoint(run.trainer(at: 1), words: run.words).encoded())
    let trainer = try Trainer(run.recipe, run.dataset, from: source)
    try trainer.advance(to: 3)
    _ = trainer.evaluate()
    return try [run.words, long].map { words in
      var recipe = run.recipe
      recipe.steps += 1
      var checkpoint = Checkpoint(trainer, words: words).withEnd(of: recipe)
      checkpoint.mixture = StoredMixture(trainer, checkpoint.model, words)
      return try checkpoint.encoded()
    } + [imported()]
  }

  private static func imported() throws -> [UInt8] {
    let fixture = try Fixture("notebook-network-float32").file.encoded()
    let network = try NotebookNetwork(file: fixture, NotebookSymbols(NotebookSymbols.lecture))
    return try Checkpoint(importing: network, trainedOn: nil).encoded()
  }

  private static func document() throws -> String {
    let root = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent()
    }
    return try String(contentsOf: root.appending(path: "docs/format.md"), encoding: .utf8)
  }

  /// The names in the first column of the document's tables.
  private func documentedNames() throws -> Set<String> {
    var names: Set<String> = []
    for line in try Self.document().split(separator: "\n") where line.hasPrefix("| `") {
      let cell = line.dropFirst(2).prefix { $0 != "|" }
      names.formUnion(cell.split(separator: "`").map(String.init).filter { !$0.contains(" ") })
    }
    return names
  }

  @Test("Every tensor and every metadata key stands in the document, and nothing else does")
  func names() throws {
    var written: Set<String> = []
    for bytes in try Self.files() {
      let file = try SafetensorsFile(decoding: bytes)
      let tensors = file.tensors.map { tensor in
        let parts = tensor.name.split(separator: ".").map(String.init)
        return parts.count == 3 ? "\(parts[0]).\(parts[1]).*" : tensor.name
      }
      written.formUnion(tensors + Array(file.metadata.keys))
    }
    let documented = try documentedNames()
    #expect(written.subtracting(documented) == [])
    #expect(documented.subtracting(written) == [])
  }

  @Test("The document has the version and the architecture of the code")
  func values() throws {
    let text = try Self.document()
    #expect(text.contains("| `version` | `\(Checkpoint.fileVersion)`"))
    #expect(text.contains("`\(Checkpoint.architecture)`"))
    for backward in [Trainer.Backward.fused, .derivation(.blas), .derivation(.naive)] {
      #expect(text.contains("`\(backward.name)`"))
    }
  }
}
