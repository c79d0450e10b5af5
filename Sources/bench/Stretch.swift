// A table of verdicts as one sentence: what holds from which size to which.
//
// Where one side begins to win is a crossover only if it goes on winning. So a sentence lists all
// stretches of sizes with the same verdict, and is as long as the truth is.

/// Neighbouring sizes at which the same verdict holds.
package struct Stretch<Verdict: Equatable> {
  let verdict: Verdict
  let first: Int
  var last: Int

  /// The stretches of sizes in ascending order.
  static func all(_ verdicts: [(size: Int, verdict: Verdict)]) -> [Stretch] {
    verdicts.reduce(into: []) { stretches, next in
      if let last = stretches.indices.last, stretches[last].verdict == next.verdict {
        stretches[last].last = next.size
      } else {
        stretches.append(Stretch(verdict: next.verdict, first: next.size, last: next.size))
      }
    }
  }

  /// The stretches in words: "naive wins up to 4, BLAS wins from 8 on".
  package static func sentence(
    _ verdicts: [(size: Int, verdict: Verdict)], _ phrase: (Verdict) -> String
  ) -> String {
    let stretches = all(verdicts)
    if stretches.count == 1 { return phrase(stretches[0].verdict) + " at every size measured" }
    return stretches.enumerated().map { index, stretch in
      let place =
        if stretch.first == stretch.last {
          "at \(stretch.first)"
        } else if index == 0 {
          "up to \(stretch.last)"
        } else if index == stretches.count - 1 {
          "from \(stretch.first) on"
        } else {
          "from \(stretch.first) to \(stretch.last)"
        }
      return phrase(stretch.verdict) + " " + place
    }.joined(separator: ", ")
  }
}
