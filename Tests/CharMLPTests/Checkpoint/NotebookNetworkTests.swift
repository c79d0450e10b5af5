// Parameters that a notebook saved become a model that predicts as PyTorch does.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Foundation
import LinearAlgebra
import OrderedJSON
import Safetensors
import Testing

@testable import CharMLP

@Suite("A notebook's network")
struct NotebookNetworkTests {
  private static let lecture = Result { try NotebookSymbols(NotebookSymbols.lecture) }

  private let expected: JSONValue
  private let names: WordList

  init() throws {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/notebook-network", withExtension: "json"))
    expected = try JSONValue(parsing: String(contentsOf: url, encoding: .utf8))
    let words = expected["names"]?.elements ?? []
    names = try WordList(words.compactMap(\.text))
  }

  private func network(
    _ name: String, _ change: (inout SafetensorsFile) throws -> Void = { _ in }
  ) throws -> NotebookNetwork {
    var file = try Fixture("notebook-network-\(name)").file
    try change(&file)
    return try NotebookNetwork(file: file.encoded(), Self.lecture.get())
  }

  private func error(
    _ name: String = "float32", _ change: (inout SafetensorsFile) throws -> Void
  ) throws -> NotebookError? {
    do {
      _ = try network(name, change)
      return nil
    } catch let error as NotebookError {
      return error
    }
  }

  private func expectLogProbabilities(_ checkpoint: Checkpoint, _ key: String) throws {
    let words = (expected["words"]?.elements ?? []).compactMap(\.text)
    let values = (expected[key]?.elements ?? []).compactMap(\.double)
    try #require(words.count == 6 && values.count == 6)
    let scorer = WordScorer(Predictor(checkpoint.model))
    for (word, value) in zip(words, values) {
      let score = WordScore(try checkpoint.model.vocabulary.encode(word), scorer)
      #expect(abs(score.sum - value) <= 2e-5, "\(word): \(score.sum), PyTorch \(value)")
    }
  }

