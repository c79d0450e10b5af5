// What a trainer needs of the network, parameters and a step that improves them, and the two
// engines that provide it: the step-by-step derivation, and the fast path.
//
// The fast path computes what the derivation computes, in place on memory that is allocated once,
// by one thread or several: cross-entropy and batch norm "all in one go", products by sgemm, and
// vector code for the rest. The step itself is in FusedStep. The fast path is only ever as right as
// its test against the derivation.

package import LinearAlgebra
internal import Posix

/// Something that learns from minibatches by gradient descent.
package protocol Engine: AnyObject {
  /// The parameters and their running averages as they stand after the last step.
  var state: OptimizationState { get }

  /// The parameters alone.
  var parameters: Parameters<Float> { get }

  /// The number of threads that take a step together at present.
  var threads: Int { get }

  /// Asked before every step whether this process is to stop after it.
  var stopRequest: () -> Bool { get set }

  /// Learns from one minibatch after the other.
  ///
  /// - Parameters:
  ///   - first: The first step.
  ///   - next: Plans the step after the one that is being taken; nil ends the steps. The calling
  ///     thread asks once a step, when it would otherwise wait. The argument says whether training
  ///     is to stop after this step: here or, among ranks, on any of them.
  ///   - completed: Called after each step with its loss before the update, in nats per character.
  ///     If it throws, no other step is taken.
  func takeSteps<Failure: Error>(
    from first: PlannedStep, next: (_ isStopping: Bool) -> PlannedStep?,
    completed: (_ loss: Float) throws(Failure) -> Void
  ) throws(Failure)
}

/// What a step learns from, and how.
package struct PlannedStep: Sendable {
  let minibatch: Minibatch
  let settings: StepSettings

  package init(_ minibatch: Minibatch, _ settings: StepSettings) {
    (self.minibatch, self.settings) = (minibatch, settings)
  }
}

/// What changes from step to step, besides the minibatch.
package struct StepSettings: Equatable, Sendable {
  /// How the parameters are changed; nil to compute the gradients and leave the parameters alone.
  package var update: ParameterUpdate?
  /// Which hidden units are dropped; nil for none.
  package var dropout: RandomMask?

  package init(_ update: ParameterUpdate?, dropout: RandomMask? = nil) {
    self.update = update
    self.dropout = dropout
  }
}

/// The parameters and their running averages: what a step changes.
package struct OptimizationState: Equatable, Sendable {
  package var parameters: Parameters<Float>
  /// What the optimizer remembers; nil if it remembers nothing.
  package var moments: Moments<Float>?
  /// The running average of the parameters; nil if none is kept.
  package var average: Parameters<Float>?

  package init(
    _ parameters: Parameters<Float>, moments: Moments<Float>? = nil,
    average: Parameters<Float>? = nil
  ) {
    (self.parameters, self.moments, self.average) = (parameters, moments, average)
  }

  /// What training starts from: moments of zero if the optimizer has any, and the parameters
  /// themselves as the average if one is kept.
  package init(
    start parameters: Parameters<Float>, _ optimizer: Optimizer, keepsAverage: Bool = false
  ) {
    self.init(
      parameters, moments: optimizer.hasMoments ? Moments(zeros: parameters.shape) : nil,
      average: keepsAverage ? parameters : nil)
  }
}

extension Engine {
  /// The parameters as they stand after the last step.
  package var parameters: Parameters<Float> { state.parameters }

  /// Learns from one minibatch, and returns its loss before the update.
  package func step(_ minibatch: Minibatch, _ settings: StepSettings) -> Float {
    var result = Float.nan
    takeSteps(
      from: PlannedStep(minibatch, settings), next: { _ in nil }, completed: { result = $0 })
    return result
  }

  /// A step of plain gradient descent.
  package func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    step(minibatch, StepSettings(.descent(learningRate)))
  }
}

// MARK: The derivation

/// Gradient descent by the step-by-step derivation, with every intermediate, on either matrix
/// product: slow, and the reference for the fast engine.
package final class DerivationEngine: Engine {
  package private(set) var state: OptimizationState
  package let threads = 1
  package var stopRequest: () -> Bool = { false }
  private let matmul: MatrixProduct

  package init(_ start: OptimizationState, matmul: MatrixProduct = .blas) {
    state = start
    self.matmul = matmul
  }

  package func takeSteps<Failure: Error>(
    from first: PlannedStep, next: (_ isStopping: Bool) -> PlannedStep?,
    completed: (_ loss: Float) throws(Failure) -> Void
  ) throws(Failure) {
    var planned: PlannedStep? = first
    while let step = planned {
      planned = next(stopRequest())
      try completed(take(step))
    }
  }

  private func take(_ step: PlannedStep) -> Float {
    let derivation = Derivation(
      state.parameters, step.minibatch, dropout: step.settings.dropout, matmul: matmul)
    if let update = step.settings.update {
      let gradients = derivation.gradients
      var next = state
      next.parameters.apply(update, gradients, &next.moments)
      next.average?.approach(next.parameters, share: update.averageShare)
      state = next
    }
    return derivation.loss[0, 0]
  }
}

