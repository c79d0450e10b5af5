// What a training run is between two steps, and where it comes from, as plain values.
//
// Together with the recipe and the words they determine every later bit of the run. A checkpoint
// stores them; the format is the checkpoint's business.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The part of a training run that changes with every step.
package struct TrainingState: Equatable, Sendable {
  /// The number of steps taken.
  package var step: Int
  /// The loss of the last minibatch, in nats per character; NaN before the first.
  package var minibatchLoss: Float
  /// The running mean of the minibatch losses; NaN before the first.
  package var smoothedLoss: Double
  /// Sums of the minibatch losses since the last evaluation, one for each stretch of
  /// `recipe.lossStretch` steps.
  package var lossSums: [Double]
  /// The parameters and their running averages after `step` steps.
  package var optimization: OptimizationState
  /// The best evaluation so far; nil before the first.
  package var best: BestEvaluation?
  /// The state of the generator of minibatches after `step` of them.
  package var generator: TorchGenerator.State
}

// MARK: Best evaluation

/// The evaluation with the smallest validation loss so far.
public struct BestEvaluation: Equatable, Sendable {
  /// The steps taken.
  public var step: Int
  /// The mean cross-entropy over the validation words, in nats per character.
  public var validationLoss: Double

  /// An evaluation after `step` steps.
  public init(step: Int, validationLoss: Double) {
    self.step = step
    self.validationLoss = validationLoss
  }
}

// MARK: Loss stretches

// Between two evaluations the minibatch losses are kept as at most fifty means over equal stretches
// of steps, for the loss curve. A step costs one addition. Where a stretch begins follows from the
// step and the recipe alone, and the sums are part of the state: a run that is stopped inside a
// stretch resumes it, and has the same means as an uninterrupted run.

extension Recipe {
  /// The number of steps that one mean covers.
  package var lossStretch: Int { (evaluationInterval + 49) / 50 }
}

/// Sums of minibatch losses, one for each stretch that has begun since the last evaluation.
struct LossStretches {
  private let interval: Int
  private let length: Int
  /// A step that was evaluated, whatever the interval, because the run ended there; 0 for none.
  private let end: Int
  private(set) var sums: [Double] = []

  /// The stretches of a new run.
  ///
  /// - Parameter end: The step at which the run ended before it was given another end; 0 for none.
  init(_ recipe: Recipe, after end: Int = 0) {
    self.end = end
    interval = recipe.evaluationInterval
    length = recipe.lossStretch
    // A step must not allocate.
    sums.reserveCapacity(50)
  }

  /// The stretches of a run at a step; if there are not as many sums as that step needs, they are
  /// NaN.
  init(_ recipe: Recipe, after end: Int = 0, resuming sums: [Double], at step: Int) {
    self.init(recipe, after: end)
    let count = count(at: step)
    self.sums += sums.count == count ? sums : Array(repeating: .nan, count: count)
  }

  /// How many stretches have begun by a step.
  func count(at step: Int) -> Int { (taken(at: step) + length - 1) / length }

  /// Adds the loss of the step that was just taken.
  mutating func add(_ loss: Double, at step: Int) {
    let place = taken(at: step) - 1
    if place == 0 { sums.removeAll(keepingCapacity: true) }
    if place.isMultiple(of: length) { sums.append(0) }
    sums[sums.count - 1] += loss
  }

  /// The means of the stretches; the last may be shorter than the others.
  func means(at step: Int) -> [Float] {
    sums.enumerated().map { index, sum in
      Float(sum / Double(min(length, taken(at: step) - index * length)))
    }
  }

  /// The steps taken since the last evaluation before this step.
  private func taken(at step: Int) -> Int {
    step <= end ? 0 : step - max((step - 1) / interval * interval, end)
  }
}

// MARK: - Lineage
//
// The part of a run's history that its recipe and words do not determine: the network that it
// started from, and the lengths that it was to have before the present one.
//
// Both decide later bits, so a model file keeps them. It has no names or times of other runs: two
// runs that learned the same have equal files.

