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
  let stages: FusedStep
  private let team: ThreadTeam

  /// Allocates all memory for steps of `batchSize` windows, and copies the parameters into it.
  ///
  /// - Parameters:
  ///   - threads: How many threads to use at most; no more than slices of the hidden layer are used.
  ///   - firstLayer: The form of the first layer; nil for the faster one.
  ///   - keepsIntermediates: Gives dh, dhpreact and dhprebn memory of their own, so that a test can
  ///     read all three; otherwise each takes the place of the one before.
  package init(
    _ parameters: Parameters<Float>, batchSize: Int, threads: Int = 1,
    firstLayer: FirstLayerForm? = nil, keepsIntermediates: Bool
  ) {
    precondition(batchSize >= 2, "FusedEngine: the variance of one window is undefined")
    precondition(threads >= 1, "FusedEngine: \(threads) threads")
    shape = parameters.shape
    self.batchSize = batchSize
    var stages: FusedStep?
    let slices = HiddenSlice.count(hidden: parameters.shape.hidden)
    team = ThreadTeam(upTo: min(threads, slices)) { count in
      let step = FusedStep(
        parameters, batchSize: batchSize, threads: count,
        firstLayer: firstLayer ?? .fastest(parameters.shape, batchSize: batchSize),
        keepsIntermediates: keepsIntermediates)
      stages = step
      return { member in step.run(member) {} }
    }
    self.stages = stages!
  }

  /// Allocates all memory for steps of `batchSize` windows, at least 2, and copies the parameters.
  ///
  /// - Parameter threads: How many threads to use at most; no more than slices of the hidden layer
  ///   are used.
  public convenience init(_ parameters: Parameters<Float>, batchSize: Int, threads: Int = 1) {
    self.init(parameters, batchSize: batchSize, threads: threads, keepsIntermediates: false)
  }

  /// The number of threads that take a step together.
  public var threads: Int { team.count }

  public func step(
    _ minibatch: Minibatch, learningRate: Float, meanwhile: () -> Void
  ) -> Float {
    stages.learningRate = learningRate
    return take(minibatch, meanwhile: meanwhile)
  }

  /// Computes the loss and leaves every parameter's gradient in memory.
  package func differentiate(_ minibatch: Minibatch) -> Float {
    stages.learningRate = nil
    return take(minibatch) {}
  }

  private func take(_ minibatch: Minibatch, meanwhile: () -> Void) -> Float {
    stages.input.assign(minibatch)
    team.callOthers()
    stages.run(0, meanwhile: meanwhile)
    return stages.finish()
  }

  /// Where the time of some steps goes on the calling thread, in seconds; `waiting` is for the others.
  public func timing(_ steps: () -> Void) -> [StepPart: Double] {
    stages.startClock()
    steps()
    return stages.stopClock()
  }

  public var parameters: Parameters<Float> { read().parameters }

  /// The gradients that the last call of `differentiate` left.
  package var gradients: Gradients<Float> { read().gradients }

  /// Puts the layers' parts together again as matrices.
  private func read() -> (parameters: Parameters<Float>, gradients: Gradients<Float>) {
    var parameters = Parameters<Float>(zeros: shape)
    var gradients = Gradients<Float>(zeros: shape)
    stages.embedding.read(into: &parameters, &gradients)
    stages.output.read(into: &parameters, &gradients)
    for slice in stages.slices { slice.read(into: &parameters, &gradients) }
    return (parameters, gradients)
  }
}
