// Time spent in training steps alone, and how many of them to take between two looks at the clock.

/// Adds up the time that training takes, without evaluation and saving.
struct TrainingStopwatch {
  private(set) var total = Duration.zero

  var seconds: Double { total / .seconds(1) }

  /// Runs and times a piece of training, and returns how long it took.
  mutating func measure(_ work: () throws -> Void) rethrows -> Duration {
    let duration = try ContinuousClock().measure(work)
    total += duration
    return duration
  }
}

/// A number of steps that takes about a twentieth of a second.
struct Pace {
  private(set) var steps = 1

  mutating func adapt(to duration: Duration) {
    if duration < .milliseconds(25) {
      steps = min(steps * 2, 1 << 20)
    } else if duration > .milliseconds(100) {
      steps = max(1, steps / 2)
    }
  }
}
