// Runs one can go on from: longer ones, and new ones that start from a trained network.

import Foundation
import Safetensors
import Testing

@Suite("train: going on from a run")
struct GoingOnTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let files = ["model.safetensors", "best.safetensors"]

  private func train(_ arguments: String...) throws -> Outcome {
    try place.run("train", arguments + ["--samples", "0", "--threads", "1"])
  }

  private func expectRefusal(_ outcome: Outcome, _ status: Int32, _ message: String) {
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  private func parts(_ run: String) throws -> [[String: Any]] {
    let json = try jsonObject(String(decoding: place.read("\(run)/run.json"), as: UTF8.self))
    return try #require(json["parts"] as? [[String: Any]])
  }

  private func metadata(_ file: String) throws -> [String: String] {
    try SafetensorsFile(decoding: [UInt8](place.read(file))).metadata
  }

  private func copy(_ run: String, to other: String) throws {
    try FileManager.default.copyItem(atPath: place.path(run), toPath: place.path(other))
  }

  @Test("A finished run is made longer, and killed on the way ends with the same bytes")
  func longer() throws {
    #expect(
      try train("--steps", "105", "--hidden", "8", "--evaluate-every", "10", "--out", "run").status
        == 0)
    try copy("run", to: "killed")
    let outcome = try train("--resume", "run", "--steps", "3000")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("\ncontinuing after step 105, now to step 3,000, "))
    #expect(try train("--resume", "run", "--steps", "4000").status == 0)

    let command = try place.start(
      "train",
      ["--resume", "killed", "--steps", "3000", "--checkpoint-every", "7", "--threads", "1"],
      isHeld: true)
    try command.wait { (try? steps("killed"))?.contains(150) == true }
    command.send(SIGKILL)
    #expect(try command.outcome().status == 128 + SIGKILL)
    #expect(try train("--resume", "killed").status == 0)
    #expect(try train("--resume", "killed", "--steps", "4000").status == 0)
    for file in Self.files {
      #expect(try place.read("killed/\(file)") == place.read("run/\(file)"), "\(file)")
    }
    #expect(try steps("killed") == steps("run"))
    #expect(try steps("run").prefix(13).suffix(4) == [100, 105, 110, 120])
    #expect(try parts("run").map { $0["steps"] as? Int } == [105, 3000, 4000])
    #expect(try parts("run").map { $0["first_step"] as? Int } == [0, 105, 3000])
    let metadata = try metadata("run/model.safetensors")
    #expect(metadata["recipe"]?.contains("\"steps\":4000") == true)
    #expect(
      metadata["former_ends"] == #"[{"step":105,"steps":105},{"step":3000,"steps":3000}]"#)
  }

  /// The steps that metrics tell of.
  private func steps(_ run: String) throws -> [Int] {
    try String(decoding: place.read("\(run)/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").compactMap { try? jsonObject(String($0))["step"] as? Int }
  }

  @Test("An end before the step that is reached is refused: 64; other settings still are: 76")
  func refusals() throws {
    #expect(try train("--steps", "100", "--hidden", "8", "--out", "run").status == 0)
    let before = try place.read("run/model.safetensors")
    expectRefusal(
      try train("--resume", "run", "--steps", "99"), 64,
      "--steps 99: the run in run has taken 100 steps")
    expectRefusal(
      try train("--resume", "run", "--steps", "200", "--learning-rate", "0.2"), 76,
      "--learning-rate 0.2 does not match the run, which has 0.1")
    expectRefusal(
      try train("--resume", "run", "--steps", "200", "--evaluate-every", "7"), 76,
      "--evaluate-every 7 does not match the run")
    #expect(try place.read("run/model.safetensors") == before)
    #expect(try parts("run").count == 1)
    #expect(try train("--resume", "run", "--steps", "100").errors.contains("already finished"))
    #expect(try place.read("run/model.safetensors") == before)
  }

  @Test("A run that its validation losses have ended goes on with a longer patience alone")
  func patience() throws {
    #expect(
      try train(
        "--steps", "60", "--hidden", "16", "--evaluate-every", "10", "--patience", "1",
        "--learning-rate", "3", "--out", "run"
      ).status == 0)
    let end = try #require(try steps("run").last)
    try #require(end < 60)
    let outcome = try train("--resume", "run", "--patience", "50")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try steps("run").last == 60)
    #expect(
      try metadata("run/model.safetensors")["former_ends"] == "[{\"step\":\(end),\"steps\":60}]")
  }

  // MARK: From a trained network

  private static let words = "anna\nqala\nxena\neßa\nnano\nlena\nzoë\nmaß\n"

  @Test("A run starts from another's network, says so, and is resumed without it")
  func startFrom() throws {
    try TrainedRun.names.get().write(to: "source", in: place)
    try place.write(Self.words.utf8, to: "words.txt")
    let flags = [
      "--data", "words.txt", "--start-from", "source", "--recipe", "best", "--patience", "0",
      "--steps", "20000", "--threads", "1",
    ]
    let outcome = try place.run("train", flags + ["--out", "whole"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("; 2 new symbols: ß ë\n"), "\(outcome.errors)")
    let file = try metadata("whole/model.safetensors")
    let recipe = try jsonObject(try #require(file["recipe"]))
    #expect(recipe["hidden"] as? Int == 16 && recipe["block_size"] as? Int == 3)
    #expect(recipe["optimizer"] as? String == "adamw")
    let origin = try jsonObject(try #require(file["started_from"]))
    let named = try #require(try parts("whole")[0]["started_from"] as? String)
    #expect(outcome.errors.contains("\nstarting from \(named), step "), "\(outcome.errors)")
    #expect(try origin["crc32"] as? String == metadata(named)["crc32"])
    #expect(origin["steps"] as? Int == 200)
    // A tenth of the recipe's.
    #expect(recipe["learning_rate"] as? Double == 0.0002)

    let command = try place.start(
      "train", flags + ["--out", "run", "--checkpoint-every", "50"])
    try command.wait { (try? steps("run"))?.isEmpty == false }
    command.send(SIGKILL)
    #expect(try command.outcome().status == 128 + SIGKILL)
    try FileManager.default.removeItem(atPath: place.path("source"))
    #expect(try train("--resume", "run").status == 0)
    for file in Self.files {
      #expect(try place.read("run/\(file)") == place.read("whole/\(file)"), "\(file)")
    }
    let sample = try place.run("sample", ["--model", "run", "--count", "3"])
    #expect(sample.status == 0 && sample.output.split(separator: "\n").count == 3)
  }

  @Test("Sizes that are not the network's are refused, and so is what is no model")
  func startFromRefusals() throws {
    try TrainedRun.names.get().write(to: "source", in: place)
    try place.write(Self.words.utf8, to: "words.txt")
    let start = ["--data", "words.txt", "--start-from", "source"]
    func refused(_ others: [String], _ status: Int32, _ message: String) throws {
      expectRefusal(try place.run("train", start + others), status, message)
    }
    try refused(["--hidden", "17"], 76, "--hidden 17 does not match the network, which has 16")
    try refused(
      ["--block-size", "4"], 76, "--block-size 4 does not match the network, which has 3")
    try refused(
      ["--embedding", "11"], 76, "--embedding 11 does not match the network, which has 10")
    try refused(["--resume", "source"], 64, "--start-from cannot be used with --resume")
    expectRefusal(
      try place.run("train", ["--data", "words.txt", "--start-from", "words.txt"]), 65,
      "words.txt: ")
    expectRefusal(
      try place.run("train", ["--data", "words.txt", "--start-from", "nowhere"]), 66, "nowhere")
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
    let same = try place.run(
      "train", start + ["--hidden", "16", "--block-size", "3", "--steps", "10", "--quiet"])
    #expect(same.status == 0, "\(same.errors)")
  }

  // MARK: Recipe files

  @Test("A printed recipe asks for the same run again; flags override it")
  func recipeFile() throws {
    let flags = ["--recipe", "best", "--steps", "40", "--hidden", "8", "--dropout", "0.25"]
    let printed = try place.run("train", flags + ["--print-recipe"])
    #expect(printed.status == 0 && printed.errors.isEmpty, "\(printed.errors)")
    #expect(printed.output.hasPrefix("{\n  \"block-size\": 6,\n"))
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
    try place.write(printed.output.utf8, to: "recipe.json")
    #expect(try place.run("train", flags + ["--out", "a"]).status == 0)
    let again = try place.run("train", ["--recipe", "recipe.json", "--out", "b"])
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("; recipe recipe.json as flags:\n"))
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
    let flagged = try place.run("train", Self.printedFlags(again.errors) + ["--out", "c"])
    #expect(flagged.status == 0, "\(flagged.errors)")
    #expect(try place.read("a/model.safetensors") == place.read("c/model.safetensors"))
    let other = try place.run(
      "train", ["--recipe", "recipe.json", "--hidden", "9", "--print-recipe", "--json"])
    let recipe = try jsonObject(other.output)
    #expect(recipe["hidden"] as? Int == 9 && recipe["dropout"] as? Double == 0.25)
    let resumed = try place.run("train", ["--print-recipe", "--resume", "a"])
    #expect(resumed.output == printed.output)
    #expect(
      try place.run("train", ["--resume", "a", "--recipe", "recipe.json"]).errors
        .contains("already finished"))
    let longer = try place.run("train", ["--print-recipe", "--resume", "a", "--steps", "80"])
    #expect(longer.output == printed.output.replacing("\"steps\": 40", with: "\"steps\": 80"))
  }

  /// The flags that a run prints for its recipe.
  static func printedFlags(_ errors: String) -> [String] {
    errors.split(separator: "\n").filter { $0.hasPrefix("  --") }
      .flatMap { $0.split(separator: " ").map(String.init) }
  }

  @Test(
    "The flags that a run prints train the same thing, whatever they override",
    arguments: [
      ["--mix", "none", "--hidden", "200", "--dropout", "0", "--patience", "0"],
      ["--recipe", "notebook", "--hidden", "16"], ["--deduplicate", "--hidden", "16"],
      ["--start-from", "source"],
      ["--start-from", "source", "--recipe", "notebook", "--learning-rate", "0.1"],
    ] as [[String]])
  func pastedFlags(flags: [String]) throws {
    try TrainedRun.names.get().write(to: "source", in: place)
    try place.write(Self.words.utf8, to: "words.txt")
    let line = ["words.txt", "--samples", "0"]
    let recipe = flags.contains("--recipe") ? [] : ["--recipe", "best"]
    let first = try place.run("train", line + flags + recipe + ["-n", "20", "-o", "a"])
    #expect(first.status == 0, "\(first.errors)")
    let start = flags.contains("--start-from") ? ["--start-from", "source"] : []
    let again = try place.run(
      "train", line + start + Self.printedFlags(first.errors) + ["-o", "b"])
    #expect(again.status == 0, "\(again.errors)")
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("A short file changes a preset, of which it may name one")
  func shortFile() throws {
    func recipe(_ text: String) throws -> [String: Any] {
      try place.write(text.utf8, to: "recipe.json")
      return try jsonObject(
        try place.run("train", ["--recipe", "recipe.json", "--print-recipe", "--json"]).output)
    }
    let best = try recipe("{ \"steps\": 500 }")
    #expect(best["optimizer"] as? String == "adamw" && best["steps"] as? Int == 500)
    #expect(best["warmup"] as? Int == 10)
    let notebook = try recipe("\u{FEFF}{\"recipe\": \"notebook\", \"deduplicate\": true}")
    #expect(notebook["optimizer"] as? String == "sgd" && notebook["deduplicate"] as? Bool == true)
  }

  @Test(
    "What is no recipe is refused by name: 65",
    arguments: [
      ("{\"hiden\": 3}", "unknown setting \"hiden\"; did you mean \"hidden\"?"),
      ("{\"block_size\": 3}", "unknown setting \"block_size\"; did you mean \"block-size\"?"),
      ("{\"lr\": 1}", "unknown setting \"lr\"; did you mean \"learning-rate\"?"),
      ("{\"flavour\": 3}", "unknown setting \"flavour\""),
      (
        "{\"steps\": \"many\"}", "steps must be a whole number from 1 to 1000000000, found \"many\""
      ),
      ("{\"steps\": 0}", "steps must be a whole number from 1 to 1000000000, found 0"),
      ("{\"dropout\": 1}", "dropout must be a decimal number at least 0 and below 1, found 1"),
      ("{\"deduplicate\": 1}", "deduplicate must be true or false, found 1"),
      ("{\"optimizer\": \"lion\"}", "optimizer must be sgd or adamw, found \"lion\""),
      ("{\"recipe\": \"good\"}", "recipe must be notebook or best, found \"good\""),
      (
        "{\"steps\": 1,\n  \"steps\": 2}",
        "line 2, column 3: expected every key once, found \"steps\""
      ),
      ("{\"steps\": 1,}", "line 1, column 13: expected a key"), ("[]", "expected an object"),
      ("", "line 1, column 1: expected a value"),
    ])
  func badFile(text: String, message: String) throws {
    try place.write(text.utf8, to: "recipe.json")
    expectRefusal(
      try place.run("train", ["--recipe", "recipe.json"]), 65, "train: recipe.json: \(message)")
  }

  @Test("A name that is neither a recipe nor a file")
  func unknownName() throws {
    expectRefusal(try place.run("train", ["--recipe", "bst"]), 64, "did you mean best?")
    expectRefusal(try place.run("train", ["--recipe", "no.json"]), 66, "no.json")
    try place.write([0xFF], to: "recipe.json")
    expectRefusal(try place.run("train", ["--recipe", "recipe.json"]), 65, "UTF-8")
    try place.write("{\"split\": \"hash\"}".utf8, to: "recipe.json")
    expectRefusal(
      try place.run("train", ["--recipe", "recipe.json", "--deduplicate"]), 64,
      "--deduplicate cannot be used with --split hash")
    expectRefusal(
      try place.run("train", ["--recipe", "best", "--print-recipe", "--describe"]), 64,
      "--print-recipe cannot be used with --describe")
  }
}
