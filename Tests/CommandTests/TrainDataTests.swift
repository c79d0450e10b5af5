// What `train` is given and what it says of it, from the shell: lists with or without a flag, one
// or several, files or standard input; the report on a list, and counting beside it; `--split
// hash`, and lists that are too long to be kept.

import Foundation
import Safetensors
import Testing

// MARK: - Which lists

@Suite("The lists of a run")
struct TrainListsTests {
  let place: Workplace
  private static let quick = ["--steps", "60", "--hidden", "8", "--samples", "3"]

  init() throws {
    place = try Workplace()
    // The last line of the first has no end, and the words of both together are `all.txt`.
    let (first, second) = (words(0..<40), words(40..<90))
    try place.write(first.joined(separator: "\n").utf8, to: "a.txt")
    try place.write("\u{FEFF}\(second.joined(separator: "\r\n"))\r\n".utf8, to: "b.txt")
    try place.write((first + second).joined(separator: "\n").utf8, to: "all.txt")
  }

  private func words(_ numbers: Range<Int>) -> [String] {
    numbers.map { number in
      String(String(number * 7919 % 100_000).map { Character(UnicodeScalar($0.asciiValue! + 49)) })
        + "a"
    }
  }

  private func train(_ arguments: [String], input: String = "") throws -> Outcome {
    try place.run("train", arguments + Self.quick, input: input)
  }

  private func description(_ run: String) throws -> [String: Any] {
    try jsonObject(String(decoding: try place.read(run + "/run.json"), as: UTF8.self))
  }

  @Test("train takes a word list with or without --data")
  func positional() throws {
    #expect(try train(["all.txt", "-o", "plain", "-q"]).errors.contains("warning: tiny"))
    #expect(try train(["--data", "all.txt", "-o", "flag"]).status == 0)
    #expect(try place.read("plain/model.safetensors") == place.read("flag/model.safetensors"))
    #expect(try description("plain")["data"] as? String == "all.txt")
    #expect(try train(["all.txt"]).status == 0)
    #expect(try place.names(in: "runs") == ["all-1"])
  }

