// User text in a page is shown and never interpreted.

import CommandSupport
import Testing

@testable import RunReport

@Suite("Markup")
struct MarkupTests {
  @Test(
    "Text is escaped alike in elements and attributes",
    arguments: [
      ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
      ("\"a\" & 'b'", "&quot;a&quot; &amp; &#39;b&#39;"),
      ("&lt;", "&amp;lt;"),
      ("שלום 😀 e\u{301}\u{202E}", "שלום 😀 e\u{301}\u{202E}"),
      ("a\u{0}b\u{1B}c\u{85}", "a\u{FFFD}b\u{FFFD}c\u{FFFD}"),
      ("two\nlines\t", "two\nlines\t"),
    ])
  func text(text: String, html: String) {
    #expect(Markup(text).html == html)
    let element = Markup.element("p", ["title": text], text).html
    #expect(element == "<p title=\"\(html)\">\(html)</p>")
  }

  @Test("JSON in a script element cannot end it and reads back unchanged")
  func json() {
    let text = "</script><!-- & \u{2028}\u{2029} \" \\u003c"
    let html = Markup(json: ["word": .string(text)]).html
    #expect(!html.contains("<"))
    #expect(!html.unicodeScalars.contains { $0 == "\u{2028}" || $0 == "\u{2029}" })
    #expect(
      html
        == #"{"word":"\u003c/script>\u003c!-- & \u2028\u2029 \" \\u003c"}"#)
  }

  @Test("A word's writing direction is isolated")
  func word() {
    #expect(Markup.word("\u{202E}a<").html == "<bdi class=\"word\">\u{202E}a&lt;</bdi>")
  }

  @Test("A table has a cell for each piece, set as a number unless it is a word")
  func table() {
    let html = Markup.table(["a", "b"], [[Markup("<"), Markup("1")]]).html
    #expect(html.contains("<tr><td>&lt;</td><td class=\"number\">1</td></tr>"))
    #expect(html.contains("<tr><th>a</th><th class=\"number\">b</th></tr>"))
  }
}

@Suite("Template")
struct TemplateTests {
  @Test("Every placeholder of a template is filled, however often it occurs")
  func filled() {
    let template = Template("<p>{{a}}, {{b}}, {{a}}</p>")
    #expect(template.filled(["a": Markup("1"), "b": Markup("<")]).html == "<p>1, &lt;, 1</p>")
  }

  @Test("Filled-in text is not scanned for placeholders")
  func once() {
    let filled = Template("{{a}}{{b}}").filled(["a": Markup("{{b}}"), "b": Markup("x{{a}}")])
    #expect(filled.html == "{{b}}x{{a}}")
  }

  @Test("A template without placeholders stays as it is")
  func noPlaces() {
    #expect(Template("a } {b} }}").filled([:]).html == "a } {b} }}")
  }
}
