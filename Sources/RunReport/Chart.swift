// A chart: its numbers and script; its picture, drawn by gnuplot and adapted to a page; and its
// figure there, with legend and caption.
//
// How it is drawn is gnuplot's business, how it is coloured the style sheet's. Words and symbols
// never reach gnuplot. Its data have the number of a label (`@3@`) in their place, which the text,
// escaped like all text, replaces in the finished picture.

import CommandSupport
import Posix

/// A chart before it is drawn.
struct Chart: Sendable {
  /// All charts; each has its own script.
  enum Kind: String, CaseIterable, Sendable {
    case loss, learningRate, embedding, activations, gradients, updates, saturation, dlogits
    case comparison

    /// Whether the axis counts steps.
    var isOverSteps: Bool {
      [.loss, .learningRate, .updates, .saturation, .comparison].contains(self)
    }
  }

  /// A field of the data.
  enum Cell: Sendable {
    /// A number; what is missing or not finite leaves a gap.
    case number(Double?)
    /// The label with a number.
    case label(Int)

    var text: String {
      switch self {
      case .number(let value?) where value.isFinite: "\(value)"
      case .number: "?"
      case .label(let index): "@\(index)@"
      }
    }
  }

  /// Rows that a script reads under a name.
  struct DataFile: Sendable {
    let name: String
    let rows: [[Cell]]

    init(name: String, rows: [[Cell]]) { (self.name, self.rows) = (name, rows) }

    init(_ name: String, _ rows: [[Double?]]) {
      self.init(name: name, rows: rows.map { $0.map { .number($0) } })
    }

    var text: String {
      rows.map { row in row.map(\.text).joined(separator: "\t") + "\n" }.joined()
    }
  }

  let kind: Kind
  /// The alternative text for screen readers.
  let description: String
  /// Variables that the script needs.
  var variables: [(name: StaticString, value: Double)] = []
  let files: [DataFile]
  /// The texts of the labels in the data.
  var labels: [String] = []

  /// The script that gnuplot reads: our own numbers and files of this module, nothing else.
  var script: String {
    let variables = variables.map { "\($0.name) = \($0.value)\n" }.joined()
    let parts = ["basics"] + (kind.isOverSteps ? ["steps"] : []) + [kind.rawValue]
    return variables + parts.map { embeddedFile("report/\($0).gp") }.joined()
  }

  // MARK: - Charts over steps

  /// The variables that every script over steps needs.
  static func steps(upTo last: Int?) -> [(name: StaticString, value: Double)] {
    let last = Double(max(1, last ?? 1))
    return [
      (name: "last_step", value: last),
      (name: "step_marks", value: max(1, roundDistance(last, marks: 4))),
    ]
  }

  /// A chart of values of evaluations, each a column of the file that the script reads.
  static func overSteps(
    _ kind: Kind, _ description: String, file: String, _ lines: [MetricsLine],
    variables: [(name: StaticString, value: Double)] = [], _ values: (MetricsLine) -> [Double?]
  ) -> Chart {
    Chart(
      kind: kind, description: description,
      variables: steps(upTo: lines.last?.step) + variables,
      files: [.init(file, rows(lines, values))])
  }

  /// A row for each line: its step, and its values.
  static func rows(_ lines: [MetricsLine], _ values: (MetricsLine) -> [Double?]) -> [[Double?]] {
    lines.map { [Double($0.step)] + values($0) }
  }

  /// A round distance between the marks of an axis, with at most `marks` of them.
  static func roundDistance(_ span: Double, marks: Int) -> Double {
    let distance = span / Double(marks)
    guard distance.isFinite, distance > 0 else { return 1 }
    var power = 1e-3
    while power * 10 < distance { power *= 10 }
    return [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= distance } ?? distance
  }
}

// MARK: - Loss curves
//
// The minibatch losses of a whole run, thinned out for a page.

/// Means of minibatch losses over stretches of steps.
struct LossCurve: Equatable, Sendable {
  /// A mean, at the middle of its stretch.
  struct Point: Equatable, Sendable {
    let step: Double
    /// Nil if it is not known.
    let loss: Double?
  }

  let points: [Point]
  /// How many steps each point averages; 1 where only single minibatches were recorded.
  let stretch: Int

  /// The curve of a run; neighbours become their mean until it has no more points than `limit`.
  init(_ lines: [MetricsLine], limit: Int = 1000) {
    var points: [Point] = []
    var last = 0.0
    for line in lines {
      points += Self.points(line, after: last)
      last = Double(line.step)
    }
    let count = max(1, (points.count + limit - 1) / limit)
    self.points = stride(from: 0, to: points.count, by: count).map { start in
      Self.mean(points[start..<min(start + count, points.count)])
    }
    stretch = (lines.first?.stretch ?? 1).multipliedReportingOverflow(by: count).partialValue
  }

