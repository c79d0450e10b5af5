// Parameters of a notebook become a run that the other commands take.

import Foundation
import Safetensors
import Testing

@Suite("import")
struct ImportTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    for precision in ["float32", "float64"] {
      try place.write(Notebook.file(precision), to: "\(precision).safetensors")
    }
    try place.write(Notebook.words().utf8, to: "names.txt")
  }

  private func runImport(_ arguments: String...) throws -> Outcome {
    try place.run("charmlp", ["import"] + arguments)
  }

  private func expectRefusal(_ outcome: Outcome, _ status: Int32, _ message: String) {
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test("An imported network is sampled, scored, reported on, and started from; it is not resumed")
  func commands() throws {
    let outcome = try runImport("float32.safetensors", "--out", "run")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output
        == "block 3, embedding 4, hidden 24; 26 symbols\nmodel: run/model.safetensors\n")
    #expect(try place.names(in: "run") == ["model.safetensors", "run.json"])
    let sample = try place.run("sample", ["--model", "run", "--count", "5"])
    #expect(sample.status == 0 && sample.errors.isEmpty, "\(sample.errors)")
    #expect(sample.output.split(separator: "\n").count == 5)
    let score = try place.run(
      "sample", ["score", "--model", "run", "--format", "tsv", "emma"])
    let value = try #require(
      score.output.split(separator: "\t").dropFirst().first.flatMap { Double($0) })
    #expect(abs(value - -12.445408308094397) <= 2e-5)
    let explained = try place.run("sample", ["explain", "em", "--model", "run"])
    #expect(explained.status == 69)
    #expect(explained.errors.hasSuffix("\nImport it again with --data LIST.\n"))
    let alone = try place.run("sample", ["explain", "em", "--model", "run", "--network-only"])
    #expect(
      alone.status == 0 && alone.output.contains("network") && !alone.output.contains("gram"),
      "\(alone)")
    let novel = try place.run("sample", ["--model", "run", "--novel"])
    #expect(novel.status == 69)
    #expect(novel.errors.contains("imported without the words"), "\(novel.errors)")
    let report = try place.run("report", ["run"])
    #expect(report.status == 0, "\(report.errors)")
    let page = String(decoding: try place.read("run/report.html"), as: UTF8.self)
    #expect(page.contains("Imported from a notebook"))

    let resumed = try place.run("train", ["--resume", "run"])
    #expect(resumed.status == 76)
    #expect(resumed.errors.contains("train --start-from run"))
    let started = try place.run(
      "train",
      [
        "--data", "names.txt", "--start-from", "run", "--recipe", "best", "--steps", "50", "--out",
        "on",
      ])
    #expect(started.status == 0, "\(started.errors)")
    #expect(
      started.errors.contains(
        "\nstarting from run/model.safetensors, step 0; it knows every symbol\n"))
    let notebook = try place.run("train", ["--start-from", "float32.safetensors"])
    #expect(notebook.status == 65)
    #expect(notebook.errors.contains("charmlp import float32.safetensors"), "\(notebook.errors)")
  }

  @Test("A network imported with its words has losses, novel words and statistics")
  func words() throws {
    expectRefusal(
      try runImport("float64.safetensors", "--out", "run"), 65,
      "float64.safetensors: expected batch norm's statistics")
    #expect(!FileManager.default.fileExists(atPath: place.path("run")))
    let imported = try runImport(
      "float64.safetensors", "--out", "run", "--data", "names.txt", "--json")
    #expect(imported.status == 0, "\(imported.errors)")
    let loss = try #require(try jsonObject(imported.output)["loss"] as? [String: Double])
    #expect(loss.keys.sorted() == ["test", "train", "val"])
    #expect(loss.values.allSatisfy { (2.0..<3.2).contains($0) }, "\(loss)")
    for arguments in [["--novel", "--count", "5"], ["evaluate", "--count", "100"]] {
      let outcome = try place.run("sample", arguments + ["--model", "run"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let report = try place.run("report", ["run"])
    #expect(report.status == 0, "\(report.errors)")
  }

  @Test("import overwrites nothing, and names what is wrong")
  func refusals() throws {
    #expect(try runImport("float32.safetensors", "--out", "run").status == 0)
    let before = try place.read("run/model.safetensors")
    expectRefusal(try runImport("float32.safetensors", "--out", "run"), 73, "run")
    #expect(try place.read("run/model.safetensors") == before)
    func refused(_ file: String, _ others: [String], _ status: Int32, _ message: String) throws {
      expectRefusal(
        try place.run("charmlp", ["import", file, "--out", "other"] + others), status, message)
    }
    try refused("no.safetensors", [], 66, "no.safetensors")
    try refused(
      "float32.safetensors", ["--vocabulary", ".a-y"], 65, "C has 27 rows, but there are 26 symbols"
    )
    try refused(
      "float32.safetensors", ["--vocabulary", ".aa"], 64,
      "--vocabulary: \"a\" (U+0061) appears twice")
    try refused("float32.safetensors", ["--vocabulary", "a-z"], 64, "the terminator's sign first")
    try refused(
      "float32.safetensors", ["--vocabulary", ".z-a"], 64, "See 'charmlp import --help'.")
    try place.write("zoë\nanna\n".utf8, to: "other.txt")
    try refused(
      "float32.safetensors", ["--data", "other.txt"], 65, "other.txt: has \"ë\" (U+00EB)")
    try refused("run/model.safetensors", [], 65, "already a CharMLP model")
    try refused("run", [], 65, "run: already a run")
    try refused("names.txt", [], 65, "names.txt: not a safetensors file")
    try place.write("PK\u{3}\u{4}mine/data.pkl".utf8, to: "mine.pt")
    try refused("mine.pt", [], 65, "mine.pt: not a safetensors file, but a PyTorch file")
    try place.write([0x80, 0x04, 0x95], to: "mine.pkl")
    try refused("mine.pkl", [], 65, "mine.pkl: not a safetensors file, but a Python pickle")
    #expect(!FileManager.default.fileExists(atPath: place.path("other")))
    // Without --out it has the next free place in runs/.
    #expect(
      try runImport("float32.safetensors").output
        .hasSuffix("model: runs/float32-1/model.safetensors\n"))
  }
}

/// What a notebook saved of a small network, and the words that it was trained on.
enum Notebook {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "CharMLPTests/Fixtures")

  static func file(_ precision: String = "float32") throws -> [UInt8] {
    try [UInt8](
      Data(contentsOf: fixtures.appending(path: "notebook-network-\(precision).safetensors")))
  }

  /// The same network with more symbols, which are as likely as each other.
  static func file(addingSymbols count: Int) throws -> [UInt8] {
    var file = try SafetensorsFile(decoding: file())
    let (C, W2) = (try file.tensor(named: "C"), try file.tensor(named: "W2"))
    let symbols = C.shape[0]
    let rows = try C.floats() + Array(repeating: 0, count: count * C.shape[1])
    let weights = try W2.floats()
    let columns = (0..<W2.shape[0]).flatMap { row in
      weights[row * symbols..<(row + 1) * symbols] + Array(repeating: 0, count: count)
    }
    file["C"] = Tensor(rows, shape: [symbols + count, C.shape[1]])
    file["W2"] = Tensor(columns, shape: [W2.shape[0], symbols + count])
    let biases = try file.tensor(named: "b2").floats() + Array(repeating: 0, count: count)
    file["b2"] = Tensor(biases, shape: [symbols + count])
    return try file.encoded()
  }

  /// The words, a line each.
  static func words() throws -> String {
    let json = try jsonObject(
      String(contentsOf: fixtures.appending(path: "notebook-network.json"), encoding: .utf8)
        .replacing("\n", with: " "))
    let names = try #require(json["names"] as? [String])
    return names.joined(separator: "\n") + "\n"
  }
}
