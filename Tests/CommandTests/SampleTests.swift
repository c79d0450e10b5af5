// `sample` from the shell.

import Foundation
import Testing

@Suite("sample")
struct SampleTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    let outcome = try place.run("train", ["--steps", "200", "--hidden", "16", "--quiet"])
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test("It prints as many words as asked for, from the newest run, the same for the same seed")
  func words() throws {
    let first = try place.run("sample", ["--count", "7"])
    #expect(first.status == 0)
    #expect(first.output.split(separator: "\n").count == 7)
    #expect(first.errors.isEmpty)
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

  @Test("A model that is cut off, or of a newer version, is refused: 65 and 76")
  func badModel() throws {
    let model = try place.read("runs/names-1/model.safetensors")
    try place.write(model.dropLast(1), to: "cut.safetensors")
    #expect(try place.run("sample", ["--model", "cut.safetensors"]).status == 65)
    let newer = String(decoding: model, as: UTF8.self).contains(#""version":"1""#)
    #expect(newer)
    var bytes = [UInt8](model)
    let place1 = try #require(bytes.firstRange(of: Array(#""version":"1""#.utf8)))
    bytes[place1.upperBound - 2] = UInt8(ascii: "2")
    try place.write(bytes, to: "newer.safetensors")
    let outcome = try place.run("sample", ["--model", "newer.safetensors"])
    #expect(outcome.status == 76)
    #expect((1...2).contains(outcome.errorLines.count))
  }
}
