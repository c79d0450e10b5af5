// What `train` tells about a list and about counting, from the shell.

import Foundation
import Safetensors
import Testing

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

  @Test("A network that has learned nothing is told which n-gram beats it, in 80 columns")
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

  @Test("A network that sees five characters has one n-gram beside it")
  func sameIsBest() throws {
    let outcome = try place.run(
      "train", ["--steps", "1", "--block-size", "8", "--quiet", "--samples", "0"])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines[2].hasPrefix("6-gram, same context  estimated "))
    #expect(
      lines[3].hasPrefix("On validation words the 6-gram, which sees the same context, beats the"))
  }
}
