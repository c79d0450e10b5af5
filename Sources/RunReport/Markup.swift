// HTML that is safe to put into a page, and the only two ways for other people's text to become it.
//
// A page is made of `Markup`, never of strings: text is escaped when it becomes markup, and nothing is
// escaped twice. Attributes and text share one escape, which is correct inside quotes and out.

import CommandSupport

/// A piece of a page.
struct Markup: Equatable, Sendable {
  let html: String

  /// Takes over what is HTML already: files of this module, gnuplot's output.
  init(trusted html: String) { self.html = html }

  /// Text that shows as it is, whatever characters it has.
  init(_ text: String) { html = Self.escaped(text) }

  /// A value for a script to read, inside `<script type="application/json">`.
  ///
  /// There no entity is known and only `</script` ends the element (or `<!--` changes its meaning), so
  /// that JSON's own escape for `<` is what it takes. U+2028 and U+2029 the encoder escapes already.
  init(json: JSONValue) {
    html = json.encoded().split(separator: "<", omittingEmptySubsequences: false)
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
      // Controls are no characters of HTML; a path may have them.
      case "\u{00}"..."\u{08}", "\u{0B}", "\u{0C}", "\u{0E}"..."\u{1F}", "\u{7F}"..."\u{9F}":
        html += "\u{FFFD}"
      default: html.unicodeScalars.append(scalar)
      }
    }
    return html
  }
}

// MARK: Elements

extension Markup {
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

  /// Somebody's word: its direction does not spread to what stands beside it.
  static func word(_ text: String) -> Markup { element("bdi", ["class": "word"], text) }

  /// A table in a frame that scrolls by itself where a screen is too narrow.
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
