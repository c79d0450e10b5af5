// `sample score` and its arguments: unknown characters, many words, tabs; and what messages
// suggest.

import Foundation
import Testing

@Suite("sample score on words as they come")
struct ScoreTests {
  let place: Workplace

  init() throws { place = try Workplace(with: TrainedRun.names) }

  @Test("A word with an unknown character is marked, the others are scored, and the status is 65")
  func unknown() throws {
    let text = try place.run("sample", ["score", "emma", "añn", "olivia", "x\u{AD}y"])
    #expect(text.status == 65)
    let rows = text.output.split(separator: "\n")
    #expect(rows.count == 5 && rows[2].hasSuffix("unknown: ñ"), "\(text.output)")
    #expect(rows[3].contains("olivia") && rows[4].hasSuffix("unknown: U+00AD"), "\(text.output)")
    #expect(text.errors.contains("\nsample: añn: the character \"ñ\" (U+00F1)"))
    #expect(text.errors.contains("(2 of 4 words cannot be scored)"), "\(text.errors)")
    let tsv = try place.run("sample", ["score", "--format", "tsv", "añn", "emma"])
    #expect(tsv.status == 65)
    #expect(tsv.output.hasPrefix("añn\t\t\nemma\t-"), "\(tsv.output)")
    let json = try place.run("sample", ["score", "--format", "json", "emma", "añn"])
    let object = try jsonObject(json.output)
    #expect(object["unknown"] as? String == "ñ" && object["log_probability"] is NSNull)
    let piped = try place.run("sample", ["score", "-"], input: "emma\nañn\n")
    #expect(piped.status == 65 && piped.output.contains("emma"))
  }

  @Test("20,000 arguments take no longer than their lines on standard input")
  func many() throws {
    let words = Array(repeating: ["emma", "olivia", "ava", "isla"], count: 5000).flatMap { $0 }
    let clock = ContinuousClock()
    var (piped, given): (Outcome?, Outcome?)
    let line = try clock.measure {
      piped = try place.run(
        "sample", ["score", "--format", "tsv", "-"], input: words.joined(separator: "\n"))
    }
    let arguments = try clock.measure {
      given = try place.run("sample", ["score", "--format", "tsv"] + words)
    }
    #expect(given?.status == 0 && given?.output == piped?.output)
    #expect(arguments < line * 3 + .seconds(1), "\(arguments) and \(line)")
  }

  @Test(
    "Flags may stand before the subcommand and after the words, and -- ends them",
    arguments: [
      "--model runs/names-1 score ana", "--model=runs/names-1 score ana",
      "score ana --model runs/names-1", "score --model runs/names-1 -- ana",
      "--temperature 1 --model runs/names-1 score ana",
    ])
  func order(arguments: String) throws {
    let expected = try place.run("sample", ["score", "ana"])
    let outcome = try place.run("sample", arguments.split(separator: " ").map(String.init))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == expected.output)
    #expect(try place.run("sample", ["score", "--", "-x"]).errors.contains("-x: the character"))
    #expect(try place.run("sample", ["score", "-x"]).status == 64)
    #expect(try place.run("sample", ["score", "--model"]).status == 64)
  }

  @Test("A symbol that the list has in another case or form is named")
  func alternatives() throws {
    let capital = try place.run("sample", ["score", "Emma"])
    #expect(capital.errors.contains("the list has \"e\""), "\(capital.errors)")
    #expect(try place.run("sample", ["--prefix", "M"]).errors.contains("the list has \"m\""))
    #expect(
      try place.run("sample", ["explain", "M"]).errors.contains(
        ". Instead, the list has \"m\""))
  }

  @Test("A temperature of 0 is refused with what to use")
  func zeroTemperature() throws {
    for arguments in [["--temperature", "0"], ["explain", "em", "--temperature", "0.0"]] {
      let outcome = try place.run("sample", arguments)
      #expect(outcome.status == 64 && outcome.errors.contains("--most-likely N"))
    }
  }

  @Test("--exclude says which words are known in another case, with a line that makes them match")
  func excludedCase() throws {
    let known = try place.run("sample", ["--most-likely", "5"]).output
    #expect(known.split(separator: "\n").count == 5)
    let names = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../data/names.txt"), encoding: .utf8
    ).split(separator: "\n").prefix(30).map { $0.prefix(1).uppercased() + $0.dropFirst() }
    try place.write((names.joined(separator: "\n") + "\nzzzz\n").utf8, to: "known.txt")
    let outcome = try place.guarded("sample --model runs/names-1 --exclude known.txt --count 2")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("30 words differ from the training list's only in case"))
    let line = try #require(outcome.errorLines.last).dropFirst("  try:  ".count)
    let mended = try place.guarded("\(line) --model runs/names-1 --count 2")
    #expect(mended.status == 0 && mended.errors.isEmpty, "\(line)\n\(mended.errors)")
  }
}

