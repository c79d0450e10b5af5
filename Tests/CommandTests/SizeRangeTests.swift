// The sentence that ends a table of sizes names every crossover, and nothing else.

import BenchCommand
import Testing

@Suite("bench --sizes: ranges in a sentence")
struct SizeRangeTests {
  @Test(
    "A sentence lists the ranges of sizes with the same verdict in order",
    arguments: [
      ("n n B B", "n up to 2, B from 4 on"),
      ("n B B B", "n at 1, B from 2 on"),
      ("B n n B", "B at 1, n from 2 to 4, B at 8"),
      ("n B n B", "n at 1, B at 2, n at 4, B at 8"),
      ("B B B B", "B at every size measured"),
    ])
  func sentence(verdicts: String, expected: String) {
    let sizes = verdicts.split(separator: " ").enumerated().map { index, verdict in
      (size: 1 << index, verdict: String(verdict))
    }
    #expect(SizeRange.sentence(sizes) { $0 } == expected)
  }
}
