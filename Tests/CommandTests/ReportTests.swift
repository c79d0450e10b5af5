// `report` from the shell: where the page goes, what it replaces, what it refuses.
//
// What a page shows is checked in a browser (Tools/browser); here gnuplot is kept away, so that
// these tests are quick and the same everywhere.

import Foundation
import Testing

@Suite("report")
struct ReportTests {
  let place: Workplace
  private static let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"
  private static let quick = [
    "--data", "words.txt", "--steps", "60", "--hidden", "8", "--batch-size", "8", "--threads", "1",
    "--samples", "0", "--quiet",
  ]
  private static let withoutGnuplot = ["PATH": "/nowhere"]

  init() throws {
    place = try Workplace()
    try place.write(Self.words.utf8, to: "words.txt")
    try Self.trained.get().write(to: "run", in: place)
  }

  private static let trained = Result {
    try TrainedRun(Array(quick.dropFirst(2).dropLast()), words: words)
  }

  private func report(_ arguments: String...) throws -> Outcome {
    try place.run("report", arguments, environment: Self.withoutGnuplot)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try place.read(name), as: UTF8.self)
  }

  @Test("The page goes into the run, says what is missing, and is the same each time")
  func page() throws {
    let outcome = try report("run")
    #expect(outcome.status == 0 && outcome.output == "report: run/report.html\n")
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains("gnuplot"))
    let page = try text("run/report.html")
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    #expect(page.contains("there is no gnuplot") && !page.contains("<svg"))
    // Every place is filled, with something of the run.
    #expect(!page.contains("{{") && page.contains("--hidden 8"))
    #expect(try report("run").status == 0)
    #expect(try text("run/report.html") == page)
  }

  @Test("The generator knows what no word of the list begins or ends with")
  func ends() throws {
    let words = "an-na\nber't\ncar-la\ndo'ra\nemil\nfrida\ngus-ta\nhanna'\n"
    try place.write(words.utf8, to: "signs.txt")
    let run = try place.run(
      "train", ["--data", "signs.txt", "--out", "signs"] + Self.quick.dropFirst(2))
    #expect(run.status == 0, "\(run.errors)")
    #expect(try report("signs").status == 0)
    let page = try text("signs/report.html")
    // ' - a b c d e f g h i l m n o r s t u: a word may begin with a to h, and end with all but -.
    #expect(page.contains("\"neverFirst\":[1,2,11,12,13,14,15,16,17,18,19]"))
    #expect(page.contains("\"neverLast\":[2]"))
  }

  @Test("Nothing but a report is overwritten")
  func existingFile() throws {
    try place.write("mine".utf8, to: "page.html")
    let refused = try report("run", "--out", "page.html")
    #expect(refused.status == 73 && refused.errorLines.count == 2)
    #expect(try text("page.html") == "mine")
    #expect(try report("run", "--out", "run").status == 73)
    #expect(try report("run", "--out", "no/such/page.html").status == 73)
  }

  @Test("A page may go to a device, a model file may be named, and --json tells the path")
  func other() throws {
    let outcome = try report("run/model.safetensors", "--out", "/dev/null", "--json")
    #expect(outcome.status == 0)
    #expect(try jsonObject(outcome.output)["report"] as? String == "/dev/null")
    try place.write([], to: "empty.html")
    #expect(try report("run", "--out", "empty.html").status == 0)
  }

  @Test("A run without its records has a page all the same; a torn line is left out")
  func missingRecords() throws {
    try place.write(
      place.read("run/metrics.jsonl") + Data("{\"step\":99,\"smoothed_loss\":77".utf8), to: "torn")
    try place.write(place.read("torn"), to: "run/metrics.jsonl")
    try FileManager.default.removeItem(atPath: place.path("run/run.json"))
    #expect(try report("run").status == 0)
    try FileManager.default.removeItem(atPath: place.path("run/metrics.jsonl"))
    #expect(try report("run").status == 0)
    #expect(try text("run/report.html").contains("no evaluation to draw"))
  }

  @Test("A run that was resumed shows its parts, and the command line of each")
  func parts() throws {
    let json = try String(decoding: place.read("run/run.json"), as: UTF8.self)
    let part = #"{"first_step":7,"last_step":null,"blas_core":"<Zen>","command_line":["no"]}"#
    let resumed = json.replacing("}]}", with: "},\(part)]}")
    try place.write(resumed.utf8, to: "run/run.json")
    #expect(try report("run").status == 0)
    let page = try text("run/report.html")
    #expect(page.contains("<th>kernels</th>") && page.contains("<bdi>&lt;Zen&gt;</bdi>"))
    #expect(page.contains("<code>train ") && page.contains("\nno</code>"))
    // A version that knew of no parts wrote what stands beside them.
    try place.write(json.replacing(/,"parts":.*/, with: "}").utf8, to: "run/run.json")
    #expect(try report("run").status == 0)
    #expect(try !text("run/report.html").contains("<th>kernels</th>"))
    #expect(try text("run/report.html").contains("<dt>blas core</dt>"))
  }

  @Test("A failing gnuplot is reported once, and the page is still written")
  func failingGnuplot() throws {
    try FileManager.default.createSymbolicLink(
      atPath: place.path("gnuplot"), withDestinationPath: "/bin/false")
    let outcome = try place.run("report", ["run"], environment: ["PATH": place.url.path])
    #expect(outcome.status == 0)
    #expect(
      outcome.errors == "report: warning: run/report.html lacks charts: gnuplot: it said nothing\n",
      "\(outcome.errors)")
    #expect(try text("run/report.html").contains("This chart is missing. gnuplot: it said nothing"))
  }

  @Test("Runs are compared in one page")
  func comparison() throws {
    let outcome = try report("--compare", "run", "run")
    #expect(outcome.status == 0 && outcome.output == "report: comparison.html\n")
    #expect(try text("comparison.html").contains("2 runs"))
  }

  @Test(
    "What cannot be shown is refused with its status",
    arguments: [
      (["nowhere"], 66), ([], 66), (["--compare", "run"], 64), (["run", "run"], 64),
      (["run", "--out", ""], 64), (["run/run.json"], 65),
    ] as [([String], Int32)])
  func refused(arguments: [String], status: Int32) throws {
    let outcome = try place.run("report", arguments, environment: Self.withoutGnuplot)
    #expect(outcome.status == status && outcome.output.isEmpty)
    #expect((1...2).contains(outcome.errorLines.count))
  }

  @Test("train --report writes the page at the end, and says where it is")
  func atTheEnd() throws {
    let outcome = try place.run(
      "train", Self.quick + ["--out", "other", "--report"],
      environment: Self.withoutGnuplot)
    #expect(outcome.status == 0 && outcome.output.contains("\nreport: other/report.html\n"))
    #expect(try text("other/report.html").contains("</html>"))
  }

  @Test("A page that train cannot write is not named among its results")
  func notWritten() throws {
    #expect(try place.run("train", Self.quick + ["--out", "other"]).status == 0)
    try FileManager.default.createDirectory(
      atPath: place.path("other/report.html"), withIntermediateDirectories: false)
    let outcome = try place.run(
      "train", ["--resume", "other", "--steps", "500", "--report"],
      environment: Self.withoutGnuplot)
    #expect(outcome.status == 73, "\(outcome.errors)")
    #expect(outcome.output.contains("\nmodel: other/"))
    #expect(!outcome.output.contains("report: "))
  }

  @Test("Every evaluation records the network's health")
  func metrics() throws {
    let lines = try text("run/metrics.jsonl").split(separator: "\n").map {
      try jsonObject(String($0))
    }
    #expect(lines.count == 20)
    for line in lines {
      // Sixty steps have evaluations every three, and a mean is of one.
      #expect((line["losses"] as? [Double])?.count == 3 && line["stretch"] as? Int == 1)
      #expect((line["losses"] as? [Double])?.last == line["minibatch_loss"] as? Double)
      #expect(line["saturated"] is Double && line["dead_units"] is Int)
      let ratios = try #require(line["update_ratio"] as? [String: Any])
      #expect(Set(ratios.keys) == ["C", "W1", "b1", "W2", "b2", "bngain", "bnbias"])
      // A step moves W2 by a hundredth to a ten-thousandth of its size.
      #expect((-4 ... -1).contains(try #require(ratios["W2"] as? Double)))
    }
  }
}
