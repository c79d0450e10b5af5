// Training among ranks: rank 0 leads, and the others take every step with it.
//
// All ranks hold the same parameters and draw the same minibatches. Rank 0 alone evaluates and saves,
// while the others wait for it in the next sum. A wish to stop travels with the gradients, so that all
// ranks stop after the same step.

extension Trainer {
  /// The number of ranks that train together; nil for this process alone.
  public var ranks: Int? { communicator?.count }

  /// The time spent in sums over ranks, waiting for others included, in seconds; nil for one process.
  public var secondsInSums: Double? { communicator?.secondsInSums }

  /// Whether ranks train together.
  public var isShared: Bool { communicator != nil }

  /// Says what asks this process to stop; looked at before every step.
  ///
  /// When it holds, `advance` ends after the step, with `isStopped`: on all ranks, if it holds on any.
  public func stop(when isAsked: @escaping () -> Bool) { asksToStop = isAsked }

  /// Takes all steps together with rank 0, which drives its trainer by `advance` and `evaluate`, and
  /// evaluates at the steps that the recipe says.
  ///
  /// - Throws: `Divergence` after the same step as rank 0.
  public func follow() throws(Divergence) {
    guard let communicator else { preconditionFailure("Trainer: nobody to follow") }
    while !isFinished, !isStopped {
      try advance(to: recipe.nextEvaluation(after: step))
      if recipe.isEvaluated(at: step) { note(communicator.broadcast(.nan)) }
    }
  }
}

extension Recipe {
  /// The next step after which the network is evaluated.
  public func nextEvaluation(after step: Int) -> Int {
    min(steps, (step / evaluationInterval + 1) * evaluationInterval)
  }

  /// Whether the network is evaluated after so many steps.
  public func isEvaluated(at step: Int) -> Bool {
    step == steps || step.isMultiple(of: evaluationInterval)
  }
}
