// `train --recipe`, recipe files, and the flags of the optimizer, from the shell.

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
    let flags = Self.printedFlags(outcome.errors)
    for setting in ["--hidden 16 ", "--steps 60 ", "--optimizer adamw ", "--dropout 0.3 "] {
      #expect(flags.joined(separator: " ").contains(setting), "\(flags)")
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

  @Test("A resumed run refuses another recipe: 76")
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
  private static func printedFlags(_ errors: String) -> [String] {
    errors.split(separator: "\n").filter { $0.hasPrefix("  --") }
      .flatMap { $0.split(separator: " ").map(String.init) }.filter { $0 != "\\" }
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
    try place.write(ExtendingTests.words.utf8, to: "words.txt")
    let line = ["words.txt", "--samples", "0"]
    let recipe = flags.contains("--recipe") ? [] : ["--recipe", "best"]
    let first = try place.run("train", line + flags + recipe + ["-n", "20", "-o", "a"])
    #expect(first.status == 0, "\(first.errors)")
    let printed = first.errors.split(separator: "\n").filter { $0.hasPrefix("  --") }
    #expect(printed.dropLast().allSatisfy { $0.hasSuffix(" \\") }, "\(printed)")
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
    "What is not a recipe is refused by name: 65",
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
      try place.run("train", ["--recipe", "recipe.json"]), status: 65,
      saying: "train: recipe.json: \(message)")
  }

  @Test("A name that is no recipe and no file is refused, and so are flags that contradict one")
  func unknownName() throws {
    expectRefusal(
      try place.run("train", ["--recipe", "bst"]), status: 64, saying: "did you mean best?")
    expectRefusal(try place.run("train", ["--recipe", "no.json"]), status: 66, saying: "no.json")
    try place.write([0xFF], to: "recipe.json")
    expectRefusal(try place.run("train", ["--recipe", "recipe.json"]), status: 65, saying: "UTF-8")
    try place.write("{\"split\": \"hash\"}".utf8, to: "recipe.json")
    expectRefusal(
      try place.run("train", ["--recipe", "recipe.json", "--deduplicate"]), status: 64,
      saying: "--deduplicate cannot be used with --split hash")
    expectRefusal(
      try place.run("train", ["--recipe", "best", "--print-recipe", "--describe"]), status: 64,
      saying: "--print-recipe cannot be used with --describe")
  }
}
