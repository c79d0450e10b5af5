// `train` from the shell: what it prints, what it leaves behind, what it refuses.

import Foundation
import Safetensors
import Testing

@Suite("train")
struct TrainTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let quick = ["--steps", "200", "--hidden", "16", "--samples", "3"]
  /// The files of a run that came to its end.
  static let files = ["best.safetensors", "metrics.jsonl", "model.safetensors", "run.json"]
  private static let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"

  private func train(_ arguments: String..., input: String = "") throws -> Outcome {
    try place.run("train", Self.quick + arguments, input: input)
  }

  @Test("Results are one JSON line on stdout, progress is on stderr")
  func json() throws {
    let outcome = try train("--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try jsonObject(outcome.output)
    #expect(object["steps"] as? Int == 200)
    #expect(object["parameters"] as? Int == 27 * 10 + 31 * 16 + 17 * 27 + 2 * 16)
    #expect((object["samples"] as? [String])?.count == 3)
    let model = try #require(object["model"] as? String)
    #expect(["runs/names-1/best.safetensors", "runs/names-1/model.safetensors"].contains(model))
    let seconds = try #require(object["seconds"] as? Double)
    let rate = try #require(object["steps_per_second"] as? Double)
    #expect(seconds > 0 && rate > 0 && 200 / rate <= seconds)
    let loss = try #require(object["loss"] as? [String: Double])
    #expect(Set(loss.keys) == ["train", "val", "test"])
    // An untrained network is at ln 27 = 3.3 or above; 200 steps are enough to be below.
    #expect(loss.values.allSatisfy { $0 > 1 && $0 < 3.3 })
    // Lines about the run come first, then one for each of 20 evaluations.
    #expect(outcome.errorLines.count { $0.hasPrefix("step ") } == 20)
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
    let parts = try #require(run["parts"] as? [[String: Any]])
    #expect(parts.count == 1)
    #expect(parts[0]["first_step"] as? Int == 0 && parts[0]["last_step"] as? Int == 200)
    // The last part's keys stand beside the parts.
    let keys = [
      "command_line", "data", "steps", "first_step", "last_step", "started_at", "finished_at",
      "seconds",
      "steps_per_second", "host", "versions", "blas_core", "blas_picked", "threads", "build",
    ]
    #expect(Set(run.keys) == Set(keys + ["parts"]))
    #expect(Set(parts[0].keys) == Set(keys) && !parts[0].values.contains { $0 is NSNull })
    #expect(try place.names(in: "here/run") == Self.files)
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

  @Test("Evaluating more often changes no weight, another seed does")
  func evaluation() throws {
    #expect(try train("--out", "a").status == 0)
    #expect(try train("--out", "b", "--evaluate-every", "7").status == 0)
    #expect(try train("--out", "c", "--seed", "1").status == 0)
    let weights = try ["a", "b", "c"].map { run in
      try SafetensorsFile(decoding: [UInt8](place.read("\(run)/model.safetensors")))["W1"]
    }
    #expect(weights[1] == weights[0])
    #expect(weights[2] != weights[0])
  }

  @Test("A list may come from standard input or a file, with the same result")
  func standardInput() throws {
    try place.write(Self.words.utf8, to: "words.txt")
    #expect(try train("--data", "words.txt", "--out", "a").status == 0)
    #expect(try train("--data", "-", "--out", "b", input: Self.words).status == 0)
    #expect(
      try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("A bare name that is not here is found in data/, and the first lines say so")
  func nearestList() throws {
    try FileManager.default.createDirectory(
      at: place.url.appending(path: "data"), withIntermediateDirectories: false)
    try place.write(Self.words.utf8, to: "data/names.txt")
    let lines = try train("--data", "names.txt").errorLines
    #expect(lines.first == "train: there is no names.txt here: reading data/names.txt")
    #expect(lines.dropFirst().first?.hasPrefix("data/names.txt: 8 words") == true, "\(lines)")
    try place.write((Self.words + "irma\n").utf8, to: "names.txt")
    #expect(try train("--data", "names.txt").errors.hasPrefix("names.txt: 9 words"))
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

  @Test("A loss that is no longer finite stops the run with 70")
  func divergence() throws {
    let outcome = try train("--learning-rate", "1e30", "--quiet")
    #expect(outcome.status == 70)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("choose a smaller learning rate"))
    #expect(outcome.output.isEmpty)
  }

  @Test("Weight decay that diverges is reported with 70")
  func divergenceByDecay() throws {
    let outcome = try train("--weight-decay", "1e30", "--quiet")
    #expect(outcome.status == 70)
    #expect(outcome.errors.contains("choose a smaller weight decay"), "\(outcome.errors)")
    let rate = try train("--weight-decay", "2", "--learning-rate", "1e10", "--quiet")
    #expect(rate.errors.contains("choose a smaller learning rate"), "\(rate.errors)")
    #expect(!outcome.errors.contains("choose a smaller learning rate"))
  }

  @Test("A meaningless loss is reported, and a perplexity that is not finite ends with 70")
  func nothingLearned() throws {
    let outcome = try place.run(
      "train", ["--steps", "300", "--hidden", "16", "--quiet", "--learning-rate", "1000"])
    let isInfinite = outcome.output.contains("(inf)")
    #expect(outcome.status == (isInfinite ? 70 : 0))
    #expect(
      outcome.errors.contains(" of a uniform guess"), "\(outcome.errors)")
    #expect(outcome.output.contains("model: runs/names-1/"))
    // What has only begun is not.
    #expect(try place.run("train", ["--steps", "1", "--quiet"]).errors.isEmpty)
  }

  @Test(
    "Training that stays above a unigram says so once, early if it is clear, and what to try",
    arguments: [
      ("10", "a uniform guess; choose a smaller learning rate", 2),
      ("1e-6", "a unigram model; try another learning rate", 1),
      ("0.1", "", 0),
    ])
  func aboveUnigram(rate: String, text: String, count: Int) throws {
    // A pass over the training words and a little more.
    let outcome = try place.run(
      "train",
      ["--steps", "1600", "--hidden", "16", "--quiet", "--samples", "0"]
        + ["--learning-rate", rate, "--schedule", "constant"])
    #expect(outcome.status == 0)
    #expect(outcome.errorLines.count == count, "\(outcome.errors)")
    #expect(outcome.errorLines.allSatisfy { $0.contains(text) }, "\(outcome.errors)")
    #expect(
      outcome.errorLines.allSatisfy { $0.contains("train --find-learning-rate") },
      "\(outcome.errors)")
  }

  @Test(
    "Sizes are refused before anything is allocated, all that they take together",
    .enabled(if: !isSanitized, "a sanitizer needs more addresses"),
    arguments: [
      "train --block-size 50000 --steps 10", "train --block-size 20000 --steps 10 --split hash",
      "train --block-size 50000 --find-learning-rate", "gradcheck --block-size 50000",
      "train --block-size 15000 --steps 10",
    ])
  func memory(command: String) throws {
    // The windows alone would fit into it, and more than half of it would be taken by them.
    let outcome = try place.guarded("ulimit -v 7000000; exec \(command)")
    #expect(outcome.status == 71, "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count))
    #expect(!place.hasRun)
  }
}

// MARK: - Words that a run shows on its way: they change nothing, and a resumed run shows the same

@Suite("Samples during training")
struct TrainSamplesTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let recipe = ["--steps", "2000", "--hidden", "16", "--evaluate-every", "100"]
  private static let shown = ["--samples-during", "4"]

  /// The words that are shown after each step's line.
  private func words(_ errors: String) throws -> [String: [String]] {
    var (words, step): ([String: [String]], String?) = ([:], nil)
    for line in errors.split(separator: "\n") {
      if line.hasPrefix("step ") {
        step = String(line.dropFirst(5).prefix { $0 != "/" })
      } else if let step, line.hasPrefix("  ") {
        let found = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        words[step, default: []] += found.filter { !$0.isEmpty }
      }
    }
    return words
  }

  @Test("Samples during training leave the run as it is and are narrow; --quiet has none")
  func sameRun() throws {
    let plain = try place.run("train", Self.recipe + ["-o", "plain"])
    let shown = try place.run("train", Self.recipe + Self.shown + ["-o", "shown"])
    #expect(shown.status == 0, "\(shown.errors)")
    for name in ["model.safetensors", "best.safetensors"] {
      #expect(try place.read("plain/" + name) == place.read("shown/" + name))
    }
    let samples = { (outcome: Outcome) in
      outcome.output.split(separator: "samples:").last.map(String.init)
    }
    #expect(samples(plain) == samples(shown))
    let words = try words(shown.errors)
    #expect(words.count == 20 && words.values.allSatisfy { $0.count == 4 }, "\(shown.errors)")
    // From a seed of each step's own.
    #expect(Set(words.values.map { $0.joined() }).count == 20)
    #expect(shown.errorLines.allSatisfy { $0.count <= 80 || $0.contains("warning: ") })
    let quiet = try place.run("train", Self.recipe + Self.shown + ["-o", "quiet", "-q"])
    #expect(quiet.errors.isEmpty)
  }

  @Test("A run that was stopped and resumed prints the samples of one that was not")
  func resumed() throws {
    let whole = try place.run("train", Self.recipe + Self.shown + ["-o", "whole"])
    let running = try place.start(
      "train", Self.recipe + Self.shown + ["-o", "stopped"], isHeld: true)
    try running.wait { (try? place.read("stopped/metrics.jsonl"))?.isEmpty == false }
    running.send(SIGINT)
    let stopped = try running.outcome()
    #expect(stopped.status == 130, "\(stopped.errors)")
    let resumed = try place.run("train", ["--resume", "stopped"] + Self.shown)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let (before, after) = (try words(stopped.errors), try words(resumed.errors))
    #expect(!after.isEmpty)
    #expect(before.merging(after) { $1 } == (try words(whole.errors)))
  }
}
