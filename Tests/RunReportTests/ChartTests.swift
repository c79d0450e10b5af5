// Charts from numbers to a picture in a page: what gnuplot is given, and how its output is used.

import Foundation
import Testing

@testable import RunReport

@Suite("Charts")
struct ChartTests {
  private let chart = Chart(
    kind: .embedding, description: "A \"map\"",
    files: [
      .init(name: "vowels", rows: [[.number(0), .number(1.5), .label(0)]]),
      .init(name: "consonants", rows: [[.number(nil), .number(.nan), .label(1)]]),
      .init(name: "others", rows: []),
    ], labels: ["`rm`", "<x>"])

  @Test("Label texts reach neither gnuplot's script nor its data")
  func labelsAreKeptBack() {
    let given = chart.script + chart.files.map(\.text).joined()
    #expect(chart.labels.allSatisfy { !given.contains($0) })
    #expect(chart.files[0].text == "0.0\t1.5\t@0@\n")
  }

  @Test("A value that is not a number is written as missing")
  func missing() {
    #expect(chart.files[1].text == "?\t?\t@1@\n")
  }

  @Test("Every kind of chart has a script that plots")
  func scripts() {
    for kind in Chart.Kind.allCases {
      let chart = Chart(kind: kind, description: "", files: [])
      #expect(chart.script.contains("\nplot "), "\(kind)")
    }
  }

  @Test("A chart's variables are set at the start of its script")
  func variables() {
    let chart = Chart(
      kind: .dlogits, description: "", variables: [(name: "rows", value: 3)], files: [])
    #expect(chart.script.hasPrefix("rows = 3.0\n"))
  }

  @Test("The axis of the learning rate has at most three decades below its peak, whatever its end")
  func rates() {
    #expect(ReportPage.rateRange([0.01, 0.01]) == 0.005...0.02)
    #expect(ReportPage.rateRange([0.1, 0.01]) == 0.005...0.2)
    #expect(ReportPage.rateRange([1, 0.5, 1e-9]) == 0.001...2)
    #expect(ReportPage.rateRange([]) == nil)
  }

  @Test("A chart over steps ends at the last step and has about four tick marks")
  func steps() {
    for (last, marks) in [(200_000, 50_000), (1, 1), (7, 2), (6000, 2000), (0, 1), (-5, 1)] {
      let variables = Chart.steps(upTo: last)
      #expect(variables.map(\.value) == [Double(max(1, last)), Double(marks)], "\(last)")
    }
    #expect(Chart.roundDistance(.infinity, marks: 4) == 1)
    #expect(Chart(kind: .loss, description: "", files: []).script.contains("step_marks"))
  }

  private static let drawn = """
    <?xml version="1.0"?>
    <svg width="5" viewBox="0 0 5 4">
    <title>gnuplot</title><desc>made</desc>
    <defs><circle id='gpPt6'/></defs>
    <g id="gnuplot_plot_1" >
    <g fill="none" color="black">
    </g>
    <path stroke='rgb(  0,   0,  12)' d='M0,0'/>
    <use xlink:href='#gpPt6' color='rgb(  0,   0,   3)'/>
    <g fill="rgb(255,0,0)"><text>@0@</text><text>@1@</text><text>@7@</text></g>
    </g></svg>
    """

  @Test("gnuplot's SVG gets role colours, the chart's ids and escaped labels")
  func picture() throws {
    let html = try #require(Markup(gnuplot: Self.drawn, of: chart)).html
    #expect(html.contains("stroke='var(--role-12)'") && html.contains("color='var(--role-3)'"))
    #expect(html.contains("fill=\"rgb(255,0,0)\""))
    #expect(html.contains("<text>`rm`</text><text>&lt;x&gt;</text><text></text>"))
    #expect(
      html.contains("xlink:href='#embedding-point'") && html.contains("id=\"embedding_plot_1\""))
    #expect(
      html.contains("aria-label=\"A &quot;map&quot;\"") && html.contains("viewBox=\"0 0 5 4\""))
    for gone in ["<title", "<desc", "gnuplot", "gpPt6", "width=", "color=\"black\""] {
      #expect(!html.contains(gone), "\(gone)")
    }
  }

  @Test("A label that looks like a placeholder is not replaced")
  func labelLikeAPlace() throws {
    let chart = Chart(kind: .embedding, description: "", files: [], labels: ["@1@", "b"])
    let html = try #require(Markup(gnuplot: Self.drawn, of: chart)).html
    #expect(html.contains("<text>@1@</text><text>b</text>"))
  }

  @Test(
    "gnuplot output that is not a picture is refused",
    arguments: ["", "<svg", "</svg><svg viewBox=\"0 0 1 1\">", "<svg></svg>"])
  func noPicture(text: String) {
    #expect(Markup(gnuplot: text, of: chart) == nil)
  }

  @Test("Without a program there is no gnuplot")
  func noGnuplot() {
    #expect(Gnuplot(at: nil) == nil)
  }

  @Test(
    "A gnuplot that fails or draws nothing is reported in one line",
    arguments: [
      (
        "echo 'x' >&2; echo '\"chart.gp\" line 3: no' >&2; exit 1",
        "gnuplot: \"chart.gp\" line 3: no"
      ),
      ("true", "gnuplot: it said nothing"),
      ("echo '<p>' > chart.svg", "gnuplot drew nothing that is a picture"),
      ("head -c 5000000 /dev/zero > chart.svg", "gnuplot wrote more than a page can hold"),
      ("head -c 200000000 /dev/zero > chart.svg", "gnuplot wrote more than a page can hold"),
      ("exec head -c 200000000 /dev/zero >&2", "gnuplot wrote more than a page can hold"),
    ])
  func failing(script: String, reason: String) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let text = directory.appending(path: "text")
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: text)
    // Another process installs it: a child of a parallel test could inherit this process's
    // descriptor and hold the file open, and then it could not be run.
    let install = try Process.run(
      URL(filePath: "/usr/bin/install"),
      arguments: ["-m", "755", text.path, directory.appending(path: "gnuplot").path])
    install.waitUntilExit()
    let gnuplot = try #require(Gnuplot(at: directory.appending(path: "gnuplot").path))
    #expect(throws: Gnuplot.Failure(reason: reason)) { try gnuplot.draw(chart) }
  }
}
