// `train` from the shell: what it prints, what it leaves behind, what it refuses.

import Foundation
import Safetensors
import Testing

@Suite("train")
struct TrainTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let quick = ["--steps", "200", "--hidden", "16", "--samples", "3"]
  private static let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"

  private func train(_ arguments: String..., input: String = "") throws -> Outcome {
    try place.run("train", Self.quick + arguments, input: input)
  }

  @Test("Results are one JSON line on stdout, progress is on stderr")
  func json() throws {
    let outcome = try train("--json", "--data", "names.txt")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try jsonObject(outcome.output)
    #expect(object["steps"] as? Int == 200)
    #expect(object["parameters"] as? Int == 27 * 10 + 31 * 16 + 17 * 27 + 2 * 16)
    #expect((object["samples"] as? [String])?.count == 3)
    #expect(object["model"] as? String == "runs/names-1/model.safetensors")
    let seconds = try #require(object["seconds"] as? Double)
    let rate = try #require(object["steps_per_second"] as? Double)
    #expect(seconds > 0 && rate > 0 && 200 / rate <= seconds)
    let loss = try #require(object["loss"] as? [String: Double])
    #expect(Set(loss.keys) == ["train", "val", "test"])
    // An untrained network is at ln 27 = 3.3 or above; 200 steps are enough to be below.
    #expect(loss.values.allSatisfy { $0 > 1 && $0 < 3.3 })
    // Four lines about the run, then one for each of 20 evaluations.
    #expect(outcome.errorLines.count == 24)
  }

  @Test("--quiet leaves stderr empty, and text results are readable")
  func quiet() throws {
    let outcome = try train("--quiet")
    #expect(outcome.errors.isEmpty)
    #expect(outcome.output.hasPrefix("loss (perplexity) "))
    #expect(outcome.output.contains("\nsamples:\n"))
  }

  @Test("The run directory holds the model, a line for each evaluation, and the description")
  func runDirectory() throws {
    #expect(try train("--out", "here/run", "--evaluate-every", "60").status == 0)
    let file = try SafetensorsFile(decoding: [UInt8](place.read("here/run/model.safetensors")))
    let names = Set(file.tensors.map(\.name))
    #expect(
      names.isSuperset(of: ["C", "W1", "W2", "b1", "b2", "bngain", "bnbias", "bnmean", "bnvar"]))
    #expect(names.isSuperset(of: ["training.step", "training.generator", "words"]))
    #expect(try file.tensor(named: "W1").shape == [30, 16])
    #expect(file.metadata["vocabulary"] == "abcdefghijklmnopqrstuvwxyz")

    let metrics = try String(decoding: place.read("here/run/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { try jsonObject(String($0)) }
    #expect(metrics.map { $0["step"] as? Int } == [60, 120, 180, 200])
    #expect(metrics.allSatisfy { $0["validation_loss"] is Double })

    let run = try jsonObject(String(decoding: place.read("here/run/run.json"), as: UTF8.self))
    #expect((run["command_line"] as? [String])?.contains("here/run") == true)
    #expect(try place.names(in: "here/run") == ["metrics.jsonl", "model.safetensors", "run.json"])
  }

  @Test("Runs are numbered, and one with something in it is refused with 73")
  func existingRun() throws {
    #expect(try train().status == 0)
    #expect(try train().output.contains("runs/names-2/"))
    let before = try place.read("runs/names-1/model.safetensors")
    let outcome = try train("--out", "runs/names-1", "--seed", "5")
    #expect(outcome.status == 73)
    #expect(outcome.errorLines.count <= 2)
    #expect(try place.read("runs/names-1/model.safetensors") == before)
  }

  @Test("Evaluating more often changes no byte of the model, another seed does")
  func evaluation() throws {
    #expect(try train("--out", "a").status == 0)
    #expect(try train("--out", "b", "--evaluate-every", "7").status == 0)
    #expect(try train("--out", "c", "--seed", "1").status == 0)
    let model = try place.read("a/model.safetensors")
    #expect(try place.read("b/model.safetensors") == model)
    #expect(try place.read("c/model.safetensors") != model)
  }

  @Test("A list may come from standard input or a file, with the same result")
  func standardInput() throws {
    try place.write(Self.words.utf8, to: "words.txt")
    #expect(try train("--data", "words.txt", "--out", "a").status == 0)
    #expect(try train("--data", "-", "--out", "b", input: Self.words).status == 0)
    #expect(
      try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("A list in data/ of the working directory goes before the package's")
  func nearestList() throws {
    try FileManager.default.createDirectory(
      at: place.url.appending(path: "data"), withIntermediateDirectories: false)
    try place.write(Self.words.utf8, to: "data/names.txt")
    #expect(try train("--data", "names.txt").errors.contains("8 words"))
  }

  @Test(
    "The derivation learns what the fused engine learns",
    arguments: [["--backward", "derivation"], ["--product", "naive"]])
  func derivation(flags: [String]) throws {
    let losses = try [[], flags].map { flags in
      let outcome = try place.run("train", Self.quick + ["--json"] + flags)
      return try #require(try jsonObject(outcome.output)["loss"] as? [String: Double])
    }
    for part in ["train", "val", "test"] {
      // Rounding differences after 200 steps of a network of 16 units.
      #expect(abs(losses[0][part]! - losses[1][part]!) < 1e-3)
    }
  }

  @Test(
    "A list that is none is refused with one or two lines",
    arguments: [
      ("empty", [], Int32(65)), ("blank", [32, 10, 9, 10], 65), ("one word", [97], 65),
      ("Latin-1", [97, 10, 0xE9, 10], 65), ("NUL", [97, 0, 98, 10], 65),
      ("lone CR", [97, 13, 98, 10], 65),
    ] as [(String, [UInt8], Int32)])
  func badList(name: String, bytes: [UInt8], status: Int32) throws {
    try place.write(bytes, to: "words.txt")
    let outcome = try train("--data", "words.txt")
    #expect(outcome.status == status)
    #expect(outcome.errors.hasPrefix("train: words.txt:"))
    #expect((1...2).contains(outcome.errorLines.count))
    #expect(outcome.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
  }

  @Test("A list that is not there, or a directory, is refused with 66", arguments: ["no.txt", "."])
  func noList(path: String) throws {
    let outcome = try train("--data", path)
    #expect(outcome.status == 66)
    #expect((1...2).contains(outcome.errorLines.count))
  }

  @Test(
    "A flag that makes no sense is refused with 64, its first line and a hint",
    arguments: [
      ["--foo"], ["--steps", "0"], ["--steps", "-3"], ["--steps", "99999999999999999999"],
      ["--batch-size", "1"], ["--block-size", "0"], ["--learning-rate", "nan"],
      ["--learning-rate", "inf"], ["--learning-rate", "1e308"], ["--learning-rate", "0x1p3"],
      ["--learning-rate", "0"], ["--product", "mkl"],
      ["--product", "naive", "--backward", "fused"], ["extra"],
    ])
  func badFlag(arguments: [String]) throws {
    let outcome = try place.run("train", arguments)
    #expect(outcome.status == 64)
    #expect(outcome.errorLines.count == 2, "\(outcome.errors)")
    #expect(outcome.errorLines.last == "See 'train --help'.")
  }

  @Test("Sizes beyond the machine's memory are refused with 71 before anything is made")
  func tooLarge() throws {
    let outcome = try place.run("train", ["--hidden", "10000000", "--embedding", "100000"])
    #expect(outcome.status == 71)
    #expect((1...2).contains(outcome.errorLines.count))
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
  }

  @Test("A loss that is no longer finite stops the run with 70")
  func divergence() throws {
    let outcome = try train("--learning-rate", "1e30", "--quiet")
    #expect(outcome.status == 70)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("choose a smaller learning rate"))
    #expect(outcome.output.isEmpty)
  }
}
