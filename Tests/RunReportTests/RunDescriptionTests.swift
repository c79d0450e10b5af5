// run.json as it is written, as older versions wrote it, and as nobody should have.

import OrderedJSON
import Testing

@testable import RunReport

@Suite("Description of a run")
struct RunDescriptionTests {
  private static let old =
    #"{"command_line":["train","--out","a b"],"threads":2,"versions":{"blas":"x"},"#
    + #""seconds":1.5,"finished_at":"2026-01-01T00:00:00Z","blas_core":"Zen","note":null}"#

  @Test("A run.json without parts counts as one part")
  func oldFile() throws {
    let found = RunDescription(Self.old)
    #expect(found.commandLines == [["train", "--out", "a b"]])
    #expect(found.number("seconds") == 1.5)
    #expect(
      found.all.map(\.key) == ["blas_core", "finished_at", "seconds", "threads", "versions.blas"])
    #expect(found.all.last?.value == "x")
    #expect(found.parts == [try JSONValue(parsing: Self.old)])
    #expect(found.isComplete && found.lastCore == "Zen")
  }

  @Test("run.json keeps all parts and repeats the last one's keys beside them")
  func parts() throws {
    var description = RunDescription(Self.old)
    description.append(["command_line": ["train", "--resume", "run"], "blas_core": "Haswell"])
    #expect(!description.isComplete && description.lastCore == "Haswell")
    description.replaceLast(with: ["blas_core": "Haswell", "finished_at": "later", "new": [1]])
    #expect(
      description.json.encoded()
        == #"{"blas_core":"Haswell","finished_at":"later","new":[1],"parts":["#
        + Self.old + #",{"blas_core":"Haswell","finished_at":"later","new":[1]}]}"#)

    let found = RunDescription(description.json.encoded())
    #expect(found.json == description.json)
    #expect(found.isComplete && found.lastCore == "Haswell" && found.parts.count == 2)
    #expect(found.all.map(\.key) == ["blas_core", "finished_at", "new"])
    // Each part may have a line of its own.
    description.append(["command_line": ["train", "--resume", "a b", "--steps", "9"]])
    #expect(description.commandLines.map(\.count) == [3, 5])
    #expect(found.commandLines == [["train", "--out", "a b"]])
  }

  @Test(
    "An unreadable run.json gives an empty description",
    arguments: [
      nil, "", "{", "[1]", "null", "7", "{}", #"{"parts":7}"#, #"{"parts":[]}"#,
      #"{"parts":[{"blas_core":"Zen"},7]}"#, #"{"blas_core":"Zen","parts":null}"#,
    ])
  func strange(text: String?) {
    var description = RunDescription(text)
    #expect(description.parts.isEmpty && description.lastCore == nil && !description.isComplete)
    #expect(description.commandLines.isEmpty)
    // A run goes on all the same.
    description.append(["first_step": 7])
    #expect(description.json == ["first_step": 7, "parts": [["first_step": 7]]])
  }

  @Test(
    "A kernel name that is not one is ignored",
    arguments: ["7", "null", #""""#, #""a\nb""#, #""\u001b[31m""#, "[\"Zen\"]", #""Zen\u00e9""#])
  func strangeCore(value: String) {
    #expect(RunDescription("{\"blas_core\":\(value)}").lastCore == nil)
  }
}
