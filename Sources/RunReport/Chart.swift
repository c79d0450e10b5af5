// What is to be drawn: numbers and a script. How it is drawn is gnuplot's business, how it is coloured
// the style sheet's.
//
// Words and symbols never reach gnuplot. Where they belong, its data have the number of a label
// (`@3@`), and the text takes its place in the finished picture, escaped like all text.

import CommandSupport

/// A chart before it is drawn.
struct Chart: Sendable {
  /// The charts there are; each has a script of its own.
  enum Kind: String, CaseIterable, Sendable {
    case loss, learningRate, embedding, activations, gradients, updates, saturation, dlogits
    case comparison

    /// Whether the axis counts steps.
    var isOverSteps: Bool {
      switch self {
      case .loss, .learningRate, .updates, .saturation, .comparison: true
      case .embedding, .activations, .gradients, .dlogits: false
      }
    }
  }

  /// A field of the data.
  enum Cell: Sendable {
    /// A number; what is missing or not finite leaves a gap.
    case number(Double?)
    /// The label with a number.
    case label(Int)

    /// The number, if it is one.
    var number: Double? { if case .number(let value) = self { value } else { nil } }

    var text: String {
      switch self {
      case .number(let value?) where value.isFinite: "\(value)"
      case .number: "?"
      case .label(let index): Chart.placeholder(index)
      }
    }
  }

  /// Rows that a script reads under a name.
  struct DataFile: Sendable {
    let name: String
    let rows: [[Cell]]

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
  /// Texts for the places in the data.
  var labels: [String] = []

  /// What stands for a label until the picture is finished.
  static func placeholder(_ index: Int) -> String { "@\(index)@" }

  /// The script that gnuplot reads: numbers of ours and files of this module, nothing else.
  var script: String {
    let variables = variables.map { "\($0.name) = \($0.value)\n" }.joined()
    let parts = ["basics"] + (kind.isOverSteps ? ["steps"] : []) + [kind.rawValue]
    return variables + parts.map { embeddedFile("report/\($0).gp") }.joined()
  }
}

// MARK: - Charts over steps

extension Chart {
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
      files: [.init(name: file, rows: rows(lines, values))])
  }

  /// A row for each line: its step, and its values.
  static func rows(_ lines: [MetricsLine], _ values: (MetricsLine) -> [Double?]) -> [[Cell]] {
    lines.map { line in ([Double(line.step)] + values(line)).map { .number($0) } }
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
// The minibatch losses of a whole run, thin enough for a page.

/// Means of minibatch losses over stretches of steps.
struct LossCurve: Equatable, Sendable {
  /// A mean, at the middle of its stretch.
  struct Point: Equatable, Sendable {
    let step: Double
    /// Nil if it is not known.
    let loss: Double?
  }

  let points: [Point]
  /// Of how many steps a point is the mean; 1 where only single minibatches were recorded.
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

// MARK: - Charts in a page: the picture, its legend, its caption; or, where it cannot be drawn, what is missing

/// Draws charts, as long as there is something to draw them with.
final class Figures {
  private let gnuplot: Gnuplot?
  /// Why a chart is missing although there is a gnuplot: the first reason.
  private var failure: Gnuplot.Failure?

  init(_ gnuplot: Gnuplot?) { self.gnuplot = gnuplot }

  /// Why no chart of the page is there; nil if there is a gnuplot.
  var notice: String? {
    gnuplot == nil
      ? "The charts are missing: there is no gnuplot on the machine that made this page. Install it "
        + "(on Debian: apt-get install gnuplot-nox) and run report again."
      : nil
  }

  /// What is missing, for whoever made the page; nil if all charts are there.
  var warning: String? {
    if gnuplot == nil {
      return "has no charts: there is no gnuplot (on Debian: apt-get install gnuplot-nox)"
    }
    return failure.map { "lacks charts: \($0.reason)" }
  }

  /// A name in a legend, and the role whose colour it has.
  typealias Entry = (role: String, name: String)

  /// A figure with its caption.
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

// MARK: - What every page has around its parts: head, style, footer

extension Markup {
  /// A whole file.
  ///
  /// - Parameter permissions: What the content security policy allows besides a style sheet.
  static func file(
    title: String, permissions: StaticString, body: Markup
  ) -> Markup {
    Template(embeddedFile("report/frame.html")).filled([
      "permissions": Markup(trusted: "\(permissions)"),
      "title": Markup(title),
      "style": Markup(trusted: embeddedFile("report/style.css")),
      "body": body,
      "version": Markup(version),
    ])
  }
}