  @Test("Several lists are one, in their order, and standard input may be among them")
  func several() throws {
    let outcome = try train(["a.txt", "b.txt", "-o", "both"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("a.txt, b.txt: 90 words"))
    #expect(try train(["all.txt", "-o", "all"]).status == 0)
    #expect(try place.read("both/model.safetensors") == place.read("all/model.safetensors"))
    #expect(try description("both")["data"] as? [String] == ["a.txt", "b.txt"])

    let piped = try train(
      ["a.txt", "-", "-o", "piped"], input: words(40..<90).joined(separator: "\n"))
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(try place.read("piped/model.safetensors") == place.read("all/model.safetensors"))

    let resumed = try place.run("train", ["--resume", "both", "a.txt", "b.txt"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try place.run("train", ["--resume", "both"]).output.contains("samples:"))
    expectRefusal(try place.run("train", ["--resume", "both", "b.txt", "a.txt"]), status: 76)
    let report = try place.run("report", ["both"])
    #expect(report.status == 0, "\(report.errors)")
    let described = try place.run("train", ["a.txt", "b.txt", "--describe", "--json"]).output
    #expect(try jsonObject(described)["words"] as? Int == 90)
  }

  @Test("With several lists, an error names the list that it is in")
  func errors() throws {
    try place.write([0x61, 0x0A, 0x62, 0xE9, 0x0A], to: "latin.txt")
    expectRefusal(
      try train(["a.txt", "latin.txt"]), status: 65, saying: "train: latin.txt:2: invalid UTF-8")
    expectRefusal(try train(["a.txt", "none.txt"]), status: 66, saying: "train: none.txt: ")
    expectRefusal(try train(["a.txt", "--data", "b.txt"]), status: 64, saying: "--data cannot be")
    expectRefusal(try train(["-", "a.txt", "-"]), status: 64, saying: "cannot be read twice")
    expectRefusal(try train(["a.txt", "--data", "a.txt", "--data", "b.txt"]), status: 64)
    #expect(!place.hasRun)
  }

  @Test("--split hash takes one list, and the command that joins several works")
  func hash() throws {
    let refused = try train(["a.txt", "b.txt", "--split", "hash"])
    expectRefusal(
      refused, status: 69,
      saying: "Join them:  awk 1 a.txt b.txt | train --split hash -")
    try place.write(words(0..<400).joined(separator: "\n").utf8, to: "a.txt")
    try place.write(words(400..<450).joined(separator: "\n").utf8, to: "b.txt")
    let outcome = try place.guarded(
      "awk 1 a.txt b.txt | train --split hash - --steps 20 --hidden 8 --out hashed")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test("A warning about several lists has a command that reads them all")
  func warning() throws {
    for name in ["c.csv", "d.csv"] {
      try place.write(words(0..<50).map { "\($0),F,\(name.count)\n" }.joined().utf8, to: name)
    }
    let outcome = try train(["c.csv", "d.csv"])
    #expect(outcome.errors.contains("try:  awk 1 c.csv d.csv | cut -d, -f1 | train -"))
  }
}

// MARK: - The report on a list, and counting

@Suite("train, on its data and against counting")
struct TrainDataTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let words = [
    "anna", "Bert", "anna", "dora", "emil", "anna", "bert", "😀 x", "e\u{301}",
  ]

  private func train(_ arguments: String...) throws -> Outcome {
    try place.write(Self.words.joined(separator: "\n").utf8, to: "words.txt")
    return try place.run("train", ["--data", "words.txt", "--steps", "50"] + arguments)
  }

  @Test("--describe prints the report to stdout and trains nothing")
  func describe() throws {
    let outcome = try train("--describe")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.hasPrefix("words.txt: 9 words, 7 distinct; "))
    for text in [
      "duplicates  2 (22.2 %)", "U+0020", "U+0301", "lengths: 2 to 4 characters, median 4",
      "warning: tiny", "warning: duplicated: 2 duplicates", "warning: mixed case: one letter",
    ] {
      #expect(outcome.output.contains(text), "\(text)")
    }
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
  }

  @Test("--describe --json prints the same as one object")
  func describeJSON() throws {
    let outcome = try train("--describe", "--json")
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try jsonObject(outcome.output)
    #expect(object["words"] as? Int == 9 && object["distinct"] as? Int == 7)
    let warnings = try #require(object["warnings"] as? [[String: String]])
    #expect(warnings.map { $0["kind"] } == ["tiny", "duplicated", "mixed_case"])
    let split = try #require(object["split"] as? [String: [String: Int]])
    #expect(split["train"]?["words"] == 7 && split["val"]?["words"] == 1)
  }

  @Test("--describe refuses what cannot be trained on with 65")
  func describeRefuses() throws {
    try place.write("a\nb\n".utf8, to: "two.txt")
    let outcome = try place.run("train", ["--data", "two.txt", "--describe"])
    #expect(outcome.status == 65)
    #expect(outcome.errors.hasPrefix("train: two.txt: 2 words"))
  }

  @Test("--deduplicate removes duplicates before the split, and the model file says so")
  func deduplicate() throws {
    let outcome = try train("--deduplicate", "--out", "run")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("7 words (2 duplicates removed), all distinct"))
    #expect(!outcome.errors.contains("warning: duplicated"))
    let file = try SafetensorsFile(decoding: [UInt8](place.read("run/model.safetensors")))
    #expect(file.metadata["recipe"]?.contains("\"deduplicate\":true") == true)

    #expect(try train("--out", "plain").errors.contains("9 words, 7 distinct"))
    let plain = try SafetensorsFile(decoding: [UInt8](place.read("plain/model.safetensors")))
    #expect(plain.metadata["recipe"]?.contains("\"deduplicate\":false") == true)
  }

  @Test("--json has the losses of n-grams of orders 2 to 6, with fixed and estimated discounts")
  func baseline() throws {
    let outcome = try place.run("train", ["--steps", "50", "--json", "--quiet"])
    let baseline = try #require(try jsonObject(outcome.output)["baseline"] as? [[String: Any]])
    #expect(baseline.compactMap { $0["order"] as? Int } == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    let discounts = baseline.compactMap { $0["discount"] as? String }
    #expect(discounts == (0..<5).flatMap { _ in ["fixed", "estimated"] })
    for part in ["train", "val", "test"] {
      let losses = baseline.compactMap { $0[part] as? Double }
      #expect(losses.count == 10 && losses.allSatisfy { $0 > 1 && $0 < 3 })
    }
  }

  @Test("train names the n-grams that beat a network which has learned nothing, in 80 columns")
  func countingWins() throws {
    let outcome = try place.run("train", ["--steps", "1", "--quiet", "--samples", "0"])
    let lines = outcome.output.split(separator: "\n")
    #expect(
      lines[0].split(separator: " ") == [
        "loss", "(perplexity)", "discount", "train", "validation", "test",
      ])
    #expect(lines[1].hasPrefix("network "))
    #expect(lines[2].hasPrefix("4-gram, same context  estimated "))
    #expect(lines[3].hasPrefix("6-gram, best          estimated "))
    #expect(lines[4].hasPrefix("On validation words the 6-gram beats the network by "))
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(outcome.output)")
  }

  @Test(
    "A network that sees five characters or more has one n-gram beside it, the longest",
    arguments: [
      (5, "same context  estimated ", "which sees the same context"),
      (8, "longest    estimated ", "the longest that is counted"),
    ])
  func sameIsBest(blockSize: Int, name: String, clause: String) throws {
    let outcome = try place.run(
      "train", ["--steps", "1", "--block-size", "\(blockSize)", "--quiet", "--samples", "0"])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines[2].hasPrefix("6-gram, \(name)"))
    #expect(lines[3].hasPrefix("On validation words the 6-gram, \(clause), beats the"))
  }
}