// MARK: - The fast path

/// Gradient descent without an allocation in a step.
///
/// The same parameters and minibatches give the same bits, whatever the number of threads. Unless
/// the number is fixed, threads that appear to lack a core are suspended and retried later.
package final class FusedEngine: Engine {
  let shape: ModelShape
  let batchSize: Int
  private let averages: RunningAverages
  let fusedStep: FusedStep
  package var stopRequest: () -> Bool = { false }
  private let team: ThreadTeam
  /// Looks for contention, if the number of threads may change; see `ContentionWatch`.
  private var watch: ContentionWatch?
  private var stepsUnwatched = 0

  /// The bytes that this engine asked for, and those that it was given, for a test to compare with
  /// the estimate.
  package var memory: (asked: Int?, given: Int) {
    (fusedStep.arena.byteCount, fusedStep.arena.allocatedByteCount)
  }

  /// Allocates all memory for steps of `batchSize` windows, at least 2, and copies the parameters
  /// into it.
  ///
  /// - Parameters:
  ///   - capacity: The most windows of a minibatch that are computed here, if ranks share them out;
  ///     nil for all.
  ///   - threads: How many threads to use at most; there are never more than slices of the hidden
  ///     layer.
  ///   - firstLayer: The form of the first layer; nil for the faster one.
  ///   - communicator: The ranks that compute a minibatch together, each its part, and make the
  ///     same update; nil for this process alone.
  ///   - isFixed: Keeps the number of threads, whatever else the machine does: for benchmarks.
  ///   - keepsIntermediates: Gives dh, dhpreact and dhprebn memory of their own, so that a test can
  ///     read all three; otherwise each overwrites the last.
  package init(
    _ start: OptimizationState, batchSize: Int, capacity: Int? = nil, threads: Int = 1,
    firstLayer: FirstLayerForm? = nil, communicator: (any Communicator)? = nil,
    isFixed: Bool = false, keepsIntermediates: Bool = false
  ) {
    precondition(batchSize >= 2, "FusedEngine: the variance of one window is undefined")
    precondition(threads >= 1, "FusedEngine: \(threads) threads")
    let (shape, averages) = (start.parameters.shape, start.averages)
    let arena = Arena()
    var fusedStep: FusedStep?
    team = ThreadTeam(upTo: Self.threads(threads, shape)) { count, barrier in
      let step = FusedStep(
        arena, shape, batchSize: batchSize, capacity: capacity ?? batchSize, threads: count,
        averages: averages,
        firstLayer: firstLayer ?? .fastest(shape, batchSize: batchSize),
        keepsIntermediates: keepsIntermediates, communicator: communicator, barrier: barrier)
      step.assign(start)
      fusedStep = step
      return { member in step.run(member) }
    }
    (self.shape, self.batchSize, self.averages) = (shape, batchSize, averages)
    self.fusedStep = fusedStep!
    watch = isFixed ? nil : ContentionWatch(.init(longWaits: 0))
  }

  /// The bytes that an engine for these sizes allocates, or nil if their number exceeds an Int.
  ///
  /// The layers themselves are laid out on an arena that only measures.
  package static func byteCount(
    _ shape: ModelShape, batchSize: Int, threads: Int = 1, hasMoments: Bool = false,
    hasAverage: Bool = false
  ) -> Int? {
    let arena = Arena(.measurement)
    var averages: RunningAverages = hasMoments ? .moments : []
    if hasAverage { averages.insert(.weights) }
    _ = FusedStep(
      arena, shape, batchSize: batchSize, capacity: batchSize,
      threads: Self.threads(threads, shape),
      averages: averages, firstLayer: .fastest(shape, batchSize: batchSize),
      keepsIntermediates: false, communicator: nil, barrier: Barrier(parties: 1))
    return arena.byteCount
  }

  /// No more threads than slices.
  private static func threads(_ limit: Int, _ shape: ModelShape) -> Int {
    min(limit, HiddenSlice.count(hidden: shape.hidden))
  }

  package var threads: Int { team.activeCount }

  package func takeSteps<Failure: Error>(
    from first: PlannedStep, next: (_ isStopping: Bool) -> PlannedStep?,
    completed: (_ loss: Float) throws(Failure) -> Void
  ) throws(Failure) {
    plan(first)
    var (hasNext, taken) = (true, 0)
    defer { if taken > 1 { team.unpin() } }
    while hasNext {
      // Pinning is not worth it for a single step.
      if taken == 1 { team.pinToCore() }
      taken += 1
      if !fusedStep.continuesByItself { team.startOthers() }
      // Reading the clock costs a hundredth of a small step, so only every 16th is watched. The
      // number of threads may change after it, so the others do not go on by themselves.
      stepsUnwatched += 1
      let isWatched = stepsUnwatched == 16
      let loss = fusedStep.take(asksToStop: stopRequest(), mayContinue: !isWatched) { isStopping in
        let step = next(isStopping)
        if let step { plan(step) }
        hasNext = step != nil
        return hasNext
      }
      do throws(Failure) {
        try completed(loss)
      } catch {
        fusedStep.abandon()
        throw error
      }
      if isWatched { watchContention() }
    }
  }

  private func plan(_ step: PlannedStep) {
    requireRoom(for: step.settings.update)
    fusedStep.plan(step)
  }

  private func requireRoom(for update: ParameterUpdate?) {
    precondition(
      update?.adam == nil || averages.contains(.moments),
      "FusedEngine: Adam without room for its moments")
  }

  private func watchContention() {
    stepsUnwatched = 0
    guard team.count > 1, watch != nil, let threads = team.adviseActiveCount(&watch!) else {
      return
    }
    use(threads)
  }

  /// Divides the next steps among `threads` threads.
  package func use(_ threads: Int) {
    guard threads != team.activeCount else { return }
    team.setActiveCount(threads)
    // With cores left over, the system finds the calling thread the best one.
    if threads < team.count { team.unpin() } else { team.pinToCore() }
    fusedStep.shareOut(among: threads)
  }

  /// Computes the loss and leaves every parameter's gradient in memory.
  package func differentiate(_ minibatch: Minibatch, dropout: RandomMask? = nil) -> Float {
    step(minibatch, StepSettings(nil, dropout: dropout))
  }

  /// Rows of a step in the order of the minibatch, which the first layer may have changed.
  package func inOrder(_ rows: Matrix<Float>) -> Matrix<Float> {
    let positions = fusedStep.positions
    var places = [Int](repeating: 0, count: rows.rows)
    for row in 0..<rows.rows { places[positions[row]] = row }
    return rows.gatheringRows(places)
  }

  /// Where the time of some steps goes on the calling thread, in seconds; `waiting` is the time it
  /// waits for the other threads, and plans the next step meanwhile.
  package func timing(_ steps: () -> Void) -> [StepPart: Double] {
    let clock = StepClock()
    fusedStep.clock = clock
    defer { fusedStep.clock = nil }
    steps()
    return StepPart.allCases.reduce(into: [:]) { $0[$1] = clock[$1] }
  }

  package var state: OptimizationState { fusedStep.state(shape, averages) }

  package var parameters: Parameters<Float> { fusedStep.parameters(shape) }

  /// The gradients that the last call of `differentiate` left.
  package var gradients: Gradients<Float> { fusedStep.gradients(shape) }

  /// Moves the parameters by those gradients, with the same bits as in one step.
  package func apply(_ update: ParameterUpdate) {
    requireRoom(for: update)
    // A thread may still be at the end of its step.
    team.barrier.awaitOthers()
    fusedStep.apply(update)
  }

  /// Takes over other parameters; running averages stay as they are.
  package func assign(_ parameters: Parameters<Float>) {
    precondition(
      parameters.shape == shape, "FusedEngine: parameters of \(parameters.shape) for \(shape)")
    team.barrier.awaitOthers()
    fusedStep.assign(parameters)
  }
}