  /// The points of a line. Its stretches begin after the line before, unless that one is missing.
  private static func points(_ line: MetricsLine, after last: Double) -> [Point] {
    let end = Double(line.step)
    guard let stretch = line.stretch, stretch > 0, !line.losses.isEmpty else {
      return [Point(step: end, loss: line.minibatchLoss)]
    }
    let length = Double(stretch)
    let start = max(last, end - length * Double(line.losses.count))
    return line.losses.enumerated().map { index, loss in
      let first = start + Double(index) * length + 1
      return Point(step: (first + min(first + length - 1, end)) / 2, loss: loss)
    }
  }

  private static func mean(_ points: ArraySlice<Point>) -> Point {
    let losses = points.compactMap(\.loss)
    return Point(
      step: points.reduce(0) { $0 + $1.step } / Double(points.count),
      loss: losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count))
  }
}

// MARK: - Figures: a picture, its legend, its caption; or why it is missing

/// Draws charts, as long as there is something to draw them with.
final class Figures {
  private let gnuplot: Gnuplot?
  /// Why a chart is missing although there is a gnuplot: the first reason.
  private var failure: Gnuplot.Failure?

  init(_ gnuplot: Gnuplot?) { self.gnuplot = gnuplot }

  /// Why the page has no charts; nil if there is a gnuplot.
  var notice: String? {
    gnuplot == nil
      ? "The charts are missing: there is no gnuplot on the machine that made this page. Install it "
        + "(on Debian: apt-get install gnuplot-nox) and run report again."
      : nil
  }

  /// What is missing, to tell whoever made the page; nil if all charts are there.
  var warning: String? {
    if gnuplot == nil {
      return "has no charts: there is no gnuplot (on Debian: apt-get install gnuplot-nox)"
    }
    return failure.map { "lacks charts: \($0.reason)" }
  }

  /// A name in a legend, and the role whose colour it has.
  typealias Entry = (role: String, name: String)

  func figure(
    _ chart: Chart, legend: [Entry] = [], isDiscs: Bool = false, caption: String
  ) -> Markup {
    let entries = legend.map { entry in
      Markup.element(
        "li", ["class": "swatch-\(entry.role)\(isDiscs ? " disc" : "")"],
        [.element("span", [:], entry.name)])
    }
    let key = entries.isEmpty ? .empty : Markup.element("ul", ["class": "legend"], entries)
    return .element(
      "figure", [:], [key, picture(chart), .element("figcaption", [:], caption)])
  }

  private func picture(_ chart: Chart) -> Markup {
    guard let gnuplot else { return missing("This chart needs gnuplot.") }
    do throws(Gnuplot.Failure) {
      // After one chart has timed out, the next is not tried.
      if let failure, failure.isLasting { throw failure }
      return try gnuplot.draw(chart)
    } catch {
      failure = failure ?? error
      return missing("This chart is missing. \(error.reason)")
    }
  }

  private func missing(_ text: String) -> Markup {
    .element("div", ["class": "missing"], text)
  }
}

// MARK: - Drawing with gnuplot, each chart in a process and a directory of its own
//
// Everything goes through files there, so that no pipe can fill up, and no user's text becomes a
// path. A signal first ends gnuplot and removes its directory, and then ends the command.

/// The gnuplot of this machine.
struct Gnuplot: Sendable {
  private let executable: String
  /// Charts take milliseconds; one that takes this long never ends.
  private static let patience = 20.0
  /// The most bytes of a chart, many times what the largest has, and of messages.
  private static let (chartLimit, messageLimit) = (4 << 20, 1 << 16)

  /// Finds gnuplot in the path; nil if there is none.
  init?() { self.init(at: FileSystem.program("gnuplot")) }

  init?(at path: String?) {
    guard let path else { return nil }
    // It runs in another directory.
    executable = FileSystem.absolute(path)
  }

  /// - Throws: `Failure` if gnuplot does not start, complains and draws nothing, or does not end.
  func draw(_ chart: Chart) throws(Failure) -> Markup {
    let svg: String
    do {
      svg = try Interruption.deferring { try draw(chart, in: TemporaryDirectory()) }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(reason: "\(error)")
    }
    guard let picture = Markup(gnuplot: svg, of: chart) else {
      throw Failure(reason: "gnuplot drew nothing that is a picture")
    }
    return picture
  }

  private func draw(_ chart: Chart, in directory: TemporaryDirectory) throws -> String {
    for file in chart.files { try directory.write(file.text, to: file.name) }
    try directory.write(chart.script, to: "chart.gp")
    let process = ChildProcess(
      executable: executable, arguments: ["--default-settings", "chart.gp"],
      environment: ["LC_ALL=C.UTF-8"], directory: directory.path, messages: "messages",
      fileLimit: Self.chartLimit)
    let end = try process.run(seconds: Self.patience) { Interruption.pending != nil }
    guard end != .timedOut, end != .cancelled else { throw Failure.tooLate }
    guard end != .status(128 + Signal.fileTooLarge.number) else { throw Failure.tooMuch }
    guard end == .status(0) else {
      let messages = try? directory.read("messages", limit: Self.messageLimit)
      throw Failure(reason: Self.reason(in: messages ?? ""))
    }
    do throws(SystemError) {
      return try directory.read("chart.svg", limit: Self.chartLimit)
    } catch {
      throw error.isMissing ? Failure(reason: Self.reason(in: "")) : Failure.tooMuch
    }
  }

