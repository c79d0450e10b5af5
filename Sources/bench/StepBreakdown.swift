// Where the time of a fused step goes, as the engine's own clock tells it.
//
// Looking at a clock some twenty times a step takes time as well, so the step's time without it is
// measured in the same run and shown beside the sum. It is the calling thread's time: what other threads do
// meanwhile does not show, but that it waits for them does.

import CharMLP

/// The parts of a fused step's time.
struct StepBreakdown {
  let threads: Int
  /// The step's time with no clock running.
  let seconds: Double
  /// The median of each part, in the order of `StepPart.allCases`.
  let parts: [Double]

  /// The step's time with a clock running: the sum of its parts.
  var clockedSeconds: Double { parts.reduce(0, +) }

  /// A part's share of that sum.
  func share(_ part: Int) -> Double { parts[part] / clockedSeconds }

  /// A turn of steps under the engine's clock, whose figures are the seconds of each part in a step.
  static func turn(_ engine: FusedEngine, _ minibatch: Minibatch) -> Alternation.Turn {
    let step = { _ = engine.step(minibatch, learningRate: 0) }
    let calls = Alternation.callsPerTurn(step)
    return {
      Alternation.wakeUp(step, calls)
      let seconds = engine.timing { for _ in 0..<calls { step() } }
      return StepPart.allCases.map { (seconds[$0] ?? 0) / Double(calls) }
    }
  }
}
