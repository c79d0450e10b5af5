// `gradcheck` from the shell: what it prints, what it writes, what it refuses, and its page.

import Foundation
import Safetensors
import Testing

@Suite("gradcheck")
struct GradcheckTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let quick = ["--hidden", "12", "--batch-size", "4", "--embedding", "3"]

  private static let float64 = Result { try written() }
  private static let float32 = Result { try written(["--scalar", "float32"]) }

  private static func written(_ arguments: [String] = []) throws -> Data {
    let place = try Workplace()
    let outcome = try place.run("gradcheck", quick + ["--write", "ours.safetensors"] + arguments)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "gradcheck: wrote ours.safetensors\n")
    return try place.read("ours.safetensors")
  }

  /// A reference of ours, optionally changed, and its path.
  private func writeReference(
    _ scalar: String = "float64", _ change: (inout SafetensorsFile) throws -> Void = { _ in }
  ) throws -> String {
    let ours = try (scalar == "float32" ? Self.float32 : Self.float64).get()
    try place.write(ours, to: "ours.safetensors")
    var file = try SafetensorsFile(decoding: [UInt8](ours))
    try change(&file)
    try place.write(file.encoded(), to: "changed.safetensors")
    return "changed.safetensors"
  }

  @Test("--json is one object: 26 gradients checked numerically, forms in one go, and the engine")
  func json() throws {
    let outcome = try place.run("gradcheck", Self.quick + ["--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.isEmpty)
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try jsonObject(outcome.output)
    #expect(object["scalar"] as? String == "float64")
    #expect(object["passed"] as? Bool == true)
    let tensors = try #require(object["tensors"] as? [[String: Any]])
    let against = tensors.compactMap { $0["against"] as? String }
    #expect(against.filter { $0 == "numeric" }.count == 26)
    #expect(against.filter { $0 == "one-go" }.count == 2)
    #expect(against.filter { $0 == "fused" }.count == 12)
    #expect(tensors.first?["name"] as? String == "logprobs")
    #expect(tensors.first?["shape"] as? [Int] == [4, 27])
    for row in tensors {
      #expect(row["exact"] is Bool && row["max_abs"] is Double && row["max_rel"] is Double)
      #expect(["exact", "rounding"].contains(row["verdict"] as? String))
    }
    let forward = try #require(object["forward"] as? [[String: Any]])
    #expect(forward.map { $0["name"] as? String } == ["loss"])
  }

  @Test("With dropout every gradient is right as well, and the heading says so")
  func dropout() throws {
    let outcome = try place.run("gradcheck", Self.quick + ["--dropout", "0.3"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let heading = outcome.output.split(separator: "\n").prefix(2)
    #expect(heading.first?.hasSuffix(", float64") == true)
    #expect(heading.last?.hasSuffix("vocabulary 27, dropout 0.3") == true)
    let plain = try place.run("gradcheck", Self.quick)
    #expect(plain.output != outcome.output.replacing(", dropout 0.3", with: ""))
    for arguments in [["--write", "x"], ["--reference", "x"]] {
      #expect(try place.run("gradcheck", ["--dropout", "0.3"] + arguments).status == 64)
    }
  }

  @Test("The table fits 80 columns, says what was sampled, and why b1 is judged absolutely")
  func table() throws {
    let sizes = ["--batch-size", "32", "--hidden", "200"]
    let outcome = try place.run("gradcheck", sizes + ["--write", "mine.safetensors"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\n32+8: "))
    #expect(outcome.output.contains("\nb1, logit_maxes: "))
    #expect(outcome.output.contains("a factor in them does not"))
    #expect(outcome.output.hasSuffix(", 0 WRONG\n"))
    var file = try SafetensorsFile(decoding: [UInt8](place.read("mine.safetensors")))
    for (name, shape) in [("dh", [32, 200]), ("demb", [32, 3, 10]), ("dW2", [200, 27])] {
      let elements = try file.elements(named: name, as: Double.self)
      file[name] = Tensor(elements.map { -1.123456789 * $0 }, shape: shape)
    }
    try place.write(file.encoded(), to: "wrong.safetensors")
    let all = try place.run("gradcheck", ["--reference", "wrong.safetensors", "--all"])
    #expect(all.status == 1 && all.output.contains("\nWRONG dh at "))
    for line in (outcome.output + all.output).split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test("One tensor of another type is left out by its name, with the line that fixes it")
  func otherType() throws {
    let path = try writeReference("float32") { file in
      file["dh"] = Tensor([Int64](repeating: 0, count: 48), shape: [4, 12])
    }
    let outcome = try place.run("gradcheck", ["--reference", path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains(
        "\nnot comparable: dh (int64, and C is float32: dh = dh.float())\n"))
    #expect(outcome.output.contains("gradients: 25 right, 1 not comparable\n"))
    let refused = try place.run(
      "gradcheck",
      [
        "--reference",
        try writeReference("float32") {
          $0["b2"] = Tensor([Double](repeating: 0, count: 27), shape: [27])
        },
      ])
    #expect(refused.status == 65)
    #expect(
      refused.errorLines == [
        "gradcheck: changed.safetensors: b2: expected F32 like C, found F64",
        "Write before save_file: b2 = b2.float()",
      ])
  }

  @Test("Another seed, or another minibatch, is another problem; the same flags print the same")
  func seeds() throws {
    let first = try place.run("gradcheck", Self.quick)
    #expect(try place.run("gradcheck", Self.quick).output == first.output)
    #expect(try place.run("gradcheck", Self.quick + ["--seed", "1"]).output != first.output)
    try place.write("anna\nbert\ncarla\ndora\nemil\nfrida\n".utf8, to: "words.txt")
    let words = try place.run("gradcheck", Self.quick + ["--data", "words.txt"])
    #expect(words.output.hasPrefix("words.txt, float64\n4 windows of 3, embedding 3, hidden 12, "))
  }

  @Test("A written reference is exact when it is read back", arguments: ["float32", "float64"])
  func roundTrip(scalar: String) throws {
    let path = try writeReference(scalar)
    let outcome = try place.run("gradcheck", ["--reference", path, "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try jsonObject(outcome.output)
    #expect(object["scalar"] as? String == scalar)
    for (key, count) in [("tensors", 26), ("forward", 20)] {
      let rows = try #require(object[key] as? [[String: Any]])
      let references = rows.filter { $0["against"] as? String == "reference" }
      #expect(references.count == count)
      #expect(references.allSatisfy { $0["exact"] as? Bool == true })
    }
  }

  @Test("A reference's problem can be written too, in its own precision")
  func writingAReference() throws {
    let path = try writeReference("float32") { file in
      for name in ["dh", "h", "loss"] { file[name] = nil }
    }
    let outcome = try place.run(
      "gradcheck", ["--reference", path, "--write", "again.safetensors"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains("forward: 18 right, 2 missing      gradients: 25 right, 1 missing\n"))
    #expect(outcome.output.hasSuffix("\nmissing: h loss dh\n"))
    #expect(try place.read("again.safetensors") == place.read("ours.safetensors"))
  }

  @Test("A faulty gradient ends with 1, and the element is named")
  func faulty() throws {
    let path = try writeReference { file in
      var elements = try file.elements(named: "dW2", as: Double.self)
      elements[30] += 0.01
      file["dW2"] = Tensor(elements, shape: [12, 27])
      file["Xtr"] = Tensor([Int64(1)], shape: [1])
    }
    let outcome = try place.run("gradcheck", ["--reference", path])
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("gradcheck: 1 line is wrong: dW2"))
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.output.contains("gradients: 25 right, 1 WRONG HERE\ndW2  WRONG HERE "))
    #expect(outcome.output.hasSuffix("\nmissing: none\nnot compared: Xtr\n"))
    let all = try place.run("gradcheck", ["--reference", path, "--all"])
    #expect(all.status == 1)
    #expect(all.output.hasPrefix(outcome.output))
    #expect(all.output.contains("\nWRONG dW2 at (1, 3): reference "))
    #expect(all.output.contains("; not compared: Xtr.\n"))
    let json = try place.run("gradcheck", ["--reference", path, "--json"])
    #expect(json.status == 1)
    #expect(try jsonObject(json.output)["passed"] as? Bool == false)
  }

  @Test("--json has a verdict for each line, forward first, and what follows from what")
  func verdicts() throws {
    let path = try writeReference { file in
      for (name, shape) in [("dhpreact", [4, 12]), ("dbngain", [1, 12])] {
        let elements = try file.elements(named: name, as: Double.self)
        file[name] = Tensor(elements.map { -$0 }, shape: shape)
      }
      file["dW1"] = nil
    }
    let outcome = try place.run("gradcheck", ["--reference", path, "--json"])
    #expect(outcome.status == 1)
    let object = try jsonObject(outcome.output)
    #expect(object["cause"] is NSNull)
    let verdicts = try #require(object["verdicts"] as? [[String: Any]])
    #expect(verdicts.count == 46)
    #expect(verdicts.first?["name"] as? String == "emb")
    #expect(verdicts[20]["name"] as? String == "dlogprobs")
    func verdict(_ name: String) -> String? {
      verdicts.first { $0["name"] as? String == name }?["verdict"] as? String
    }
    #expect(verdict("h") == "right" && verdict("dh") == "right")
    #expect(verdict("dhpreact") == "here" && verdict("dW1") == "missing")
    #expect(verdict("dbngain") == "follows")
    let follower = try #require(verdicts.first { $0["name"] as? String == "dbngain" })
    #expect(follower["follows_from"] as? [String] == ["dhpreact"])
    #expect(follower["hint"] is NSNull)
    let here = try #require(verdicts.first { $0["name"] as? String == "dhpreact" })
    #expect((here["hint"] as? String)?.contains("sign") == true)
  }

  @Test("A parameter that was updated since is named, in words and in JSON")
  func updatedParameter() throws {
    let path = try writeReference { file in
      let values = try file.elements(named: "W2", as: Double.self)
      let gradient = try file.elements(named: "dW2", as: Double.self)
      file["W2"] = Tensor(zip(values, gradient).map { $0 - 0.1 * $1 }, shape: [12, 27])
    }
    let outcome = try place.run("gradcheck", ["--reference", path])
    #expect(outcome.status == 1)
    #expect(outcome.errors == "gradcheck: W2 in the file is not the one that this pass used\n")
    #expect(
      outcome.output.contains(
        """

        W2 in the file is not the one that this pass used: it changed after logits was
        computed. Write the file
        """))
    #expect(outcome.output.contains(" from before it.\ndo not fit: logits dh\n"))
    let json = try place.run("gradcheck", ["--reference", path, "--json"])
    let object = try jsonObject(json.output)
    #expect(object["cause"] as? String == "parameters")
    let verdicts = try #require(object["verdicts"] as? [[String: Any]])
    let misfits = verdicts.filter { $0["verdict"] as? String == "follows" }
    #expect(misfits.map { $0["name"] as? String } == ["logits", "dh"])
    #expect(misfits.allSatisfy { $0["follows_from"] as? [String] == ["W2"] })
  }

  @Test("A wrong shape is a row with a verdict, and the rest is judged")
  func wrongShape() throws {
    let path = try writeReference { file in
      file["dW2"] = Tensor([Double](repeating: 0, count: 27 * 12), shape: [27, 12])
    }
    let outcome = try place.run("gradcheck", ["--reference", path])
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("\ndW2  WRONG SHAPE  (27, 12) is the transpose\n"))
    #expect(outcome.output.contains("gradients: 25 right, 1 WRONG SHAPE\n"))
  }

  @Test("A name that is not a tensor's is not compared, a near one is suggested, a long one cut")
  func otherNames() throws {
    let path = try writeReference { file in
      file["dlogist"] = file["dlogits"]
      file["dlogits"] = nil
      for name in ["dloss", "device", "", String(repeating: "x", count: 300)] {
        file[name] = Tensor([1.0], shape: [1])
      }
    }
    let outcome = try place.run("gradcheck", ["--reference", path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\nmissing: dlogits\n"))
    #expect(outcome.output.contains("\nnot compared: \"\" device dlogist (dlogits?) dloss\n"))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("A file with nothing to judge is refused with 65, and similar names are suggested")
  func nothingToJudge() throws {
    let path = try writeReference { file in
      let kept: Set = ["Xb", "Yb", "C", "W1", "b1", "W2", "b2", "bngain", "bnbias"]
      for name in file.tensors.map(\.name) where !kept.contains(name) { file[name] = nil }
      file["W1.grad"] = file["W1"]
      file["C.grad"] = file["C"]
    }
    for arguments in [[], ["--json"]] {
      let outcome = try place.run("gradcheck", ["--reference", path] + arguments)
      #expect(outcome.status == 65)
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.contains("0 of 26 gradients"))
      #expect(outcome.errors.contains("found C.grad, W1.grad\n"))
      #expect(outcome.errors.contains("C.grad may be dC."))
      #expect(outcome.errorLines.allSatisfy { $0.count <= 80 })
    }
  }

  @Test("--snippet is at most 12 lines of Python, --solution one line and where it is derived")
  func guide() throws {
    let snippet = try place.run("gradcheck", ["--snippet"])
    #expect(snippet.status == 0)
    let lines = snippet.output.split(separator: "\n")
    #expect(lines.count < 12 && lines.allSatisfy { $0.count <= 90 })
    #expect(snippet.output.contains("pip install safetensors"))
    let solution = try place.run("gradcheck", ["--solution", "dcounts"])
    #expect(solution.status == 0)
    #expect(solution.output.contains("\ndcounts = dprobs * counts_sum_inv + dcounts_sum\n"))
    #expect(solution.output.hasSuffix("docs/derivation.md, \"Why `dcounts` has two terms\"\n"))
    let unknown = try place.run("gradcheck", ["--solution", "dcount"])
    #expect(unknown.status == 64)
    #expect(unknown.errors.contains("dcounts?"))
  }

  @Test("A malformed reference is refused with 65, the tensor and the reason")
  func malformed() throws {
    let changes: [(String, (inout SafetensorsFile) throws -> Void)] = [
      ("Yb: expected in every reference", { $0["Yb"] = nil }),
      ("W2: expected (12, 27), found (1,)", { $0["W2"] = Tensor([0.0], shape: [1]) }),
      (
        "Yb: expected ids from 0 to 26",
        { $0["Yb"] = Tensor([Int64](0...3).map { $0 * 9 }, shape: [4]) }
      ),
      (
        "b2: expected F64 like C",
        { $0["b2"] = Tensor([Float](repeating: 0, count: 27), shape: [27]) }
      ),
    ]
    for (message, change) in changes {
      let outcome = try place.run(
        "gradcheck", ["--reference", try writeReference("float64", change)])
      #expect(outcome.status == 65, "\(message)")
      #expect(outcome.errors.hasPrefix("gradcheck: changed.safetensors: " + message))
      #expect((1...2).contains(outcome.errorLines.count))
      #expect(outcome.errorLines.allSatisfy { $0.count <= 80 })
      #expect(outcome.output.isEmpty)
    }
    try place.write(place.read("ours.safetensors").dropLast(), to: "cut.safetensors")
    #expect(try place.run("gradcheck", ["--reference", "cut.safetensors"]).status == 65)
    try place.write([], to: "empty.safetensors")
    #expect(try place.run("gradcheck", ["--reference", "empty.safetensors"]).status == 65)
  }

  @Test("A reference or a list that is not there, or a directory, is refused with 66")
  func missing() throws {
    for arguments in [["--reference", "no"], ["--reference", "."], ["--data", "no.txt"]] {
      let outcome = try place.run("gradcheck", arguments)
      #expect(outcome.status == 66, "\(arguments)")
      #expect((1...2).contains(outcome.errorLines.count))
    }
  }

  @Test("A place that cannot be written is refused with 73, a full disk with 74")
  func unwritable() throws {
    for (path, status) in [("no/where", 73), (".", 73), ("/dev/full", 74)] as [(String, Int32)] {
      let outcome = try place.run("gradcheck", Self.quick + ["--write", path])
      #expect(outcome.status == status, "\(path)")
      #expect((1...2).contains(outcome.errorLines.count))
    }
  }

  @Test("Sizes beyond any memory are refused with 71")
  func tooLarge() throws {
    let outcome = try place.run("gradcheck", ["--hidden", "10000000", "--embedding", "100000"])
    #expect(outcome.status == 71)
    #expect((1...2).contains(outcome.errorLines.count))
  }

  @Test(
    "A flag that makes no sense is refused with 64, its first line and a hint",
    arguments: [
      ["--batch-size", "1"], ["--hidden", "0"], ["--reference", "x", "--hidden", "3"],
      ["--reference", "x", "--data", "y"], ["--scalar", "float32"],
      ["--write", "x", "--scalar", "float16"], ["--foo"], ["extra"], ["--snippet", "--json"],
      ["--solution", "dC", "--json"], ["--page", "x", "--json"], ["--solution", "dC", "--snippet"],
      ["--reference", "x", "--solution", "dC"], ["--page", "x", "--hidden", "3"],
    ])
  func badFlag(arguments: [String]) throws {
    let outcome = try place.run("gradcheck", arguments)
    #expect(outcome.status == 64)
    #expect(outcome.errorLines.count == 2, "\(outcome.errors)")
    #expect(outcome.errorLines.last == "See 'gradcheck --help'.")
  }
}

// MARK: - The page that docs/ has, byte for byte, and over nothing that exists

@Suite("gradcheck --page")
struct GradcheckPageTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let published = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/gradcheck.html")

  @Test("The page is docs/gradcheck.html, one file of less than 300 kB that loads nothing")
  func bytes() throws {
    let outcome = try place.run("gradcheck", ["--page", "page.html"])
    #expect(outcome.status == 0 && outcome.output.isEmpty)
    #expect(outcome.errors == "gradcheck: wrote page.html\n")
    let page = try place.read("page.html")
    #expect(
      Data(page) == (try Data(contentsOf: Self.published)),
      "make page writes docs/gradcheck.html anew")
    #expect(page.count < 300_000)
    let text = String(decoding: page, as: UTF8.self)
    #expect(text.contains("default-src 'none'"))
    for loaded in [
      "src=", "rel=\"stylesheet", "@import", "url(h", "url(/", "fetch(", "XMLHttpRequest",
    ] {
      #expect(!text.contains(loaded), "\(loaded)")
    }
    #expect(!text.contains("{{"))
  }

  @Test("The page overwrites nothing; a place that cannot be written is refused with 73, or 74")
  func refusals() throws {
    try place.write("mine".utf8, to: "page.html")
    let outcome = try place.run("gradcheck", ["--page", "page.html"])
    #expect(outcome.status == 73)
    #expect(outcome.errorLines.count == 2, "\(outcome.errors)")
    #expect(String(decoding: try place.read("page.html"), as: UTF8.self) == "mine")
    #expect(try place.run("gradcheck", ["--page", "no/where"]).status == 73)
    #expect(try place.run("gradcheck", ["--page", "."]).status == 73)
    #expect(try place.run("gradcheck", ["--page", "/dev/full"]).status == 74)
  }
}
