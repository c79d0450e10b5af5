// Lists as `train` is given them: with or without a flag, one or several, files or standard input.

import Foundation
import Testing

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

  @Test("A list needs no flag")
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

  @Test("What is wrong is told of the list that it is in")
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

  @Test("A list that is split by hash is one, and the line that joins several works")
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

  @Test("A warning of several lists has a line that reads them all")
  func warning() throws {
    for name in ["c.csv", "d.csv"] {
      try place.write(words(0..<50).map { "\($0),F,\(name.count)\n" }.joined().utf8, to: name)
    }
    let outcome = try train(["c.csv", "d.csv"])
    #expect(outcome.errors.contains("try:  awk 1 c.csv d.csv | cut -d, -f1 | train -"))
  }
}