/// The part of a run's history that its last recipe does not determine.
public struct Lineage: Equatable, Sendable {
  /// The network that the run started from; nil if its parameters were drawn.
  public var origin: Origin?
  /// The lengths that the run was to have before the present one, in their order.
  public var formerSchedules: [FormerSchedule] = []
  /// Whether the network was trained by another program: there is no training to resume.
  public var isImported = false

  /// A run that began with drawn parameters and has the length that it began with.
  public init() {}

  /// The length that a run was to have until it was given another.
  public struct FormerSchedule: Equatable, Sendable {
    /// The steps taken when it was given another length.
    public let step: Int
    /// The length of the run until then, in steps.
    public let steps: Int

    /// A run of `steps`, which was given another length at `step`.
    public init(step: Int, steps: Int) { (self.step, self.steps) = (step, steps) }
  }

  /// The step at which the length last changed: only later evaluations count for patience and for
  /// the target loss. Nil if it never did.
  var lastChangeStep: Int? { formerSchedules.last?.step }

  /// The last step that was evaluated because the run ended there.
  var lastCompletedStep: Int { formerSchedules.last { $0.step == $0.steps }?.step ?? 0 }
}

/// What is kept of a network that a run started from.
public struct Origin: Equatable, Sendable {
  /// The checksum of the file that it was read from: its metadata's `crc32`.
  public let fingerprint: String
  /// The steps that had trained it.
  public let step: Int
  /// The length of the run that trained it, in steps.
  public let steps: Int

  /// A network from the file with this checksum.
  public init(fingerprint: String, step: Int, steps: Int) {
    (self.fingerprint, self.step, self.steps) = (fingerprint, step, steps)
  }
}

// MARK: - Starting from a trained network

/// A trained network that a run on another list starts from.
public struct StartingNetwork: Equatable, Sendable {
  /// The network that predicts.
  public let model: Model
  /// What the file of the new run records about it.
  public let origin: Origin

  /// A network and where it comes from.
  public init(_ model: Model, _ origin: Origin) { (self.model, self.origin) = (model, origin) }

  /// The network's parameters in the order of another vocabulary.
  ///
  /// Symbols are matched by character. Where the network has none, the row of C, the column of W2
  /// and the entry of b2 are those of `drawn`.
  ///
  /// - Precondition: `drawn` has the network's sizes and the vocabulary's.
  func parameters(
    for vocabulary: Vocabulary, drawn: Parameters<Float>
  ) -> Parameters<Float> {
    let shape = model.shape
    precondition(
      drawn.shape
        == ModelShape(
          vocabulary: vocabulary.count, blockSize: shape.blockSize, embedding: shape.embedding,
          hidden: shape.hidden),
      "StartingNetwork: \(drawn.shape) for a network of \(shape)")
    let ids = [Vocabulary.terminator] + vocabulary.symbols.map(model.vocabulary.id)
    let old = model.parameters
    var result = old
    result.C = Matrix(
      rows: ids.count, columns: shape.embedding,
      elements: ids.enumerated().flatMap { row, id in
        let (source, row) = id.map { (old.C, Int($0)) } ?? (drawn.C, row)
        return (0..<shape.embedding).map { source[row, $0] }
      })
    func columns(_ path: KeyPath<Parameters<Float>, Matrix<Float>>) -> Matrix<Float> {
      Matrix(
        rows: old[keyPath: path].rows, columns: ids.count,
        elements: (0..<old[keyPath: path].rows).flatMap { row in
          ids.enumerated().map { column, id in
            id.map { old[keyPath: path][row, Int($0)] } ?? drawn[keyPath: path][row, column]
          }
        })
    }
    result.W2 = columns(\.W2)
    result.b2 = columns(\.b2)
    return result
  }

  /// The symbols of a vocabulary that the network does not know, ascending.
  public func newSymbols(of vocabulary: Vocabulary) -> [Unicode.Scalar] {
    vocabulary.symbols.filter { model.vocabulary.id(of: $0) == nil }
  }
}
