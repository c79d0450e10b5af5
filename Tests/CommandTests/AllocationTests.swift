// A training step allocates nothing: counted, not estimated.

import Foundation
import Testing

@Suite("Allocations")
struct AllocationTests {
  /// A library that counts calls of malloc and its like, compiled by the system's C compiler.
  private static func makeCounter(in workplace: Workplace) throws -> String {
    let source = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Tools/count_allocations.c")
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    let library = workplace.path("count_allocations.so")
    compiler.arguments = ["cc", "-shared", "-fPIC", "-O2", "-o", library, source.path]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    return library
  }

  @Test(
    "20,000 more steps allocate nothing more, on one thread or two, in either form of the layer",
    .enabled(if: !isSanitized, "a sanitizer has a malloc of its own"),
    arguments: [
      ["--threads", "1"], ["--threads", "2"], ["--threads", "2", "--batch-size", "128"],
    ])
  func steps(arguments: [String]) throws {
    let workplace = try Workplace()
    let counter = try Self.makeCounter(in: workplace)
    let counts = try [2000, 22_000].map { steps in
      let path = workplace.path("allocations-\(steps)")
      // One evaluation and two saves each, however long they take.
      let outcome = try workplace.run(
        "train",
        ["--steps", "\(steps)", "--evaluate-every", "\(steps)", "--checkpoint-every", "\(steps)"]
          + ["--hidden", "64", "--samples", "0", "--quiet", "--out", "run-\(steps)"] + arguments,
        environment: ["LD_PRELOAD": counter, "ALLOCATION_COUNT": path])
      try #require(outcome.status == 0, "\(outcome.errors)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    #expect(counts[0] > 1000)
    // One allocation a step would make 20,000. Time is looked at every twentieth of a second, which
    // takes a few of them: on a busy machine, where a run takes long, some hundreds.
    #expect(abs(counts[1] - counts[0]) < 15_000)
  }
}
