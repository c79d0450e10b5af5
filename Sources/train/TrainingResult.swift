// What a run has to show, for people and for programs.

import CharMLP
import CommandSupport

/// The end of a run.
struct TrainingResult {
  let steps: Int
  let parameters: Int
  var seconds: Double
  let stepsPerSecond: Double
  /// How many ranks trained together, and their seconds in sums; nil for one process.
  let ranks: (count: Int, secondsInSums: Double)?
  let losses: TrainedLosses
  let baseline: BaselineComparison
  let samples: [String]
  let model: String
  /// Where the report goes, if one was asked for.
  var report: String?

  var json: JSONValue {
    [
      "steps": .integer(steps),
      "parameters": .integer(parameters),
      "seconds": .number(seconds),
      "steps_per_second": .number(stepsPerSecond),
      "ranks": ranks.map {
        ["count": .integer($0.count), "seconds_in_sums": .number($0.secondsInSums)]
      } ?? .null,
      "loss": .object(losses.preferred.json),
      "best_step": .integer(losses.best?.step ?? steps),
      "last_loss": .object(losses.last.json),
      "baseline": baseline.json,
      "sample_words": baseline.sampleSize.map { .integer($0) } ?? .null,
      "samples": .array(samples.map { .string($0) }),
      "model": .string(model),
      "report": report.map { .string($0) } ?? .null,
    ]
  }

  var text: String {
    var text = """
      \(baseline.text(beside: losses))\
      time: \(Format.duration(seconds: seconds)), \(Format.rate(stepsPerSecond, "steps"))
      model: \(model)

      """
    if let report { text += "report: \(report)\n" }
    if !samples.isEmpty {
      text += "samples:\n" + samples.map { "  \($0)\n" }.joined()
    }
    return text
  }
}
