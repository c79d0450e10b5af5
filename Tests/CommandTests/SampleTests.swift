// `sample` from the shell.

import Foundation
import Safetensors
import Testing

@Suite("sample")
struct SampleTests {
  let place: Workplace

  init() throws { place = try Workplace(with: TrainedRun.names) }

  @Test("sample prints as many words as asked for, from the newest run, the same for the same seed")
  func words() throws {
    let first = try place.run("sample", ["--count", "7"])
    #expect(first.status == 0)
    #expect(first.output.split(separator: "\n").count == 7)
    #expect(first.errors.hasPrefix("sample: runs/names-1/"), "\(first.errors)")
    #expect(first.errors.hasSuffix(".safetensors: step 200 of 200\n"))
    #expect(try place.run("sample", ["--model", "runs/names-1"]).errors.isEmpty)
    #expect(try place.run("sample", ["--count", "7"]).output == first.output)
    #expect(try place.run("sample", ["--count", "7", "--seed", "1"]).output != first.output)
  }

  @Test(
    "A run directory and its file are the same model", arguments: ["", "/model.safetensors", "/"])
  func model(suffix: String) throws {
    let outcome = try place.run("sample", ["--model", "runs/names-1" + suffix])
    #expect(outcome.status == 0)
    #expect(outcome.output == (try place.run("sample", []).output))
  }

  @Test("--prefix begins every word, --json is one object")
  func prefixAndJSON() throws {
    let outcome = try place.run("sample", ["--prefix", "ma", "--count", "4", "--json"])
    let words = try #require(try jsonObject(outcome.output)["words"] as? [String])
    #expect(words.count == 4)
    #expect(words.allSatisfy { $0.hasPrefix("ma") })
  }

  @Test(
    "A first word that is no subcommand leads to what was meant",
    arguments: [
      ("emma", "score emma"), ("runs/names-1", "--model runs/names-1"),
      ("x.safetensors", "--model x.safetensors"), ("scor", "score"),
    ])
  func unknownWord(word: String, meant: String) throws {
    let outcome = try place.run("sample", [word])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("Did you mean '\(meant)'?"), "\(outcome.errors)")
  }

  @Test("help is --help, with examples and flags, and hints name no hidden subcommand")
  func help() throws {
    let help = try place.run("sample", ["--help"])
    #expect(help.output.contains("--prefix"))
    #expect(try place.run("sample", ["help"]).output == help.output)
    #expect(try place.run("sample", ["-s7", "-n3"]).status == 0)
    #expect(
      try place.run("sample", ["--seed", "abc"]).errors.hasSuffix("\nSee 'sample --help'.\n"))
  }

  @Test("A prefix outside the alphabet is a usage error")
  func unknownPrefix() throws {
    let outcome = try place.run("sample", ["--prefix", "é"])
    #expect(outcome.status == 64)
    #expect(outcome.errorLines.count == 2)
  }

  @Test("Without a run, or with a path that is none, there is no input: 66")
  func noModel() throws {
    #expect(try place.run("sample", ["--model", "nowhere"]).status == 66)
    #expect(try Workplace().run("sample", []).status == 66)
  }

  @Test("A model that is cut off, damaged or without its checksum is refused with 65")
  func badModel() throws {
    let model = [UInt8](try place.read("runs/names-1/model.safetensors"))
    var flipped = model
    flipped[model.count / 2] ^= 4
    var file = try SafetensorsFile(decoding: model)
    file.metadata["crc32"] = nil
    for bytes in [Array(model.dropLast()), flipped, try file.encoded(), []] {
      try place.write(bytes, to: "bad.safetensors")
      let outcome = try place.run("sample", ["--model", "bad.safetensors"])
      #expect(outcome.status == 65)
      #expect((1...2).contains(outcome.errorLines.count))
      #expect(outcome.errors.hasPrefix("sample: bad.safetensors: "))
    }
  }

  @Test("Weights that are no numbers are refused with 65, and a newer version with 76")
  func soundButNotUsable() throws {
    var file = try SafetensorsFile(decoding: [UInt8](place.read("runs/names-1/model.safetensors")))
    file.metadata["version"] = "4"
    try place.write(sealed(file), to: "newer.safetensors")
    #expect(try place.run("sample", ["--model", "newer.safetensors"]).status == 76)
    file.metadata["version"] = "3"
    file["b2"] = Tensor([Float](repeating: .nan, count: 27), shape: [27])
    try place.write(sealed(file), to: "nan.safetensors")
    #expect(try place.run("sample", ["--model", "nan.safetensors"]).status == 65)
  }
}
