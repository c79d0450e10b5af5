// `gradcheck --page`: the page that docs/ has, byte for byte, and over nothing that exists.

import Foundation
import Testing

@Suite("gradcheck --page")
struct GradcheckPageTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let published = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/gradcheck.html")

  @Test("It is docs/gradcheck.html, one file of less than 300 kB that loads nothing")
  func bytes() throws {
    let outcome = try place.run("gradcheck", ["--page", "page.html"])
    #expect(outcome.status == 0 && outcome.output.isEmpty)
    #expect(outcome.errors == "gradcheck: wrote page.html\n")
    let page = try place.read("page.html")
    #expect(
      Data(page) == (try Data(contentsOf: Self.published)),
      "make page writes docs/gradcheck.html anew")
    #expect(page.count < 300_000)
    let text = String(decoding: page, as: UTF8.self)
    #expect(text.contains("default-src 'none'"))
    for loaded in [
      "src=", "rel=\"stylesheet", "@import", "url(h", "url(/", "fetch(", "XMLHttpRequest",
    ] {
      #expect(!text.contains(loaded), "\(loaded)")
    }
    #expect(!text.contains("{{"))
  }

  @Test("It is written over nothing; a place that cannot be written is refused with 73, or 74")
  func refusals() throws {
    try place.write("mine".utf8, to: "page.html")
    let outcome = try place.run("gradcheck", ["--page", "page.html"])
    #expect(outcome.status == 73)
    #expect(outcome.errorLines.count == 2, "\(outcome.errors)")
    #expect(String(decoding: try place.read("page.html"), as: UTF8.self) == "mine")
    #expect(try place.run("gradcheck", ["--page", "no/where"]).status == 73)
    #expect(try place.run("gradcheck", ["--page", "."]).status == 73)
    #expect(try place.run("gradcheck", ["--page", "/dev/full"]).status == 74)
  }
}
