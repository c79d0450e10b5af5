// A training from its start to its end, to be compared with another.

@testable import CharMLP

/// Where a run stands after its steps, and the loss of each.
struct Course: Equatable, Sendable {
  var losses: [Float] = []
  var parameters: Parameters<Float>

  init(_ trainer: Trainer) {
    while !trainer.isFinished {
      try? trainer.advance(to: trainer.step + 1)
      losses.append(trainer.minibatchLoss)
    }
    parameters = trainer.parameters
  }
}

extension Course {
  /// The largest difference of two courses' losses; infinite if they have not as many.
  func distance(to other: Course) -> Float {
    guard losses.count == other.losses.count else { return .infinity }
    return zip(losses, other.losses).map { abs($0 - $1) }.max() ?? .infinity
  }
}
