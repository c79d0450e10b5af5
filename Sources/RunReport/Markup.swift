// HTML that is safe to put into a page, and the file that a page becomes.
//
// A page is made of `Markup`, never of strings: text is escaped once, when it becomes markup.
// Attributes and text share one escape, which is right inside quotes and outside. A page takes the
// place of an older page, and of no other file.

public import CommandSupport
import OrderedJSON
import Posix

/// A piece of a page.
struct Markup: Equatable, Sendable {
  let html: String

  /// Takes HTML as it is: this module's files, gnuplot's output.
  init(trusted html: String) { self.html = html }

  /// Text, shown verbatim whatever its characters.
  init(_ text: String) { html = Self.escaped(text) }

  /// A value for a script to read, inside `<script type="application/json">`.
  ///
  /// Entities mean nothing there, and only `</script` ends the element (or `<!--` changes its
  /// meaning), so `<` gets JSON's own escape. The encoder already escapes U+2028 and U+2029.
  init(json: JSONValue) {
    html = json.encoded().pieces(separatedBy: UInt8(ascii: "<"), omittingEmpty: false)
      .joined(separator: "\\u003c")
  }

  static let empty = Markup(trusted: "")

  static func + (left: Markup, right: Markup) -> Markup {
    Markup(trusted: left.html + right.html)
  }

  private static func escaped(_ text: String) -> String {
    var html = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": html += "&amp;"
      case "<": html += "&lt;"
      case ">": html += "&gt;"
      case "\"": html += "&quot;"
      case "'": html += "&#39;"
      // Control characters are not allowed in HTML; a path may have them.
      case "\u{00}"..."\u{08}", "\u{0B}", "\u{0C}", "\u{0E}"..."\u{1F}", "\u{7F}"..."\u{9F}":
        html += "\u{FFFD}"
      default: html.unicodeScalars.append(scalar)
      }
    }
    return html
  }

  // MARK: Elements

  /// An element with its children; the text of attributes is escaped.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
    _ children: [Markup]
  ) -> Markup {
    let attributes = attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
    return Markup(
      trusted: "<\(name)\(attributes)>\(children.map(\.html).joined())</\(name)>")
  }

  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ text: String
  ) -> Markup {
    element(name, attributes, [Markup(text)])
  }

  static func element(_ name: StaticString, _ text: String) -> Markup {
    element(name, [:], [Markup(text)])
  }

  static func paragraph(_ text: String) -> Markup { element("p", text) }

  static func note(_ text: String) -> Markup { element("p", ["class": "note"], text) }

  /// A word of a user's list: its writing direction does not affect its neighbours.
  static func word(_ text: String) -> Markup { element("bdi", ["class": "word"], text) }

  /// A table that scrolls on its own where the screen is too narrow.
  static func table(
    _ headings: [String], _ rows: [[Markup]], words: Set<Int> = [0], class name: String = ""
  ) -> Markup {
    func cells(_ tag: StaticString, _ cells: [Markup]) -> Markup {
      element(
        "tr", [:],
        cells.enumerated().map { index, cell in
          words.contains(index)
            ? element(tag, [:], [cell]) : element(tag, ["class": "number"], [cell])
        })
    }
    let head = element("thead", [:], [cells("th", headings.map { Markup($0) })])
    let body = element("tbody", [:], rows.map { cells("td", $0) })
    return element(
      "div", ["class": "scroll"], [element("table", ["class": name], [head, body])])
  }

  /// Names and their values.
  static func facts(_ pairs: [(name: String, value: Markup)]) -> Markup {
    let rows = pairs.map { pair in
      element("div", [:], [element("dt", pair.name), element("dd", [:], [pair.value])])
    }
    return element("dl", ["class": "facts"], rows)
  }
}

// MARK: Templates

/// A page with placeholders, `{{name}}`, for pieces of markup.
///
/// What is filled in is not scanned again, so a word "{{words}}" stays one. There are no conditions
/// and no loops: what repeats is built from elements, what may be missing is an empty piece.
struct Template {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The page with every placeholder filled.
  /// - Precondition: every placeholder has a piece, and every piece a placeholder.
  func filled(_ pieces: KeyValuePairs<String, Markup>) -> Markup {
    var unused = Set(pieces.map(\.key))
    let html = text.replacingPieces(from: "{{", to: "}}") { name in
      guard let piece = pieces.first(where: { $0.key == name }) else {
        fatalError("Template: nothing for the place \(name)")
      }
      unused.remove(piece.key)
      return piece.value.html
    }
    guard unused.isEmpty else { fatalError("Template: a piece without a place") }
    return Markup(trusted: html)
  }
}

// MARK: What every page has around its parts: head, style, footer

extension Markup {
  /// A whole file.
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

// MARK: - Writing a page: only an older page is replaced

/// A page that can be written to a file.
public protocol WrittenPage {
  /// The file.
  var html: String { get }
  /// What is missing in the page once it is made; nil if nothing is.
  var warning: String? { get }
}

extension WrittenPage {
  /// Writes the page; it takes the place of an older page, and of nothing else. Warns if it lacks
  /// its charts.
  /// - Throws: `CommandFailure` (73) if there is another file, or none can be made.
  public func write(to path: String) throws(CommandFailure) {
    let html = html
    guard html.begins(with: ReportFile.opening) else {
      fatalError("WrittenPage: a page without its opening")
    }
    try ReportFile.reporting { () throws(SystemError) in
      try Interruption.deferring { () throws(SystemError) in
        try FileSystem.write(Array(html.utf8), to: path, existing: ReportFile.existing)
      }
    }
    if let warning { StandardError.shared.warn("\(path) \(warning)") }
  }
}

/// The file of a page, which replaces an older page of ours, and nothing else.
package enum ReportFile {
  /// What every report begins with.
  fileprivate static let opening = "<!doctype html><!-- CharMLP report -->"
  fileprivate static let existing = FileSystem.Existing.replacedIfBeginning(Array(opening.utf8))

  /// Refuses a place for a page before the page is made.
  /// - Throws: `CommandFailure` (73) if there is another file.
  package static func require(_ path: String) throws(CommandFailure) {
    try reporting { () throws(SystemError) in
      try FileSystem.requireWritable(path, existing: existing)
    }
  }

  fileprivate static func reporting(
    _ work: () throws(SystemError) -> Void
  ) throws(CommandFailure) {
    do throws(SystemError) { try work() } catch {
      let advice =
        error.isExisting
        ? "It is not a report, and is not overwritten: name another file with --out."
        : "Name another file with --out."
      throw CommandFailure(
        error.isFailedWrite ? .inputOutput : .cannotCreate, "\(error)", advice: advice)
    }
  }
}
