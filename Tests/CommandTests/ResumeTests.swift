// Runs that are stopped and go on: they end with the bytes of a run that was left alone.

import Foundation
import Safetensors
import Testing

/// Whether `OPENBLAS_CORETYPE` decides which kernels are used.
private let kernelsCanBeChosen: Bool = {
  guard let place = try? Workplace() else { return false }
  let cores = ["Sandybridge", "Haswell"].map { core in
    let command = try? place.run(
      "train", ["--steps", "1", "--hidden", "2", "--out", core, "--quiet"],
      environment: ["OPENBLAS_CORETYPE": core])
    guard command?.status == 0, let text = try? place.read("\(core)/run.json") else { return false }
    return text.firstRange(of: Data("\"blas_core\":\"\(core)\"".utf8)) != nil
  }
  return cores == [true, true]
}()

@Suite("train --resume")
struct ResumeTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// Short enough to be finished; one that is to be stopped in the middle is held.
  private static let long = [
    "--steps", "40000", "--hidden", "64", "--evaluate-every", "1000", "--threads", "1",
  ]
  private static let short = ["--steps", "100", "--hidden", "8", "--out", "run", "--quiet"]

  /// Starts a run, sends it a signal after its first evaluation, and waits for its end.
  private func stop(
    _ signal: Int32, _ arguments: [String] = [], input: String = ""
  ) throws -> Outcome {
    let command = try place.start(
      "train", Self.long + ["--out", "run"] + arguments, input: input, isHeld: true)
    try command.wait { metricsCount() > 0 }
    command.send(signal)
    return try command.outcome()
  }

  private func resume(_ arguments: String...) throws -> Outcome {
    try place.run("train", ["--resume", "run", "--samples", "2", "--threads", "1"] + arguments)
  }

  @Test(
    "A run that was stopped says how to go on, and ends as one that was not",
    arguments: [(SIGINT, 130, "shuffle"), (SIGTERM, 143, "hash")] as [(Int32, Int32, String)])
  func interrupted(signal: Int32, status: Int32, split: String) throws {
    let flags = ["--split", split]
    let whole = try place.run("train", Self.long + flags + ["--out", "whole", "--samples", "2"])
    let stopped = try stop(signal, flags)
    #expect(stopped.status == status)
    #expect(stopped.output.isEmpty)
    #expect(stopped.errors.hasSuffix("\nTo continue:  train --resume run\n"))
    #expect(try place.names(in: "run") == TrainTests.files)
    let ended = try #require(try parts().last)
    let step = try #require(ended["last_step"] as? Int)
    #expect((1000..<40000).contains(step) && ended["finished_at"] is String)
    let last = try place.run("sample", ["--model", "run/model.safetensors"])
    #expect(last.status == 0)
    #expect(last.errors.contains("run/model.safetensors: step "))
    let best = try place.run("sample", ["--model", "run"])
    #expect(best.status == 0)
    #expect(best.errors.hasPrefix("sample: run/best.safetensors: step "))
    #expect(best.errors.hasSuffix(" of 40,000, the best by validation\n"))

    let resumed = try resume()
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("\ncontinuing after step "))
    #expect(!resumed.errors.contains("kernels"))
    let parts = try parts()
    #expect(parts.map { $0["first_step"] as? Int } == [0, step])
    #expect(parts.map { $0["last_step"] as? Int } == [step, 40000])
    for file in ["model.safetensors", "best.safetensors"] {
      #expect(try place.read("run/\(file)") == place.read("whole/\(file)"))
    }
    let samples = { (text: String) in text.components(separatedBy: "samples:").last }
    #expect(samples(resumed.output) == samples(whole.output))
    #expect(try metricsSteps() == Array(stride(from: 1000, through: 40000, by: 1000)))
    #expect(try metrics("run") == metrics("whole"))
    #expect(
      try place.names(in: "run") == TrainTests.files)
  }

  /// The parts that run.json tells of.
  private func parts() throws -> [[String: Any]] {
    let run = try jsonObject(String(decoding: place.read("run/run.json"), as: UTF8.self))
    return try #require(run["parts"] as? [[String: Any]])
  }

  private func metricsSteps() throws -> [Int?] {
    try String(decoding: place.read("run/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { try jsonObject(String($0))["step"] as? Int }
  }

  /// How many lines of metrics there are, while a run may be writing one.
  private func metricsCount() -> Int {
    ((try? place.read("run/metrics.jsonl")) ?? Data()).count { $0 == UInt8(ascii: "\n") }
  }

  /// The lines of metrics but for the two keys that tell times.
  private func metrics(_ run: String) throws -> [String] {
    try String(decoding: place.read("\(run)/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { line in
        String(line).replacing(/"(seconds|steps_per_second)":[^,}]+,/, with: "")
      }
  }

  @Test("A run that was killed goes on from its last save; what it left half done is cleared away")
  func killed() throws {
    #expect(try stop(SIGKILL, ["--checkpoint-every", "300"]).status == 128 + SIGKILL)
    let killed = try #require(try parts().first)
    #expect(killed["first_step"] as? Int == 0 && killed["last_step"] is NSNull)
    #expect(killed["threads"] as? Int == 1 && killed["blas_core"] is String)
    #expect((killed["command_line"] as? [String])?.last == "300")
    for name in ["model.safetensors.new", ".new-0123456789abcdef"] {
      try place.write([1, 2], to: "run/" + name)
    }
    try place.write(place.read("run/metrics.jsonl") + Data("{\"step\":99".utf8), to: "torn")
    try place.write(place.read("torn"), to: "run/metrics.jsonl")
    #expect(try resume().status == 0)
    #expect(try metricsSteps() == Array(stride(from: 1000, through: 40000, by: 1000)))
    #expect(
      try place.names(in: "run") == TrainTests.files)
    #expect(try place.run("train", Self.long + ["--out", "whole"]).status == 0)
    #expect(try place.read("run/model.safetensors") == place.read("whole/model.safetensors"))
  }

  @Test(
    "A run that goes on with other kernels says so once; with the same, or after an unknown, nothing",
    .enabled(if: kernelsCanBeChosen, "needs an OpenBLAS with the kernels of several processors"))
  func otherKernels() throws {
    func resume(_ core: String, stopping: Bool = true) throws -> Outcome {
      let command = try place.start(
        "train", ["--resume", "run", "--threads", "1"], environment: ["OPENBLAS_CORETYPE": core])
      if stopping {
        let count = metricsCount()
        try command.wait { metricsCount() > count }
        command.send(SIGTERM)
      }
      return try command.outcome()
    }
    func warnings(_ outcome: Outcome) -> [Substring] {
      outcome.errorLines.filter { $0.contains("kernels") }
    }
    let command = try place.start(
      "train",
      ["--steps", "100000000", "--hidden", "8", "--evaluate-every", "100", "--out", "run"],
      environment: ["OPENBLAS_CORETYPE": "Sandybridge"])
    try command.wait { metricsCount() > 0 }
    command.send(SIGKILL)
    #expect(try command.outcome().status == 128 + SIGKILL)

    let changed = try resume("Haswell")
    #expect(changed.status == 143)
    let lines = warnings(changed)
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("train: warning: the steps up to ") == true)
    #expect(lines.first?.contains(" with Sandybridge kernels, ") == true)
    #expect(lines.first?.contains(" with Haswell: the bits will differ ") == true)
    #expect(try parts().map { $0["blas_core"] as? String } == ["Sandybridge", "Haswell"])

    #expect(try warnings(resume("Haswell")).isEmpty)
    for strange in ["{", "{\"parts\":7}", "{\"parts\":[7],\"blas_core\":\"Sandybridge\"}"] {
      try place.write(strange.utf8, to: "run/run.json")
      let outcome = try resume("Haswell")
      #expect(outcome.status == 143 && warnings(outcome).isEmpty)
      #expect(try parts().map { $0["blas_core"] as? String } == ["Haswell"])
    }
    try FileManager.default.removeItem(atPath: place.path("run/run.json"))
    #expect(try warnings(resume("Sandybridge")).isEmpty)
    // A file of a version that knew of no parts.
    try place.write(#"{"blas_core":"Haswell","first_step":3}"#.utf8, to: "run/run.json")
    #expect(try warnings(resume("Sandybridge")).count == 1)
    #expect(try parts().map { $0["first_step"] as? Int }.first == 3)
    // What describes a run is no part of what it learned.
    let model = try place.read("run/model.safetensors")
    for text in ["blas_core", "Sandybridge", "command_line"] {
      #expect(model.firstRange(of: Data(text.utf8)) == nil)
    }
  }

  @Test("What was killed between its last save and its end is complete once it is resumed")
  func incompleteDescription() throws {
    #expect(try place.run("train", Self.short).status == 0)
    let text = String(decoding: try place.read("run/run.json"), as: UTF8.self)
    let killed = text.replacing(/"(finished_at|last_step)":[^,]*/) { "\"\($0.1)\":null" }
    try place.write(killed.utf8, to: "run/run.json")
    #expect(try resume().status == 0)
    #expect(try parts().map { $0["first_step"] as? Int } == [0, 100])
    #expect(try parts().map { $0["last_step"] as? Int } == [nil, 100])
  }

  @Test("Words from standard input need not be given again")
  func pipe() throws {
    let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"
    #expect(try stop(SIGTERM, ["--data", "-"], input: words).status == 143)
    #expect(try resume().status == 0)
    try place.write(words.utf8, to: "words.txt")
    let whole = Self.long + ["--out", "whole", "--data", "words.txt"]
    #expect(try place.run("train", whole).status == 0)
    #expect(try place.read("run/model.safetensors") == place.read("whole/model.safetensors"))
  }

  @Test("How often a run is saved changes no byte of its model")
  func checkpointInterval() throws {
    for (name, arguments) in [("a", []), ("b", ["--checkpoint-every", "7"])] {
      let outcome = try place.run(
        "train", ["--steps", "100", "--hidden", "8", "--out", name] + arguments)
      #expect(outcome.status == 0)
    }
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("Resuming a finished run says so, shows its results and leaves its files alone")
  func finished() throws {
    #expect(try place.run("train", Self.short).status == 0)
    let names = try place.names(in: "run")
    let before = try names.map { try place.read("run/" + $0) }
    let outcome = try resume()
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("already finished: all 100 steps are done"))
    #expect(outcome.output.hasPrefix("loss (perplexity)"))
    #expect(try place.names(in: "run") == names)
    #expect(try names.map { try place.read("run/" + $0) } == before)
  }

  @Test("A flag that contradicts the resumed run is refused by name: 76")
  func incompatible() throws {
    let names = (1...200).map { "name" + String($0, radix: 2) + "\n" }.joined()
    try place.write(names.replacing("0", with: "o").replacing("1", with: "i").utf8, to: "names.txt")
    #expect(try place.run("train", Self.short + ["--data", "names.txt"]).status == 0)
    try place.write("anna\nbert\ncarla\ndora\nemil\nfrida\n".utf8, to: "words.txt")
    expectRefusal(
      try resume("--data", "words.txt"), status: 76,
      saying: "words.txt: not the words of the run in run")
    expectRefusal(
      try resume("--hidden", "9"), status: 76,
      saying: "--hidden 9 does not match the run, which has 8")
    expectRefusal(
      try resume("--learning-rate", "0.2"), status: 76, saying: "--learning-rate 0.2 does not match"
    )
    expectRefusal(
      try resume("--split-seed", "1"), status: 76, saying: "--split-seed 1 does not match")
    expectRefusal(
      try resume("--product", "naive"), status: 76, saying: "derivation-naive does not match")
    expectRefusal(try resume("--data", "no.txt"), status: 66, saying: "no.txt")
    expectRefusal(
      try resume("--out", "there"), status: 64, saying: "--out cannot be used with --resume")
    expectRefusal(
      try resume("--describe"), status: 64, saying: "--describe cannot be used with --resume")
    let same = try resume("--data", "names.txt", "--hidden", "8", "--backward", "fused")
    #expect(same.status == 0, "\(same.errors)")
  }

  @Test("A best state from another run is not shown as this run's")
  func bestOfAnotherRun() throws {
    // Nothing is learned, so the first evaluation stays the best.
    let still = [
      "--recipe", "notebook", "--learning-rate", "1e-30", "--steps", "30", "--evaluate-every", "10",
      "--samples", "0",
    ]
    #expect(try place.run("train", still + ["--hidden", "8", "--out", "run"]).status == 0)
    #expect(try place.run("train", still + ["--hidden", "9", "--out", "other"]).status == 0)
    try place.write(place.read("other/best.safetensors"), to: "run/best.safetensors")
    let outcome = try resume("--steps", "31")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "run/best.safetensors: is from another run; showing the last state instead"))
    #expect(outcome.output.contains("model: run/model.safetensors"))
  }

  @Test("A newer version or another architecture is refused with 76, a damaged file with 65")
  func otherFiles() throws {
    #expect(try place.run("train", Self.short).status == 0)
    let model = [UInt8](try place.read("run/model.safetensors"))
    var file = try SafetensorsFile(decoding: model)
    file.metadata["version"] = "4"
    try place.write(sealed(file), to: "run/model.safetensors")
    expectRefusal(
      try resume(), status: 76, saying: "run/model.safetensors: version 4 of the model file")
    file.metadata["version"] = "3"
    file.metadata["architecture"] = "wavenet"
    try place.write(sealed(file), to: "run/model.safetensors")
    expectRefusal(try resume(), status: 76, saying: "a network of another architecture (wavenet)")
    try place.write(model.dropLast(), to: "run/model.safetensors")
    expectRefusal(try resume(), status: 65, saying: "run/model.safetensors: ")
  }

  @Test("Resuming where there is no run is refused with 66")
  func missing() throws {
    try place.write([], to: "run-file")
    try FileManager.default.createDirectory(
      at: place.url.appending(path: "run"), withIntermediateDirectories: false)
    expectRefusal(try resume(), status: 66, saying: "there is no model.safetensors in it")
    #expect(try place.run("train", ["--resume", "nowhere"]).status == 66)
    #expect(try place.run("train", ["--resume", "run-file"]).status == 66)
    #expect(try place.run("train", ["--resume", ""]).status == 64)
  }

  @Test("A directory has one trainer at a time: the second is told whose it is, with 75")
  func locked() throws {
    let first = try place.start("train", Self.long + ["--out", "run"], isHeld: true)
    try first.wait { metricsCount() > 0 }
    let second = try resume()
    expectRefusal(second, status: 75, saying: "(process \(first.process.processIdentifier))")
    #expect(try place.run("sample", ["--model", "run"]).status == 0)
    first.send(SIGTERM)
    #expect(try first.outcome().status == 143)
    #expect(try resume().status == 0)
  }
}
