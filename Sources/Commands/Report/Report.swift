// The command `report`: a run, or several, as one HTML file.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import RunReport

package struct Report: Command {
  package static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a run as one HTML file: curves, maps, tables and a live generator.",
    usage: """
      report                              the newest run, in its place
      report runs/towns --out towns.html
      report --compare runs/a runs/b      side by side: comparison.html
      """,
    discussion: """
      The file needs no network and no other file. Charts are drawn by gnuplot; without it the page has \
      its tables and the generator. An earlier report is replaced, any other file is left alone.
      """,
    version: version
  ).asCalled

  @Argument(
    help: ArgumentHelp(
      "Run directories or model files. (default: the newest in runs/)", valueName: "run"),
    completion: .models)
  var runs: [String] = []
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write. (default: report.html in the run, or comparison.html)",
      valueName: "file"),
    completion: .file())
  var out: String?
  @Flag(help: "Put several runs side by side.") var compare = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  package init() {}

  package func validate() throws {
    if runs.contains("") { throw ValidationError("a run must have a name") }
    if out == "" { throw ValidationError("--out must name a file") }
    if compare, runs.count < 2 { throw ValidationError("--compare needs at least two runs") }
    if !compare, runs.count > 1 {
      throw ValidationError("one run makes a report; several need --compare")
    }
  }

  package func run() throws {
    let started = ContinuousClock.now
    let path: String
    if compare {
      path = out ?? "comparison.html"
      try ReportFile.require(path)
      try ComparisonPage(try runs.map { try RecordedRun(named: $0) }).write(to: path)
    } else {
      let run = try RecordedRun(named: runs.first)
      path = out ?? run.reportPath
      try ReportFile.require(path)
      let progress = ProgressDisplay(isQuiet: false)
      try ReportPage(run) { stage in progress.update(stage) }.write(to: path)
      progress.finish()
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    let result: JSONValue = ["report": .string(path), "seconds": .number(seconds)]
    try StandardOutput.shared.write("report: \(path.shownPath)\n", orJSON: result, if: json)
  }
}
