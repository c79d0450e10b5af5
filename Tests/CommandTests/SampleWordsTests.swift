// `sample words` from the shell: what is asked for, in which form, and how it ends if there is no
// more.

import Foundation
import Safetensors
import Testing

@Suite("sample words")
struct SampleWordsTests {
  let place: Workplace

  init() throws { place = try Workplace(with: TrainedRun.names) }

  private func lines(_ arguments: String...) throws -> [String] {
    let outcome = try place.run("sample", arguments)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return outcome.output.split(separator: "\n").map(String.init)
  }

  @Test("Constraints combine, and every word meets all of them")
  func constraints() throws {
    let words = try lines(
      "--prefix", "ma", "--suffix", "a", "--contains", "r", "--avoid", "xyz", "--min-length", "5",
      "--max-length", "9", "--count", "50", "--temperature", "1.2")
    #expect(words.count == 50)
    for word in words {
      #expect(word.hasPrefix("ma") && word.hasSuffix("a") && word.contains("r"))
      #expect((5...9).contains(word.count) && !word.contains { "xyz".contains($0) })
    }
  }

  @Test("--novel leaves out the training list, --exclude a file, --unique what was printed")
  func forbidden() throws {
    let known = Set(try lines("--count", "3000", "--max-length", "4"))
    try place.write(known.joined(separator: "\n").utf8, to: "known.txt")
    let words = try lines(
      "--count", "3000", "--max-length", "4", "--novel", "--unique", "--exclude", "known.txt")
    #expect(Set(words).count == 3000)
    #expect(known.isDisjoint(with: words))
    let names = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../data/names.txt")
    let list = try String(contentsOf: names, encoding: .utf8).split(separator: "\n")
    #expect(Set(list.map(String.init)).isDisjoint(with: words))
  }

  @Test("The empty word comes only with --min-length 0")
  func empty() throws {
    let outcome = try place.run(
      "sample", ["--min-length", "0", "--max-length", "0", "--count", "3"])
    #expect(outcome.status == 0)
    #expect(outcome.output == "\n\n\n")
  }

  @Test(
    "Constraints that no word can meet are refused at once with 64",
    arguments: [
      "--max-length 2 --suffix ella", "--min-length 3 --max-length 2", "--max-length 0",
      "--prefix ab --avoid b", "--suffix é", "--contains ab1", "--avoid ß", "--prefix '#'",
      "--json --format tsv", "--format xml", "--top-p 1.5", "--most-likely 3 --suffix é",
    ])
  func impossible(arguments: String) throws {
    expectRefusal(try place.guarded("sample \(arguments)"), status: 64)
  }

  @Test("A model's file without its word list cannot tell what is novel: 69, and --exclude can")
  func withoutList() throws {
    // As of a list of more than 16 MB, of which a file has only the length and the hash.
    var file = try SafetensorsFile(decoding: [UInt8](place.read("runs/names-1/model.safetensors")))
    file["words"] = nil
    file.metadata["words_fingerprint"] = String(repeating: "0", count: 64)
    try place.write(sealed(file), to: "long.safetensors")
    let outcome = try place.run("sample", ["--model", "long.safetensors", "--novel"])
    expectRefusal(outcome, status: 69, saying: "too long to be stored")
    #expect(outcome.errors.contains("--exclude FILE instead of --novel"))
    #expect(outcome.output.isEmpty)
    try place.write("emma\n".utf8, to: "names.txt")
    let words = try place.run(
      "sample", ["--model", "long.safetensors", "--exclude", "names.txt", "--count", "3"])
    #expect(words.status == 0)
    #expect(words.output.split(separator: "\n").count == 3)
  }

  @Test("Damaged words in a model's file are refused, whatever they are read for")
  func damagedList() throws {
    var file = try SafetensorsFile(decoding: [UInt8](place.read("runs/names-1/model.safetensors")))
    file.metadata["words_bytes"] = "1"
    try place.write(sealed(file), to: "damaged.safetensors")
    try place.write("emma\n".utf8, to: "names.txt")
    for flags in [[], ["--novel"], ["--exclude", "names.txt"]] {
      expectRefusal(
        try place.run("sample", ["--model", "damaged.safetensors"] + flags), status: 65,
        saying: "damaged.safetensors")
    }
  }