  /// The line in which gnuplot says what is wrong: `"chart.gp" line 7: …`.
  private static func reason(in messages: String) -> String {
    let lines = messages.pieces(separatedBy: UInt8(ascii: "\n"))
    let line = lines.last { $0.contains(" line ") } ?? lines.last ?? "it said nothing"
    return "gnuplot: \(line)"
  }

  /// Why there is no picture.
  struct Failure: Error, Equatable {
    let reason: String

    static let tooLate = Failure(reason: "gnuplot did not end")
    static let tooMuch = Failure(reason: "gnuplot wrote more than a page can hold")

    /// Whether the next chart would take as long to fail.
    var isLasting: Bool { self == .tooLate || self == .tooMuch }
  }
}

// MARK: - gnuplot's SVG made fit for a page

// Names that are unique there, colours from the style sheet, labels in their places, and nothing
// that says its size.
//
// The scripts draw in the colours #000001, #000002, …: numbers of roles, which become the style
// sheet's variables, so that light, dark and print need one picture. It is text that is replaced,
// in an output whose few forms are known (gnuplot 5.4's svg.trm); a newer form would show as black
// ink and do no harm.

extension Markup {
  /// A chart for a page, made from gnuplot's output; nil if that is no picture.
  init?(gnuplot output: String, of chart: Chart) {
    guard let start = output.firstRange(of: "<svg"),
      let box = output[start.upperBound...].firstRange(of: "viewBox=\""),
      let quote = output[box.upperBound...].firstRange(of: "\""),
      let head = output[start.upperBound...].firstRange(of: ">"),
      let end = output.ranges(of: "</svg>").last, head.upperBound <= end.lowerBound
    else { return nil }
    let prefix = chart.kind.rawValue
    var body = String(output[head.upperBound..<end.lowerBound])
    for tag in ["title", "desc", "defs"] {
      body = body.replacingPieces(from: "<\(tag)>", to: "</\(tag)>") { _ in "" }
    }
    body = body.withoutEmptyGroups().coloredByRoles()
      .replacing("#gpPt6", with: "#\(prefix)-point")
      .replacing("id=\"gnuplot", with: "id=\"\(prefix)")
      .replacingPieces(from: "<text>@", to: "@</text>") { number in
        let index = Int(number) ?? chart.labels.count
        let label = chart.labels.indices.contains(index) ? chart.labels[index] : ""
        return Markup.element("text", label).html
      }
    let point = "<defs><circle id=\"\(prefix)-point\" r=\"1\" fill=\"currentColor\"/></defs>"
    self = .element(
      "svg",
      [
        "class": "chart", "id": "chart-\(prefix)", "role": "img",
        "viewBox": String(output[box.upperBound..<quote.lowerBound]),
        "aria-label": chart.description,
      ], [Markup(trusted: point + body)])
  }
}

extension String {
  /// Replaces each piece between two texts, and these with it; replacements are not searched again.
  func replacingPieces(
    from open: String, to close: String, with replacement: (Substring) -> String
  ) -> String {
    var (result, rest) = ("", self[...])
    while let start = rest.firstRange(of: open),
      let end = rest[start.upperBound...].firstRange(of: close)
    {
      result += rest[..<start.lowerBound]
      result += replacement(rest[start.upperBound..<end.lowerBound])
      rest = rest[end.upperBound...]
    }
    return result + rest
  }

  /// gnuplot opens and closes a group for every change of a pen.
  fileprivate func withoutEmptyGroups() -> String {
    var lines: [Substring] = []
    for line in split(separator: "\n") {
      if line == "</g>", let last = lines.last, last.hasPrefix("<g "),
        last.dropLast().allSatisfy({ $0 != ">" })
      {
        lines.removeLast()
      } else if !line.allSatisfy(\.isWhitespace) {
        lines.append(line)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// `rgb(  0,   0,   7)` is the seventh role of the style sheet, `--role-7`.
  fileprivate func coloredByRoles() -> String {
    replacingPieces(from: "rgb(", to: ")") { color in
      let parts = color.split(separator: ",").map { Int($0.filter { !$0.isWhitespace }) }
      guard parts.count == 3, parts[0] == 0, parts[1] == 0, let role = parts[2], role > 0 else {
        return "rgb(\(color))"
      }
      return "var(--role-\(role))"
    }
  }
}
