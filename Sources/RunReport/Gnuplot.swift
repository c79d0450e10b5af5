// Draws charts with gnuplot, each in a process and a directory of its own.
//
// Everything goes through files there, so that no pipe can fill up, and no name of ours is a path.
// It is started from the main thread: Dispatch's threads block signals, and a child inherits that.

import FoundationEssentials

/// The gnuplot of this machine.
struct Gnuplot: Sendable {
  private let executable: String
  /// Charts take milliseconds; one that takes this long never ends.
  private static let patience = 20.0

  /// Finds gnuplot in the path; nil if there is none.
  init?(searching path: String? = ProcessInfo.processInfo.environment["PATH"]) {
    let candidates = (path ?? "").split(separator: ":").map { "\($0)/gnuplot" }
    guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
      return nil
    }
    executable = found
  }

  /// Draws a chart.
  /// - Throws: `Failure` if gnuplot does not start, complains and draws nothing, or does not end.
  func draw(_ chart: Chart) throws(Failure) -> Markup {
    let svg: String
    do {
      svg = try draw(chart, in: TemporaryDirectory())
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
      environment: ["LC_ALL=C.UTF-8"], directory: directory.url.path, messages: "messages")
    let end = try process.run(seconds: Self.patience)
    guard end != .tooLate else { throw Failure.tooLate }
    guard end == .status(0), let svg = try? directory.read("chart.svg") else {
      throw Failure(reason: Self.reason(in: (try? directory.read("messages")) ?? ""))
    }
    return svg
  }

  /// The line in which gnuplot says what is wrong: `"chart.gp" line 7: …`.
  private static func reason(in messages: String) -> String {
    let lines = messages.split(separator: "\n")
    let line = lines.last { $0.contains(" line ") } ?? lines.last ?? "it said nothing"
    return "gnuplot: \(line)"
  }

  /// Why there is no picture.
  struct Failure: Error, Equatable {
    let reason: String

    static let tooLate = Failure(reason: "gnuplot did not end")
  }
}

/// A directory that is gone when nobody holds it any more.
private final class TemporaryDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "charmlp-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appending(path: name)), as: UTF8.self)
  }
}
