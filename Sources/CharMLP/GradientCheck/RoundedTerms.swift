// How many roundings go into one element of a tensor, in the line that computes it.
//
// A line that adds up m terms may round m times, and so may be off by m units in the last place,
// whatever the order of the sum. A line without a sum rounds at most four times per element
// (-0.5 * pow(bnvar + 1e-5, -1.5) * dbnvar_inv does). What the lines before it have lost already is
// not counted here; RoundingBounds measures it.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

/// The roundings of an element in its own line.
struct RoundedTerms: Sendable {
  private let n: Int
  private let shape: ModelShape

  /// How often the most frequent id of the contexts occurs: the longest sum in dC.
  private let occurrences: Int

  private static let elementwise = 4

  init(_ problem: GradientProblem) {
    n = problem.minibatch.count
    shape = problem.parameters.shape
    var counts = Array(repeating: 0, count: shape.vocabulary)
    for id in problem.minibatch.contexts { counts[Int(id)] += 1 }
    occurrences = counts.max() ?? 0
  }

  /// The roundings in an element of a tensor, under its name in a file: `h` or `dh`.
  subscript(name: String) -> Int { max(summed(name), Self.elementwise) }

  /// The terms that are added up for one element.
  private func summed(_ name: String) -> Int {
    switch name {
    case "hprebn": shape.contextWidth + 1
    case "logits": shape.hidden + 1
    case "bnmeani", "bnvar", "loss": n
    case "counts_sum", "dcounts_sum_inv", "dlogit_maxes", "dh": shape.vocabulary
    case "dW2", "db2", "dbngain", "dbnbias", "dbnvar_inv", "dbnmeani", "dW1", "db1": n
    case "dembcat", "demb": shape.hidden
    case "dC": occurrences
    default: 0
    }
  }
}
