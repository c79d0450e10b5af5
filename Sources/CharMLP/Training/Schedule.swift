// How the learning rate falls in the course of a run.

import RealModule

/// The learning rate of a step, from the largest.
public enum Schedule: String, CaseIterable, Equatable, Sendable {
  /// The same at every step.
  case constant
  /// A tenth from half of the steps on, as in the lecture.
  case step
  /// Half a period of the cosine, from 1 down to 0 (Loshchilov and Hutter, "SGDR", 2017).
  case cosine

  /// The learning rate of a step, counted from 0.
  ///
  /// - Parameters:
  ///   - largest: The learning rate that the schedule begins with.
  ///   - warmup: The step at which the learning rate is largest; the cosine begins there.
  ///   - steps: The steps of the run.
  func learningRate(_ largest: Float, at step: Int, from warmup: Int, to steps: Int) -> Float {
    switch self {
    case .constant: return largest
    // Divided, not multiplied by 0.1: of 0.1 it makes the lecture's 0.01 to the last bit.
    case .step: return step < steps / 2 ? largest : largest / 10
    case .cosine:
      let share = Double(step - warmup) / Double(max(steps - warmup, 1))
      return largest * Float((1 + Double.cos(.pi * share)) / 2)
    }
  }
}
