// The list that ships with the project is what data/README.md says it is.

import CharMLP
import Foundation
import Testing

@Suite("The bundled list")
struct BundledListTests {
  let words: [String]
  let readme: String

  init() throws {
    words = Array(try bundledWords())
    readme = try String(
      contentsOf: projectRoot.appending(path: "data/README.md"), encoding: .utf8)
  }

  @Test("The bundled list has at least 5,000 names, all different, in a–z")
  func names() {
    #expect(words.count >= 5000)
    #expect(Set(words).count == words.count)
    #expect(words.joined().unicodeScalars.allSatisfy { ("a"..."z").contains($0) })
  }

  @Test("The README of the bundled list counts at least 20 cultures, which cover all its lines")
  func cultures() throws {
    let rows = readme.matches(of: /\| [^|]+ \| (\d+)–(\d+) \| (\d+) \|/).map { match in
      (first: Int(match.1)!, last: Int(match.2)!, count: Int(match.3)!)
    }
    #expect(rows.count >= 20)
    var next = 1
    for row in rows {
      #expect(row.first == next)
      #expect(row.count == row.last - row.first + 1)
      next = row.last + 1
    }
    #expect(next == words.count + 1)
  }
}
