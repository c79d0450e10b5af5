// The fast path: one step in place on memory that is allocated once, by one thread or several.
//
// It computes what the derivation computes, with cross-entropy and batch norm "all in one go", six
// products by sgemm and vector code for the rest. Its unit is a slice of the hidden layer: batch norm's
// statistics belong to a hidden unit, so everything between the two linear layers is local to a
// slice, and slices meet only in two sums, of their partial logits and of their partial dC.
// It keeps the derivation's names, and is only ever as right as its test against the derivation.

public import LinearAlgebra

/// Gradient descent without an allocation in a step.
///
/// The same parameters and minibatches give the same bits, whatever the number of threads.
public final class FusedEngine: Engine {
  let shape: ModelShape
  let batchSize: Int
  private let hasMoments: Bool
  let stages: FusedStep
  private let team: ThreadTeam

  /// Allocates all memory for steps of `batchSize` windows, and copies the parameters into it.
  ///
  /// - Parameters:
  ///   - capacity: The most windows of a minibatch that are computed here, if ranks share them out; nil
  ///     for all.
  ///   - threads: How many threads to use at most; no more than slices of the hidden layer are used.
  ///   - firstLayer: The form of the first layer; nil for the faster one.
  ///   - moments: What the optimizer remembers; nil if it remembers nothing.
  ///   - communicator: The ranks that compute a minibatch together; nil for this process alone.
  ///   - keepsIntermediates: Gives dh, dhpreact and dhprebn memory of their own, so that a test can
  ///     read all three; otherwise each takes the place of the one before.
  package init(
    _ parameters: Parameters<Float>, batchSize: Int, capacity: Int? = nil, threads: Int = 1,
    moments: Moments<Float>? = nil, firstLayer: FirstLayerForm? = nil,
    communicator: (any Communicator)? = nil, keepsIntermediates: Bool
  ) {
    precondition(batchSize >= 2, "FusedEngine: the variance of one window is undefined")
    precondition(threads >= 1, "FusedEngine: \(threads) threads")
    shape = parameters.shape
    self.batchSize = batchSize
    hasMoments = moments != nil
    let start = EngineStart(parameters: parameters, moments: moments)
    var stages: FusedStep?
    let slices = HiddenSlice.count(hidden: parameters.shape.hidden)
    team = ThreadTeam(upTo: min(threads, slices)) { count in
      let step = FusedStep(
        start, batchSize: batchSize, capacity: capacity ?? batchSize, threads: count,
        firstLayer: firstLayer ?? .fastest(parameters.shape, batchSize: batchSize),
        keepsIntermediates: keepsIntermediates, communicator: communicator)
      stages = step
      return { member in step.run(member) {} }
    }
    self.stages = stages!
  }

  /// Allocates all memory for steps of `batchSize` windows, at least 2, and copies the parameters.
  ///
  /// - Parameters:
  ///   - capacity: The most windows of a minibatch that are computed here, if ranks share them out; nil
  ///     for all.
  ///   - threads: How many threads to use at most; no more than slices of the hidden layer are used.
  ///   - moments: What the optimizer remembers; nil if it remembers nothing.
  ///   - communicator: The ranks that compute a minibatch together, each its part, and make the same
  ///     update; nil for this process alone.
  public convenience init(
    _ parameters: Parameters<Float>, batchSize: Int, capacity: Int? = nil, threads: Int = 1,
    moments: Moments<Float>? = nil, communicator: (any Communicator)? = nil
  ) {
    self.init(
      parameters, batchSize: batchSize, capacity: capacity, threads: threads, moments: moments,
      communicator: communicator, keepsIntermediates: false)
  }

  /// The number of threads that take a step together.
  public var threads: Int { team.count }

  public func step(_ minibatch: Minibatch, _ settings: StepSettings, meanwhile: () -> Void) -> Float
  {
    precondition(
      settings.update.adam == nil || hasMoments, "FusedEngine: Adam without room for its moments")
    stages.plan = FusedStep.Plan(update: settings.update, dropout: settings.dropout)
    return take(minibatch, meanwhile: meanwhile)
  }

  /// Computes the loss and leaves every parameter's gradient in memory.
  package func differentiate(_ minibatch: Minibatch, dropout: RandomMask? = nil) -> Float {
    stages.plan = FusedStep.Plan(dropout: dropout)
    return take(minibatch) {}
  }

  private func take(_ minibatch: Minibatch, meanwhile: () -> Void) -> Float {
    stages.input.assign(minibatch)
    team.callOthers()
    stages.run(0, meanwhile: meanwhile)
    return stages.finish()
  }

  /// Whether training shall stop: before a step, if this rank asks for it; after it, if any did.
  var isAskedToStop: Bool {
    get { stages.ranks?.isAskedToStop ?? false }
    set { stages.ranks?.isAskedToStop = newValue }
  }

  /// Where the time of some steps goes on the calling thread, in seconds; `waiting` is for the others.
  public func timing(_ steps: () -> Void) -> [StepPart: Double] {
    stages.startClock()
    steps()
    return stages.stopClock()
  }

  public var parameters: Parameters<Float> { contents.parameters }

  public var moments: Moments<Float>? { contents.moments }

  /// The gradients that the last call of `differentiate` left.
  package var gradients: Gradients<Float> { contents.gradients }

  /// The layers' parts, put together again as matrices.
  private var contents: EngineContents {
    var contents = EngineContents(zeros: shape, hasMoments: hasMoments)
    stages.embedding.memory.copy(to: &contents)
    stages.output.memory.copy(to: &contents)
    for slice in stages.slices { slice.memory.copy(to: &contents) }
    return contents
  }
}