// MARK: - Where the time of a step goes
//
// For benchmarks; training runs without a clock, and pays a comparison for each mark.

/// A part of a step.
package enum StepPart: Int, CaseIterable, Sendable {
  case hprebn, logits, dh, dW2, dembcat, dW1
  case normalization, softmax, elementwiseBackward, embedding, update, waiting

  /// What it computes.
  package var name: String {
    switch self {
    case .hprebn: "embcat @ W1"
    case .logits: "h @ W2"
    case .dh: "dlogits @ W2.T"
    case .dW2: "h.T @ dlogits"
    case .dembcat: "dhprebn @ W1.T"
    case .dW1: "embcat.T @ dhprebn"
    case .normalization: "batch norm + tanh"
    case .softmax: "softmax, loss, dlogits"
    case .elementwiseBackward: "tanh + batch norm backward"
    case .embedding: "embedding: gather, scatter"
    case .update: "update"
    case .waiting: "waiting"
    }
  }
}

/// The seconds that one thread of an engine spent in each part of its steps.
final class StepClock {
  private var nanoseconds = [Int](repeating: 0, count: StepPart.allCases.count)
  private var last = monotonicNanoseconds()

  /// Adds the time since the last mark to a part.
  func mark(_ part: StepPart) {
    let now = monotonicNanoseconds()
    nanoseconds[part.rawValue] += now - last
    last = now
  }

  /// The seconds of a part.
  subscript(part: StepPart) -> Double { Double(nanoseconds[part.rawValue]) / 1e9 }
}
