// `train --recipe` and the flags of the optimizer, from the shell.

import Foundation
import Safetensors
import Testing

@Suite("train --recipe")
struct TrainRecipeTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let short = ["--steps", "60", "--hidden", "16", "--out", "run"]

  private func recipe(of file: String) throws -> [String: Any] {
    let file = try SafetensorsFile(decoding: [UInt8](place.read(file)))
    return try jsonObject(try #require(file.metadata["recipe"]))
  }

  @Test("A preset is printed in full and stored; single flags override it")
  func preset() throws {
    let outcome = try place.run("train", ["--recipe", "best", "--dropout", "0.3"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errorLines.contains { $0.hasSuffix("; recipe best with changes, as flags:") })
    let lines = outcome.errorLines.filter { $0.hasPrefix("  --") }
    let flags = lines.flatMap { $0.split(separator: " ").map(String.init) }
    for setting in ["--hidden 16 ", "--steps 60 ", "--optimizer adamw ", "--dropout 0.3 "] {
      #expect(flags.joined(separator: " ").contains(setting), "\(lines)")
    }
    let told = outcome.errorLines.filter { !$0.contains("warning: ") }
    #expect(told.allSatisfy { $0.count <= 80 }, "\(told)")
    let stored = try recipe(of: "run/best.safetensors")
    #expect(stored["optimizer"] as? String == "adamw")
    #expect(stored["hidden"] as? Int == 16)
    #expect(stored["dropout"] as? Double == 0.3)
    // What is printed asks for the same again; it names the lecture's recipe.
    let again = flags + ["--out", "again", "--quiet"]
    #expect(try place.run("train", again).status == 0)
    #expect(try place.read("again/model.safetensors") == place.read("run/model.safetensors"))
  }

  @Test(
    "The sentence on the mixture says whether it is better or worse than its better part",
    arguments: [10, 12])
  func mixtureVerdict(count: Int) throws {
    // The first ten of the bundled names are too few for the mixture to gain, the first twelve are
    // not.
    let names = try String(
      contentsOf: URL(filePath: #filePath).appending(path: "../../../data/names.txt").standardized,
      encoding: .utf8)
    let words = names.split(separator: "\n").prefix(count).joined(separator: "\n")
    try place.write(words.utf8, to: "few.txt")
    let run = ["few.txt", "--recipe", "best", "--samples", "0", "--quiet"]
    let told = try place.run("train", run + ["--out", "told"])
    let result = try jsonObject(place.run("train", run + ["--out", "run", "--json"]).output)
    func validation(_ losses: Any?) -> Double? {
      (losses as? [String: Any])?["val"] as? Double
    }
    let baseline = try #require(result["baseline"] as? [[String: Any]])
    let parts = ([result["loss"]] + baseline).compactMap(validation)
    let gain = try #require(parts.min()) - #require(validation(result["mixture"]))
    let sentence = gain < 0 ? "does worse than the network alone by" : "gains another"
    #expect((gain < 0) == (count == 10))
    #expect(
      told.output.replacing("\n  ", with: " ")
        .contains("-gram \(sentence) \(String(format: "%.4f", abs(gain)))."), "\(told)")
  }

  @Test("Every setting has a flag, which help explains and a misspelling is led to")
  func flags() throws {
    let help = try place.run("train", ["--help-hidden"]).output
    for flag in Self.flags { #expect(help.contains("--\(flag) "), "\(flag)") }
    let outcome = try place.run("train", ["--weight-decai", "1"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("Did you mean '--weight-decay'?"))
    #expect(help.contains("(a twentieth of the steps)"))
    #expect(help.contains("--schedule <constant|step|cosine>\n"))
  }

  private static let flags = [
    "block-size", "embedding", "embedding-scale", "hidden", "batch-size", "steps", "optimizer",
    "learning-rate",
    "schedule", "warmup", "weight-decay", "dropout", "averaging", "evaluate-every", "patience",
    "stop-at-validation-loss", "mix", "seed", "split", "split-seed", "deduplicate",
  ]

  @Test("Without a preset the recipe fits the list, and the notebook's is the lecture's")
  func defaults() throws {
    let outcome = try place.shell("$train --steps 60 --hidden 16 --out best")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("; recipe best with changes, as flags:\n"))
    #expect(outcome.output.contains("\nmixture "))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    let fitted = try recipe(of: "best/model.safetensors")
    #expect(fitted["optimizer"] as? String == "adamw")
    #expect(fitted["mix"] as? String == "ngram")
    #expect(fitted["warmup"] as? Int == 10)
    #expect(try place.run("train", ["--recipe", "notebook"] + Self.short).status == 0)
    let stored = try recipe(of: "run/model.safetensors")
    #expect(stored["optimizer"] as? String == "sgd")
    #expect(stored["schedule"] as? String == "step")
    #expect(stored["batch_size"] as? Int == 32)
  }

  @Test("A resumed run is asked for another recipe in vain: 76")
  func resumed() throws {
    #expect(try place.run("train", Self.short).status == 0)
    let outcome = try place.run("train", ["--resume", "run", "--recipe", "best"])
    #expect(outcome.status == 76)
    #expect(
      outcome.errors.contains("run: --recipe best, with block-size "), "\(outcome.errors)")
  }

  @Test("Training ends at a validation loss that is asked for, and what resumes it says so")
  func stopping() throws {
    let outcome = try place.run(
      "train",
      Self.short + ["--evaluate-every", "10", "--stop-at-validation-loss", "100", "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try jsonObject(outcome.output)["steps"] as? Int == 10)
    let resumed = try place.run("train", ["--resume", "run", "--json"])
    #expect(resumed.status == 0)
    #expect(resumed.errors.contains("already finished: "))
    #expect(try jsonObject(resumed.output)["steps"] as? Int == 10)
  }

  // A learning rate of 3 makes every evaluation after the first few worse by chance; which, the
  // file says.
  @Test("Where the best is not the last, the table has both, and sample takes the best")
  func best() throws {
    let outcome = try place.run(
      "train",
      Self.short + ["--evaluate-every", "10", "--patience", "1", "--learning-rate", "3", "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = try jsonObject(outcome.output)
    let steps = try #require(result["steps"] as? Int)
    try #require(steps < 60)
    #expect(result["best_step"] as? Int == steps - 10)
    #expect(result["early_stop"] as? String == "no better for 1 evaluation")
    #expect(result["model"] as? String == "run/best.safetensors")
    let loss = try #require((result["loss"] as? [String: Double])?["val"])
    let last = try #require((result["last_loss"] as? [String: Double])?["val"])
    #expect(loss <= last)
    let text = try place.run("train", ["--resume", "run"]).output
    #expect(text.contains("network, step \(steps - 10) "))
    #expect(text.contains("network, last step "))
    #expect(text.contains("\nstopped at \(steps): no better for 1 evaluation\n"), "\(text)")
    let sample = try place.run("sample", ["--model", "run", "--count", "1"])
    #expect(sample.errors.hasPrefix("sample: run/best.safetensors: step \(steps - 10) of 60"))
    // Without the file, the last state is shown, and said to be.
    try FileManager.default.removeItem(atPath: place.path("run/best.safetensors"))
    let without = try place.run("train", ["--resume", "run"])
    #expect(without.status == 0)
    #expect(without.errors.contains("run/best.safetensors: cannot be read"))
  }

  @Test("Growing learning rates are tried on a copy, and one is suggested")
  func findLearningRate() throws {
    let outcome = try place.run("train", ["--find-learning-rate", "--json", "--hidden", "16"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = try jsonObject(outcome.output)
    let points = try #require(result["points"] as? [[String: Double]])
    let rates = points.compactMap { $0["learning_rate"] }
    #expect(rates == rates.sorted() && rates.count > 100)
    let lowest = try #require(result["lowest"] as? Double)
    let losses = points.compactMap { $0["loss"] }
    let index = try #require(losses.firstIndex(of: losses.min() ?? 0))
    #expect(rates[index] == lowest)
    let suggestion = try #require(result["suggestion"] as? Double)
    #expect(abs(suggestion - lowest / 10) <= lowest * 1e-6)
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
    #expect(try place.run("train", ["--find-learning-rate"]).output.contains("--learning-rate "))
  }
}
