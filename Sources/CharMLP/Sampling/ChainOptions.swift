// What turns a network's logits into the chain that words are drawn from.
//
// Temperature first, then top-k, then top-p, at every step, as everywhere else. The end of a word is a
// character like any other. Constraints on whole words are not here: they condition the chain that this
// defines (see WordConstraints). Logits are Float, probabilities Double.

import RealModule

/// How the distribution of the next character follows from its logits.
public struct ChainOptions: Equatable, Sendable {
  /// What the logits are divided by; above 0.
  public var temperature: Double
  /// How many of the likeliest characters are kept, at least 1; nil keeps all. Of equals the one with
  /// the lower id is kept.
  public var topK: Int?
  /// The smallest set of the likeliest characters whose probabilities reach this sum is kept
  /// (nucleus sampling; Holtzman et al., "The curious case of neural text degeneration", 2020); above 0,
  /// at most 1, which keeps all.
  public var topP: Double

  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    precondition(
      temperature > 0 && (topK ?? 1) >= 1 && topP > 0 && topP <= 1,
      "ChainOptions: temperature \(temperature), top-k \(topK ?? 0), top-p \(topP)")
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
  }

  /// Whether characters may lose all their probability.
  var isTruncating: Bool { topK != nil || topP < 1 }
}

extension ChainOptions {
  /// softmax(logits / temperature), truncated and normalized again.
  ///
  /// - Parameters:
  ///   - count: The vocabulary's count.
  ///   - logit: A logit by its id.
  ///   - probabilities: Becomes the distribution, by id.  (count)
  @inline(__always)
  func distribution(
    count: Int, logit: (Int) -> Float, into probabilities: inout [Double]
  ) {
    var largest = -Float.infinity
    for id in 0..<count where logit(id) > largest { largest = logit(id) }
    let scale = 1 / temperature
    var sum = 0.0
    for id in 0..<count {
      let share = Double.exp((Double(logit(id)) - Double(largest)) * scale)
      probabilities[id] = share
      sum += share
    }
    for id in 0..<count { probabilities[id] /= sum }
    if isTruncating { truncate(&probabilities) }
  }

  /// Sets all but the likeliest to zero.
  private func truncate(_ probabilities: inout [Double]) {
    let order = probabilities.indices.sorted {
      (probabilities[$1], $0) < (probabilities[$0], $1)
    }
    var kept = 0
    var sum = 0.0
    let limit = min(topK ?? .max, order.count)
    while kept < limit, sum < topP || topP == 1 {
      sum += probabilities[order[kept]]
      kept += 1
    }
    for id in order[kept...] { probabilities[id] = 0 }
    for id in order[..<kept] { probabilities[id] /= sum }
  }
}
