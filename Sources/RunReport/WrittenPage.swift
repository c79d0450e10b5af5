// A page on its way into a file: what may be replaced, and what is said if it may not.

import CharMLP
public import CommandSupport

/// A page that can be written to a file.
public protocol WrittenPage {
  /// The file.
  var html: String { get }
  /// What is missing in the page once it is made; nil if nothing is.
  var warning: String? { get }
}

extension ReportPage: WrittenPage {}
extension ComparisonPage: WrittenPage {}

extension WrittenPage {
  /// Writes the page; it takes the place of an older page, and of nothing else. Warns if it lacks its
  /// charts.
  /// - Throws: `CommandFailure` (73) if there is another file, or none can be made.
  public func write(to path: String) throws(CommandFailure) {
    do throws(FileError) {
      try ReportFile.write(html, to: path)
    } catch {
      let advice =
        error.isExisting
        ? "It is no report, and is not overwritten: name another file with --out."
        : "Name another file with --out."
      throw CommandFailure(.cannotCreate, "\(error)", advice: advice)
    }
    if let warning { StandardError.shared.warn("\(path) \(warning)") }
  }
}