// MARK: - Lists that are split by hash

@Suite("train, by a split that needs no whole list")
struct TrainSplitTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let flags = [
    "--split", "hash", "--steps", "60", "--hidden", "8", "--samples", "0", "--quiet",
  ]

  private static let words = (0..<300).map { "word\($0 * $0 % 991)" }

  private func train(_ arguments: [String], input: String = "") throws -> Outcome {
    try place.run("train", Self.flags + arguments, input: input)
  }

  private func model(_ run: String) throws -> SafetensorsFile {
    try SafetensorsFile(decoding: [UInt8](place.read("\(run)/model.safetensors")))
  }

  @Test("A file, a pipe and the words of a model file give the same bytes")
  func sources() throws {
    let text = Self.words.joined(separator: "\r\n\n")
    try place.write(text.utf8, to: "words.txt")
    #expect(try train(["--data", "words.txt", "--out", "file"]).status == 0)
    #expect(try train(["--data", "-", "--out", "pipe"], input: text).status == 0)
    let bytes = try place.read("file/model.safetensors")
    #expect(try place.read("pipe/model.safetensors") == bytes)
    let file = try model("file")
    #expect(file["words"] != nil)
    #expect(file.metadata["recipe"]?.contains("\"split\":\"hash\"") == true)
    // A finished run says so, and what it reads again is what it was trained on.
    let again = try place.run(
      "train", ["--resume", "file", "--data", "words.txt", "--samples", "0"])
    #expect(again.status == 0 && again.errors.contains("already finished"))
    #expect(try place.read("file/model.safetensors") == bytes)
  }

  @Test(
    "What a split by hash cannot do is refused in two lines",
    arguments: [
      (["--deduplicate"], "", 64, "--deduplicate cannot be used with --split hash"),
      (["--split", "other"], "", 64, "other"),
      (["--data", "-"], "a\nb\n", 65, "--split shuffle"),
      (["--data", "-"], "a\nb\n\u{1}\n", 65, "stdin:3: U+0001"),
      (["--data", "-"], "", 65, "empty"), (["--data", "-"], "\n \n", 65, "only blank lines"),
      (["--data", "no.txt"], "", 66, "no such file"), (["--data", "/"], "", 66, "is a directory"),
    ] as [([String], String, Int32, String)])
  func refusals(arguments: [String], input: String, status: Int32, message: String) throws {
    let outcome = try train(arguments, input: input)
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count) && outcome.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: place.path("runs")))
  }

  /// Two million words of seven letters each: 16.8 MB. Plain loops, since tests are not optimized.
  private static let longList: Data = {
    var text = Data(repeating: UInt8(ascii: "\n"), count: 8 * 2_100_000)
    unsafe text.withUnsafeMutableBytes { text in
      var (word, end) = (0, 0)
      while end < text.count {
        var rest = word &* 2_654_435_761 & 0xFFFF_FFFF
        var place = end
        while place < end + 7 {
          unsafe text[place] = UInt8(truncatingIfNeeded: 97 + rest % 26)
          rest /= 26
          place += 1
        }
        (word, end) = (word + 1, end + 8)
      }
    }
    return text
  }()

  @Test(
    "A list above 16 MB is described and measured by a sample; the model file does not carry it",
    arguments: ["shuffle", "hash"])
  func longList(split: String) throws {
    try place.write(Self.longList, to: "long.txt")
    let outcome = try place.run(
      "train",
      [
        "--split", split, "--steps", "60", "--hidden", "8", "--samples", "0", "--quiet", "--data",
        "long.txt", "--out", "run", "--json",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try jsonObject(outcome.output)["sample_words"] as? Int == 100_000)
    let file = try model("run")
    #expect(file["words"] == nil && file.metadata["words_fingerprint"] != nil)

    let alone = try place.run("train", ["--resume", "run"])
    #expect(alone.status == 66 && alone.errors.contains("train --resume run words.txt"))
    let named = try place.run(
      "train", ["--resume", "run", "--data", "long.txt", "--samples", "0"])
    #expect(
      named.status == 0 && named.errors.contains("a sample: 100,000 words"), "\(named.errors)")
    #expect(named.output.contains("All losses are over a sample of 100,000 words"))
    try place.write(Self.longList.dropFirst(8) + Data("another\n".utf8), to: "other.txt")
    let other = try place.run("train", ["--resume", "run", "--data", "other.txt"])
    #expect(other.status == 76 && other.errors.contains("not the words of the run"))
  }
}
