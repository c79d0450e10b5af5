// `train --split hash`, and lists that are too long to be kept, from the shell.

import Foundation
import Safetensors
import Testing

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
    "What cannot be is refused in two lines",
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

  /// Two million words of seven letters each: 16.8 MB.
  private func writeLongList(to name: String, first: Int = 0) throws {
    var text: [UInt8] = []
    for word in first..<first + 2_100_000 {
      var rest = word &* 2_654_435_761 & 0xFFFF_FFFF
      for _ in 0..<7 {
        text.append(UInt8(97 + rest % 26))
        rest /= 26
      }
      text.append(10)
    }
    try place.write(text, to: name)
  }

  @Test(
    "Of a list above 16 MB a sample is told and measured, and the model file does not carry it",
    arguments: ["shuffle", "hash"])
  func longList(split: String) throws {
    try writeLongList(to: "long.txt")
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
    try writeLongList(to: "other.txt", first: 1)
    let other = try place.run("train", ["--resume", "run", "--data", "other.txt"])
    #expect(other.status == 76 && other.errors.contains("not the words of the run"))
  }
}
