// Runs one can go on from: longer ones, and new ones that start from a trained network.

import Foundation
import Safetensors
import Testing

@Suite("train: extending runs and starting from them")
struct ExtendingTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let files = ["model.safetensors", "best.safetensors"]

  private func train(_ arguments: String...) throws -> Outcome {
    try place.run("train", arguments + ["--samples", "0", "--threads", "1"])
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

  @Test("Fewer steps than were taken are refused with 64, other settings than the run's with 76")
  func refusals() throws {
    #expect(try train("--steps", "100", "--hidden", "8", "--out", "run").status == 0)
    let before = try place.read("run/model.safetensors")
    expectRefusal(
      try train("--resume", "run", "--steps", "99"), status: 64,
      saying: "--steps 99: the run in run has taken 100 steps")
    expectRefusal(
      try train("--resume", "run", "--steps", "200", "--learning-rate", "0.2"), status: 76,
      saying: "--learning-rate 0.2 does not match the run, which has 0.1")
    expectRefusal(
      try train("--resume", "run", "--steps", "200", "--evaluate-every", "7"), status: 76,
      saying: "--evaluate-every 7 does not match the run")
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

  static let words = "anna\nqala\nxena\neßa\nnano\nlena\nzoë\nmaß\n"

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

  @Test("Other sizes than the starting network's are refused, and so is a file that is no model")
  func startFromRefusals() throws {
    try TrainedRun.names.get().write(to: "source", in: place)
    try place.write(Self.words.utf8, to: "words.txt")
    let start = ["--data", "words.txt", "--start-from", "source"]
    func refused(_ others: [String], _ status: Int32, _ message: String) throws {
      expectRefusal(try place.run("train", start + others), status: status, saying: message)
    }
    try refused(["--hidden", "17"], 76, "--hidden 17 does not match the network, which has 16")
    try refused(
      ["--block-size", "4"], 76, "--block-size 4 does not match the network, which has 3")
    try refused(
      ["--embedding", "11"], 76, "--embedding 11 does not match the network, which has 10")
    try refused(["--resume", "source"], 64, "--start-from cannot be used with --resume")
    expectRefusal(
      try place.run("train", ["--data", "words.txt", "--start-from", "words.txt"]), status: 65,
      saying: "words.txt: ")
    expectRefusal(
      try place.run("train", ["--data", "words.txt", "--start-from", "nowhere"]), status: 66,
      saying: "nowhere")
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
    let same = try place.run(
      "train", start + ["--hidden", "16", "--block-size", "3", "--steps", "10", "--quiet"])
    #expect(same.status == 0, "\(same.errors)")
  }
}