@Suite("Words with blanks, tabs and marks")
struct BlankWordsTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    let words = (0..<40).flatMap {
      ["ab \(["ka", "lo", "mi"][$0 % 3])a", "ka\tb", "lo\u{A0}mi", "m\\i", "क\u{93F}ल"]
    }
    try place.write((words.joined(separator: "\n") + "\n").utf8, to: "words.txt")
    let trained = try place.guarded(
      "train --data words.txt --steps 60 --hidden 8 --samples 50 --out runs/blanks-1 --quiet")
    #expect(trained.status == 0, "\(trained.errors)")
  }

  @Test("No drawn word begins or ends blank or begins with a mark, and tsv keeps its columns")
  func ends() throws {
    let outcome = try place.run("sample", ["--count", "2000"])
    let words = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(words.count == 2000)
    for word in words {
      let scalars = word.unicodeScalars
      #expect(scalars.first?.properties.isWhitespace == false, "\(word)")
      #expect(scalars.last?.properties.isWhitespace == false, "\(word)")
      #expect(scalars.first != "\u{93F}")
    }
    let tsv = try place.run("sample", ["--count", "2000", "--format", "tsv"])
    let rows = tsv.output.split(separator: "\n")
    #expect(rows.allSatisfy { $0.split(separator: "\t").count == 2 })
    #expect(tsv.output.contains(#"\t"#) && tsv.output.contains(#"\\"#))
    let score = try place.run("sample", ["score", "--format", "tsv", "ka\tb", #"m\i"#])
    #expect(score.output.hasPrefix(#"ka\tb"# + "\t-"))
    #expect(score.output.contains("\n" + #"m\\i"# + "\t-"))
  }
}

@Suite("How --data finds a list")
struct ListPlaceTests {
  @Test("Without a name the bundled list is read, and the first line says so")
  func bundled() throws {
    let place = try Workplace()
    let first = "the bundled list of names: 8,423 words"
    #expect(try place.run("train", ["--describe"]).output.hasPrefix(first))
    let trained = try place.run("train", ["--steps", "20", "--hidden", "8", "--samples", "0"])
    #expect(trained.errors.hasPrefix(first), "\(trained.errors)")
    let run = try jsonObject(String(decoding: place.read("runs/names-1/run.json"), as: UTF8.self))
    #expect(run["data"] as? String == "the bundled list of names")
    let checked = try place.run("gradcheck", ["--hidden", "4"])
    #expect(checked.output.hasPrefix("the bundled list of names, float64\n"), "\(checked.output)")
  }

  @Test(
    "A bare name that is not here is no file of the package's", arguments: ["names.txt", "names"])
  func elsewhere(name: String) throws {
    let place = try Workplace()
    for command in ["train", "gradcheck"] {
      let outcome = try place.run(command, ["--data", name])
      expectRefusal(outcome, status: 66, saying: "\(command): \(name): no such file")
    }
    #expect(!place.hasRun)
  }
}