  @Test("With the running statistics of its file it gives words PyTorch's log-probabilities")
  func running() throws {
    let network = try network("float32")
    #expect(network.ignored.isEmpty)
    #expect(
      network.parameters.shape == ModelShape(vocabulary: 27, blockSize: 3, embedding: 4, hidden: 24)
    )
    try expectLogProbabilities(Checkpoint(importing: network, trainedOn: nil), "running")
    // Words that are known change nothing where the file has statistics.
    try expectLogProbabilities(Checkpoint(importing: network, trainedOn: names), "running")
  }

  @Test(
    "Without statistics it has those of the training words; float64 and other shapes do not matter")
  func calibrated() throws {
    let network = try network("float64")
    #expect(network.statistics == nil)
    try expectLogProbabilities(Checkpoint(importing: network, trainedOn: names), "calibrated")
    #expect(throws: NotebookError.needsWords) {
      try Checkpoint(importing: network, trainedOn: nil)
    }
  }

  @Test("Statistics under the names of the lecture's last cell are taken, too")
  func otherNames() throws {
    let other = try network("float32") { file in
      for name in ["bnmean", "bnvar"] {
        file[name] = file[name + "_running"]
        file[name + "_running"] = nil
      }
      file["Xb"] = file["C"]
      file["dC"] = file["C"]
    }
    #expect(try other.statistics == network("float32").statistics)
    #expect(other.ignored == ["Xb", "dC"])
  }

  @Test("The file of an imported network reads back, with words and without")
  func file() throws {
    for words in [nil, names] {
      let checkpoint = try Checkpoint(importing: network("float32"), trainedOn: words)
      let bytes = try checkpoint.encoded()
      let read = try Checkpoint(file: bytes)
      #expect(try read.encoded() == bytes)
      #expect(read.isFinished && read.lineage.isImported)
      #expect(read.model == checkpoint.model)
      #expect(try read.wordList() == words)
      #expect(try StartingNetwork(file: bytes).model == checkpoint.model)
    }
  }

  @Test("Words of other symbols are refused, with one of them")
  func otherWords() throws {
    let network = try network("float32")
    for (words, message) in [
      (["zoë", "anna"], "U+00EB"), (["anna", "bert", "cora", "dora", "emil", "fred"], "U+0067"),
    ] {
      let list = try WordList(words)
      let error = #expect(throws: NotebookError.self) {
        try Checkpoint(importing: network, trainedOn: list)
      }
      #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
    }
  }

  @Test("Symbols in another order are put in ours")
  func order() throws {
    let network = try network("float32")
    let reversed = (0..<27).map { $0 == 0 ? 0 : 27 - $0 }
    var file = try Fixture("notebook-network-float32").file
    let C = network.parameters.C.gatheringRows(reversed)
    file["C"] = Tensor(C.elements, shape: [27, 4])
    for (name, matrix) in [("W2", network.parameters.W2), ("b2", network.parameters.b2)] {
      let elements = (0..<matrix.rows).flatMap { row in reversed.map { matrix[row, $0] } }
      file[name] = Tensor(elements, shape: name == "b2" ? [27] : [24, 27])
    }
    let text = "." + String(String.UnicodeScalarView("zyxwvutsrqponmlkjihgfedcba".unicodeScalars))
    let other = try NotebookNetwork(file: file.encoded(), NotebookSymbols(text))
    #expect(other.parameters == network.parameters && other.vocabulary == network.vocabulary)
  }

  @Test(
    "Symbols are characters and ranges after the terminator's sign",
    arguments: [
      (".a-c", "abc"), ("#-a", "-a"), (".a-", "-a"), (".a-cx-zé", "abcxyzé"), ("-b", "b"),
      ("..a", ".a"),
    ])
  func symbols(text: String, expected: String) throws {
    #expect(try NotebookSymbols(text).vocabulary.symbols == Array(expected.unicodeScalars))
  }

  @Test(
    "Impossible symbols of a notebook are refused",
    arguments: ["", ".", "a-z", "abc.", ".aa", ".a-cb", ".z-a", ".a\n"])
  func refusedSymbols(text: String) {
    #expect(throws: NotebookError.self) { try NotebookSymbols(text) }
  }

  @Test("The error of a notebook's file names the tensor that is wrong")
  func refusals() throws {
    #expect(throws: NotebookError.model) {
      try NotebookNetwork(file: SmallRun().file(at: 0), Self.lecture.get())
    }
    #expect(
      try error { ($0["w1"], $0["W1"]) = ($0["W1"], nil) } == .missing("W1", meant: "w1"))
    #expect(try error { $0["bngain"] = nil } == .missing("bngain", meant: nil))
    #expect(
      try error { $0["bnmean_running"] = nil }
        == .missing("bnmean_running", meant: nil))
    let transposed = try error {
      $0["W2"] = Tensor(
        dataType: .float32, shape: [27, 24], bytes: try $0.tensor(named: "W2").bytes)
    }
    #expect(transposed == .shape("W2", expected: "(24, 27)", found: [27, 24]))
    #expect(
      try error { $0["b1"] = Tensor([Float](repeating: 0, count: 23), shape: [23]) }
        == .shape("b1", expected: "(24,) or (1, 24)", found: [23]))
    #expect(
      try error { $0["b1"] = Tensor([Float](repeating: 0, count: 24), shape: [24, 1]) }
        == .shape("b1", expected: "(24,) or (1, 24)", found: [24, 1]))
    #expect(
      try error { $0["W1"] = Tensor([Float](repeating: 0, count: 13 * 24), shape: [13, 24]) }
        == .shape("W1", expected: "(block·4, hidden)", found: [13, 24]))
    let otherWay = try error {
      $0["W1"] = Tensor(
        dataType: .float32, shape: [24, 12], bytes: try $0.tensor(named: "W1").bytes)
    }
    #expect(otherWay == .shape("W1", expected: "(block·4, 24)", found: [24, 12]))
    #expect(try error { ($0["x"], $0["C"]) = ($0["C"], nil) } == .missing("C", meant: nil))
    #expect(
      try error { $0["C"] = Tensor([Float](repeating: 0, count: 28 * 4), shape: [28, 4]) }
        == .vocabulary(27, rows: 28))
    #expect(
      try error { $0["b2"] = Tensor([Int64](repeating: 0, count: 27), shape: [27]) }
        == .dataType("b2", found: .int64))
    #expect(
      try error { $0["b2"] = Tensor([Float](repeating: .nan, count: 27), shape: [27]) }
        == .notFinite("b2"))
    #expect(
      try error { $0["b2"] = Tensor([Double](repeating: 1e300, count: 27), shape: [27]) }
        == .notFinite("b2"))
    #expect(
      try error { $0["bnvar_running"] = Tensor([Float](repeating: -1, count: 24), shape: [24]) }
        == .negative("bnvar_running"))
    #expect(throws: NotebookError.self) { try NotebookNetwork(file: [1, 2], Self.lecture.get()) }
  }
}
