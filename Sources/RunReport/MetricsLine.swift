// A line of metrics.jsonl, as far as it is understood.
//
// Other versions and other trainers write other keys: what is not known is skipped, and what is missing
// leaves a gap in a chart. docs/metrics.md is the list.

import FoundationEssentials

/// What a run measured at one step.
struct MetricsLine: Decodable, Equatable, Sendable {
  let step: Int
  let minibatchLoss: Double?
  let smoothedLoss: Double?
  let validationLoss: Double?
  /// Means of minibatch losses since the line before, each over `stretch` steps.
  let losses: [Double?]
  let stretch: Int?
  let learningRate: Double?
  let seconds: Double?
  let saturated: Double?
  let deadUnits: Double?
  let updateRatio: [String: Double?]

  private enum Key: String, CodingKey {
    case step, seconds, saturated, stretch, losses
    case minibatchLoss = "minibatch_loss"
    case smoothedLoss = "smoothed_loss"
    case validationLoss = "validation_loss"
    case learningRate = "learning_rate"
    case deadUnits = "dead_units"
    case updateRatio = "update_ratio"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    step = try values.decode(Int.self, forKey: .step)
    func number(_ key: Key) -> Double? { try? values.decode(Double.self, forKey: key) }
    minibatchLoss = number(.minibatchLoss)
    smoothedLoss = number(.smoothedLoss)
    validationLoss = number(.validationLoss)
    losses = (try? values.decode([Double?].self, forKey: .losses)) ?? []
    stretch = try? values.decode(Int.self, forKey: .stretch)
    learningRate = number(.learningRate)
    seconds = number(.seconds)
    saturated = number(.saturated)
    deadUnits = number(.deadUnits)
    updateRatio = (try? values.decode([String: Double?].self, forKey: .updateRatio)) ?? [:]
  }

  /// The lines that can be read, in the order of their steps; of two with one step, the later.
  static func all(_ lines: [String]) -> [MetricsLine] {
    let decoder = JSONDecoder()
    var found: [MetricsLine] = []
    for line in lines {
      guard let line = try? decoder.decode(MetricsLine.self, from: Data(line.utf8)) else {
        continue
      }
      while let last = found.last, last.step >= line.step { found.removeLast() }
      found.append(line)
    }
    return found
  }
}
