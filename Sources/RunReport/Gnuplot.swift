// Draws charts with gnuplot, each in a process and a directory of its own.
//
// Everything goes through files there, so that no pipe can fill up, and no name of ours is a path.
// A signal ends it as well, and takes its directory away, before it ends the command.

import CommandSupport
import Posix

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

  /// Draws a chart.
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
    guard let picture = SVGPicture(gnuplot: svg, of: chart) else {
      throw Failure(reason: "gnuplot drew nothing that is a picture")
    }
    return picture.markup
  }

  private func draw(_ chart: Chart, in directory: TemporaryDirectory) throws -> String {
    for file in chart.files { try directory.write(file.text, to: file.name) }
    try directory.write(chart.script, to: "chart.gp")
    let process = ChildProcess(
      executable: executable, arguments: ["--default-settings", "chart.gp"],
      environment: ["LC_ALL=C.UTF-8"], directory: directory.path, messages: "messages",
      fileLimit: 2 * Self.chartLimit)
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

// Names that are unique there, colours from the style sheet, labels in their places, and nothing that says its
// size.
//
// The scripts draw in the colours #000001, #000002, …: numbers of roles, which become the style sheet's
// variables, so that light, dark and print need one picture. It is text that is replaced, in an output
// whose few forms are known (gnuplot 5.4's svg.trm); a newer form would show as black ink, not as harm.

/// A chart as it stands in a page.
struct SVGPicture {
  let markup: Markup

  /// Takes gnuplot's output; nil if it is no picture.
  init?(gnuplot output: String, of chart: Chart) {
    guard let start = output.firstRange(of: "<svg"),
      let viewBox = output[start.upperBound...].between("viewBox=\"", "\""),
      let head = output[start.upperBound...].firstRange(of: ">"),
      let end = output.lastRange(of: "</svg>"), head.upperBound <= end.lowerBound
    else { return nil }
    let prefix = chart.kind.rawValue
    var body = String(output[head.upperBound..<end.lowerBound])
    for tag in ["title", "desc", "defs"] { body = body.removingElements(tag) }
    body = body.withoutEmptyGroups().coloredByRoles()
    body = body.replacing("#gpPt6", with: "#\(prefix)-point")
      .replacing("id=\"gnuplot", with: "id=\"\(prefix)")
    body = body.filled(with: chart.labels)
    let point = "<defs><circle id=\"\(prefix)-point\" r=\"1\" fill=\"currentColor\"/></defs>"
    markup = .element(
      "svg",
      [
        "class": "chart", "id": "chart-\(prefix)", "role": "img", "viewBox": String(viewBox),
        "aria-label": chart.description,
      ], [Markup(trusted: point + body)])
  }
}

extension StringProtocol where SubSequence == Substring {
  /// The text between two others.
  fileprivate func between(_ start: String, _ end: String) -> Substring? {
    guard let first = firstRange(of: start),
      let last = self[first.upperBound...].firstRange(of: end)
    else { return nil }
    return self[first.upperBound..<last.lowerBound]
  }

  fileprivate func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}

extension String {
  fileprivate func removingElements(_ tag: String) -> String {
    var result = ""
    var rest = self[...]
    let (open, close) = ("<\(tag)>", "</\(tag)>")
    while let start = rest.firstRange(of: open),
      let end = rest[start.upperBound...].firstRange(of: close)
    {
      result += rest[..<start.lowerBound]
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
    var result = ""
    var rest = self[...]
    while let start = rest.firstRange(of: "rgb("),
      let end = rest[start.upperBound...].firstRange(of: ")")
    {
      let parts = rest[start.upperBound..<end.lowerBound].split(separator: ",").map {
        Int($0.filter { !$0.isWhitespace })
      }
      result += rest[..<start.lowerBound]
      if parts.count == 3, parts[0] == 0, parts[1] == 0, let role = parts[2], role > 0 {
        result += "var(--role-\(role))"
      } else {
        result += rest[start.lowerBound..<end.upperBound]
      }
      rest = rest[end.upperBound...]
    }
    return result + rest
  }

  /// Puts labels into their places, all in one sweep.
  fileprivate func filled(with labels: [String]) -> String {
    var result = ""
    var rest = self[...]
    while let start = rest.firstRange(of: "<text>@"),
      let end = rest[start.upperBound...].firstRange(of: "@</text>")
    {
      let index = Int(rest[start.upperBound..<end.lowerBound])
      let label = index.flatMap { labels.indices.contains($0) ? labels[$0] : nil } ?? ""
      result += rest[..<start.lowerBound] + Markup.element("text", label).html
      rest = rest[end.upperBound...]
    }
    return result + rest
  }
}
