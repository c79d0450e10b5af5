// What a trainer needs of the network: parameters, and a step that improves them.

package import LinearAlgebra

/// Something that learns from minibatches by gradient descent.
package protocol Engine: AnyObject {
  /// The parameters and their running averages as they stand after the last step.
  var state: OptimizationState { get }

  /// The parameters alone.
  var parameters: Parameters<Float> { get }

  /// The number of threads that take a step together at present.
  var threads: Int { get }

  /// Takes many steps, with the cores for them: `body` calls `step`.
  func steps<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure)

  /// Learns from one minibatch, and returns its loss before the update, in nats per character.
  ///
  /// - Parameter meanwhile: Work that does not depend on the step, such as drawing the next minibatch; it is
  ///   done once, by the calling thread, where that has least to do. It is told whether training stops after
  ///   this step: because the settings ask for it, here or, among ranks, on any of them.
  func step(
    _ minibatch: Minibatch, _ settings: StepSettings, meanwhile: (_ isStopping: Bool) -> Void
  ) -> Float
}

/// What changes from step to step, besides the minibatch.
package struct StepSettings: Equatable, Sendable {
  /// How the parameters are changed; nil to compute the gradients and leave the parameters alone.
  package var update: ParameterUpdate?
  /// Which hidden units are dropped; nil for none.
  package var dropout: RandomMask?
  /// Whether this process asks for training to stop after the step.
  package var asksToStop: Bool

  package init(
    _ update: ParameterUpdate?, dropout: RandomMask? = nil, asksToStop: Bool = false
  ) {
    self.update = update
    self.dropout = dropout
    self.asksToStop = asksToStop
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
}

extension Engine {
  package func steps<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
    try body()
  }

  /// The parameters as they stand after the last step.
  package var parameters: Parameters<Float> { state.parameters }

  /// What the optimizer remembers after the last step; nil if it remembers nothing.
  package var moments: Moments<Float>? { state.moments }

  /// A step of plain gradient descent.
  package func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    step(minibatch, StepSettings(.descent(learningRate))) { _ in }
  }
}

/// Gradient descent by the step-by-step derivation, with every intermediate, on either matrix product: slow,
/// and the reference for the fast engine.
package final class DerivationEngine: Engine {
  package private(set) var state: OptimizationState
  package let threads = 1
  private let matmul: MatrixProduct

  /// - Parameters:
  ///   - moments: What the optimizer remembers; nil if it remembers nothing.
  ///   - average: The running average of the parameters; nil if none is kept.
  package init(
    _ parameters: Parameters<Float>, moments: Moments<Float>? = nil,
    average: Parameters<Float>? = nil, matmul: MatrixProduct = .blas
  ) {
    state = OptimizationState(parameters, moments: moments, average: average)
    self.matmul = matmul
  }

  package func step(
    _ minibatch: Minibatch, _ settings: StepSettings, meanwhile: (_ isStopping: Bool) -> Void
  ) -> Float {
    meanwhile(settings.asksToStop)
    let derivation = Derivation(
      state.parameters, minibatch, dropout: settings.dropout, matmul: matmul)
    if let update = settings.update {
      let gradients = derivation.gradients
      var next = state
      next.parameters.apply(update, gradients, &next.moments)
      next.average?.approach(next.parameters, share: update.averageShare)
      state = next
    }
    return derivation.loss[0, 0]
  }
}
