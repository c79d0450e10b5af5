// When a run is saved: at its start, so that it can be resumed from then on, at every so many steps or
// seconds, and at its end. When does not change what is learned.

import CharMLP

/// Which steps are saved, and which one was last.
struct SavingSchedule {
  /// The best state since the last save, which is saved with the next.
  var best: Checkpoint?

  private let interval: Int?
  private var savedStep: Int?
  private var savedTime = Duration.zero

  /// The training time between two saves if no number of steps is given.
  private static let period = Duration.seconds(10)

  /// A schedule for a run whose step `savedAt` is in its file already.
  init(every interval: Int?, savedAt savedStep: Int?) {
    self.interval = interval
    self.savedStep = savedStep
  }

  /// The next step that has to be saved whatever the time.
  func next(after step: Int) -> Int {
    interval.map { (step / $0 + 1) * $0 } ?? .max
  }

  /// Whether a step has to be saved after so much training.
  func isDue(_ step: Int, _ total: Duration) -> Bool {
    guard let savedStep else { return true }
    guard savedStep != step else { return false }
    return interval.map { step.isMultiple(of: $0) } ?? (total - savedTime >= Self.period)
  }

  /// Whether a step is not in the file.
  func isUnsaved(_ step: Int) -> Bool { savedStep != step }

  /// Notes that a step was saved.
  mutating func note(_ step: Int, _ total: Duration) {
    (savedStep, savedTime) = (step, total)
  }
}
