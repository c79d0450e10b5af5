// The recipes that have a name.

extension Recipe {
  /// A recipe that people can ask for by name.
  public enum Preset: String, CaseIterable, Sendable {
    /// The lecture's notebook, setting by setting.
    case notebook
    /// The lowest validation loss that we found on the lecture's list with one hidden layer.
    case best
  }

  /// The settings of a preset; docs/performance.md says what was tried for `best`.
  public init(_ preset: Preset) {
    self.init()
    guard preset == .best else { return }
    blockSize = 8
    embedding = 24
    hidden = 620
    batchSize = 1024
    steps = 40_000
    optimizer = .adamw
    learningRate = 2e-3
    schedule = .cosine
    warmup = 500
    weightDecay = 0.3
    dropout = 0.3
    evaluateEvery = 1000
    patience = 10
  }
}