  @Test("The help that is asked for first has every flag for words, and names the subcommands")
  func help() throws {
    for arguments in [["--help"], ["-h"], ["words", "--help"]] {
      let outcome = try place.run("sample", arguments)
      #expect(outcome.status == 0)
      for flag in [
        "--prefix", "--suffix", "--contains", "--avoid", "--min-length", "--max-length", "--novel",
        "--exclude", "--unique", "--temperature", "--top-k", "--top-p", "--seed", "--count",
        "--format", "--most-likely", "--threads", "--budget", "score", "explain", "evaluate",
      ] {
        #expect(outcome.output.contains(flag), "\(arguments): \(flag)")
      }
    }
  }

  @Test("A missing list is no input: 66")
  func missingList() throws {
    expectRefusal(try place.guarded("sample --exclude none.txt"), status: 66, saying: "none.txt")
  }

  @Test("When no word is left, what there is comes out, and the status is 69")
  func exhausted() throws {
    let outcome = try place.run("sample", ["--max-length", "1", "--unique", "--count", "100"])
    #expect(outcome.status == 69)
    let words = outcome.output.split(separator: "\n")
    #expect((20...26).contains(words.count))
    #expect(Set(words).count == words.count)
    // The first line says which run was found.
    #expect(outcome.errorLines.count == 3)
    #expect(outcome.errorLines[1].hasPrefix("sample: \(words.count) of 100 words: "))
    let object = try place.run(
      "sample", ["--max-length", "1", "--unique", "--count", "100", "--json"])
    #expect(object.status == 69)
    #expect((try jsonObject(object.output)["words"] as? [String])?.count == words.count)
    #expect(
      try place.run("sample", ["--max-length", "1", "--most-likely", "100"]).status == 69)
  }

  @Test("Words that the budget is not enough for are refused with their odds and the time: 69")
  func budget() throws {
    // A context of eight characters has too many states for an exact answer.
    let trained = try place.run(
      "train", ["--steps", "20", "--hidden", "8", "--block-size", "8", "--quiet", "--out", "long"])
    #expect(trained.status == 0)
    let outcome = try place.run(
      "sample", ["--model", "long", "--suffix", "qxqxq", "--budget", "100", "--count", "2"])
    expectRefusal(
      outcome, status: 69, saying: "of the words that the model makes, one in about")
    #expect(outcome.errors.contains(/A word takes about .* on one core; --budget 10+ allows/))
    let words = try place.run(
      "sample", ["--model", "long", "--suffix", "a", "--novel", "--unique", "--count", "5"])
    #expect(words.status == 0)
    #expect(words.output.split(separator: "\n").allSatisfy { $0.hasSuffix("a") })
    // Where no line can move, a search says after some seconds how far it is.
    let search = try place.guarded(
      """
      sample --model long --contains qxqxq --budget 1000000000000 --count 9 --threads 1 2>said &
      until test -s said || ! kill -0 $!; do sleep 0.05; done
      kill -TERM $!; wait $! 2>/dev/null; status=$?; cat said >&2; exit $status
      """)
    #expect(search.status == 128 + SIGTERM)
    #expect(
      search.errors.contains(/\Asample: 0 of 9 words found, [\d,]+ tried, .*\n\Z/),
      "\(search.errors)")
  }

  @Test("The forms hold the same words, with log-probabilities")
  func forms() throws {
    let words = try lines("--count", "6")
    let table = try lines("--count", "6", "--format", "tsv").map { $0.split(separator: "\t") }
    #expect(table.map { String($0[0]) } == words)
    #expect(table.allSatisfy { $0.count == 2 && (Double($0[1]) ?? 1) < 0 })
    let objects = try lines("--count", "6", "--format", "json").map { try jsonObject($0) }
    #expect(objects.compactMap { $0["word"] as? String } == words)
    // Foundation reads a number of 17 digits to within a few last places.
    for (object, row) in zip(objects, table) {
      let found = try #require(object["log_probability"] as? Double)
      #expect(abs(found - (Double(row[1]) ?? 0)) <= 1e-12)
    }
  }

  @Test("--most-likely prints the most probable words, most probable first, within constraints")
  func mostLikely() throws {
    let table = try lines("--most-likely", "12", "--format", "tsv", "--suffix", "a", "--novel")
      .map { $0.split(separator: "\t") }
    let logs = table.compactMap { Double($0[1]) }
    #expect(logs.count == 12 && zip(logs, logs.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(table.allSatisfy { $0[0].hasSuffix("a") })
    let both = try place.run("sample", ["--most-likely", "3", "-n", "5"])
    #expect(both.status == 64 && both.errors.contains("--count cannot be used with"))
    let seeded = try place.run("sample", ["--most-likely", "3", "-s", "5"])
    #expect(seeded.status == 64 && seeded.errors.contains("--seed cannot be used with"))
    let unknown = try place.run("sample", ["--suffix", "ß"])
    #expect(unknown.errors.hasPrefix("sample: --suffix: the character"), "\(unknown.errors)")
    #expect(try place.run("sample", ["--model", ""]).status == 64)
  }

  @Test("A reader that has enough ends it, and words are printed before all are drawn")
  func stream() throws {
    let outcome = try place.guarded("sample --count 1000000000 | head -n 3")
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: "\n").count == 3)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
  }
}

