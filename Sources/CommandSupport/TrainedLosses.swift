// What a finished run is judged by: its last state, and the best by validation.

public import CharMLP

/// The losses of a run's models.
public struct TrainedLosses {
  public let last: SplitLosses
  /// Those of the best by validation, if that is not the last.
  public let best: (step: Int, losses: SplitLosses)?

  public var preferred: SplitLosses { best?.losses ?? last }

  public init(last: SplitLosses, best: (step: Int, losses: SplitLosses)?) {
    (self.last, self.best) = (last, best)
  }
}