@Suite("sample score, explain, evaluate")
struct SampleSubcommandTests {
  let place: Workplace

  init() throws { place = try Workplace(with: TrainedRun.names) }

  @Test("score prints the log-probability that sampling prints, for arguments and for stdin")
  func score() throws {
    let sampled = try place.run("sample", ["--count", "5", "--format", "tsv"]).output
      .split(separator: "\n").map { $0.split(separator: "\t") }
    let words = sampled.map { String($0[0]) }
    let scored = try place.run("sample", ["score", "--format", "tsv"] + words)
    #expect(scored.status == 0)
    let table = scored.output.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(table.map { String($0[0]) } == words)
    for (left, right) in zip(sampled, table) {
      let (expected, found) = (try #require(Double(left[1])), try #require(Double(right[1])))
      #expect(abs(expected - found) < 1e-9)
      let mean = try #require(Double(right[2]))
      #expect(abs(mean * Double(left[0].count + 1) - found) < 1e-9)
    }
    let piped = try place.run(
      "sample", ["score", "--format", "tsv", "-"], input: words.joined(separator: "\n"))
    #expect(piped.output == scored.output)
  }

  @Test("score names the least expected character, and its objects list all")
  func surprise() throws {
    let text = try place.run("sample", ["score", "annq"])
    #expect(text.status == 0)
    #expect(text.output.contains("q after .ann ("))
    let object = try jsonObject(
      try place.run("sample", ["score", "--format", "json", "annq"]).output)
    let characters = try #require(object["characters"] as? [[String: Any]])
    #expect(characters.compactMap { $0["character"] as? String } == ["a", "n", "n", "q", "."])
    let sum = characters.compactMap { $0["log_probability"] as? Double }.reduce(0, +)
    #expect(abs(sum - (object["log_probability"] as? Double ?? 0)) < 1e-12)
    #expect(try place.run("sample", ["score", "añn"]).status == 65)
    #expect(try place.run("sample", ["score"]).status == 64)
  }

  @Test("explain shows two distributions that sum to one")
  func explain() throws {
    let text = try place.run("sample", ["explain", "ma", "--top", "5"])
    #expect(text.status == 0)
    #expect(text.output.split(separator: "\n").count == 6)
    #expect(text.output.contains("4-gram"))
    #expect(text.output.contains("█"))
    let object = try jsonObject(try place.run("sample", ["explain", "", "--json"]).output)
    let characters = try #require(object["characters"] as? [[String: Any]])
    for name in ["network", "ngram"] {
      #expect(abs(characters.compactMap { $0[name] as? Double }.reduce(0, +) - 1) < 1e-9)
    }
    #expect(try place.run("sample", ["explain", "é"]).status == 64)
  }

  @Test("evaluate compares sampled words, counting's, training and held-out words, and says how")
  func evaluate() throws {
    let text = try place.run("sample", ["evaluate", "--count", "500", "--nearest", "3"])
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("nearest training word"))
    #expect(text.output.contains("sampled  counting  training  held out"), "\(text.output)")
    // A network of 16 units that has hardly begun loses against every n-gram.
    #expect(
      text.output.contains(
        /validation loss is 0\.\d+ higher than that of the best n-gram\s+model,\s+a\s+[2-6]-gram/),
      "\(text.output)")
    let object = try jsonObject(
      try place.run("sample", ["evaluate", "--count", "500", "--json"]).output)
    let losses = try #require(object["validation_loss"] as? [String: Double])
    #expect(losses["model"]! > losses["counting"]!)
    for name in ["sampled", "counting", "training", "held_out"] {
      let part = try #require(object[name] as? [String: Any])
      #expect((0...1).contains(part["novel"] as? Double ?? -1))
      #expect((0...1).contains(part["bigram_divergence"] as? Double ?? -1))
    }
    let heldOut = try #require(object["held_out"] as? [String: Any])
    #expect(heldOut["length_divergence"] as? Double == 0)
    #expect((object["nearest"] as? [Any])?.count == 10)
  }
}
