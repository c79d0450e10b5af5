// One training step, as all threads of an engine take it together.
//
// Every thread goes through the same stages, doing its share of each: the slices that it owns, its
// blocks of rows. They synchronize where a stage needs what others computed in the last one. How
// work is divided changes no bit: slices and blocks are cut by the shape of the model and of the
// minibatch, and their sums are formed in order. Nothing is allocated in a step.
//
// Every share has a replica of the embedding. All of them add up the same parts of dC and make the
// same update, so the replicas stay equal to the last bit, and no thread has to wait until another
// has updated the one copy.
//
// Nor does a step begin with a barrier: the calling thread plans the next step before the last
// barrier of this one, and every thread goes on to it by itself.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The layers of a network, and a step through them for several threads.
///
/// Between two barriers no thread reads what another writes.
final class FusedStep: @unchecked Sendable {
  let output: OutputLayer
  let slices: [HiddenSlice]

  /// The step that is being taken and the next one, in turns: between two barriers the calling
  /// thread writes one, and all threads read the other.
  private let minibatches: (MinibatchMemory, MinibatchMemory)
  private var settings0 = StepSettings(nil)
  private var settings1 = StepSettings(nil)
  /// Which of the two was planned last.
  private var planned = 0
  /// Whether every thread goes on to the planned step by itself, once it has taken its part of the
  /// last one.
  private(set) var continuesByItself = false
  /// Whether the step that threads have gone on to is not to be taken.
  private var isAbandoned = false

  /// Measures the calling thread's parts of the steps, if there is one.
  var clock: StepClock?

  let arena: Arena
  private let shares: [Share]
  /// The shares of each active thread: its own, and those of threads that rest.
  private var sharesOfThread: [[Share]]
  /// Whether every share has a cross-entropy of its own; see `CrossEntropy.isReplicated`.
  private let isReplicated: Bool
  private let barrier: Barrier

  /// What passes between this process and others that train with it, if there are any.
  private let rankSums: RankSums?
  private let forwardParts: [Part<ForwardStage>]
  private let backwardParts: [Part<BackwardStage>]
  private var loss: Float = 0
  /// Whether this process asks for training to stop after the step.
  private var asksToStop = false

  /// Some stages of a pass, and the sum over ranks that the next ones need.
  private typealias Part<Stage: Comparable> = (stages: ClosedRange<Stage>, sum: RankSum?)

  /// One thread's part of the work: its slices, its blocks of rows, its replica of the embedding. A
  /// thread may take over the shares of threads that rest.
  final class Share {
    let input: StepInput
    let embedding: EmbeddingLayer
    let contextVectors: ContextVectors?
    let slices: [HiddenSlice]
    let crossEntropy: CrossEntropy
    let blocks: Range<Int>
    fileprivate(set) var logits: [PaddedMatrix] = []  // of all slices, (capacity, vocabulary) each
    fileprivate(set) var dC: [PaddedMatrix] = []  // of all slices, (vocabulary, embedding) each

    fileprivate init(
      _ input: StepInput, _ embedding: EmbeddingLayer, _ contextVectors: ContextVectors?,
      _ slices: [HiddenSlice],
      _ crossEntropy: CrossEntropy, blocks: Range<Int>
    ) {
      self.input = input
      self.embedding = embedding
      self.contextVectors = contextVectors
      self.slices = slices
      self.crossEntropy = crossEntropy
      self.blocks = blocks
    }
  }

  /// Takes memory for a network from an arena, which may only measure it.
  ///
  /// - Parameters:
  ///   - capacity: The most windows of a minibatch that are computed here.
  ///   - threads: The number of shares into which slices and blocks are cut.
  init(
    _ arena: Arena, _ shape: ModelShape, batchSize: Int, capacity: Int, threads: Int,
    averages: RunningAverages, firstLayer form: FirstLayerForm, keepsIntermediates: Bool,
    communicator: (any Communicator)?, barrier: Barrier
  ) {
    func minibatch() -> MinibatchMemory {
      MinibatchMemory(
        arena, shape, batchSize: batchSize, capacity: capacity, isSorted: form == .perDistinctInput)
    }
    let minibatches = (minibatch(), minibatch())
    let output = OutputLayer(arena, shape, averages)
    let isReplicated = CrossEntropy.isReplicated(shape, capacity: capacity)
    let units = HiddenSlice.units(hidden: shape.hidden)
    var common: CrossEntropy?
    let shares = (0..<threads).map { index in
      func part(of count: Int) -> Range<Int> { .part(index, of: threads, from: count) }
      let input = StepInput(arena, minibatches)
      let embedding = EmbeddingLayer(arena, shape, averages)
      let contextVectors = form == .perExample ? ContextVectors(arena, embedding, input) : nil
      let slices = units[part(of: units.count)].map { units in
        HiddenSlice(
          arena, shape, units: units, input, averages: averages,
          keepsIntermediates: keepsIntermediates
        ) { weights in
          if let contextVectors {
            PerExampleLayer(arena, weights, contextVectors, input, shape)
          } else {
            PerDistinctInputLayer(arena, weights, embedding, input)
          }
        }
      }
      let crossEntropy = common ?? CrossEntropy(arena, output, input, isReporting: index == 0)
      if !isReplicated { common = crossEntropy }
      let blocks = crossEntropy.blockCount
      return Share(
        input, embedding, contextVectors, slices, crossEntropy,
        blocks: isReplicated ? 0..<blocks : part(of: blocks))
    }
    let slices = shares.flatMap(\.slices)
    for share in shares {
      share.logits = slices.map(\.activations.logits)
      share.dC = slices.map(\.firstLayer.dC)
    }
    let rankSums = communicator.map {
      RankSums(arena, $0, slices: slices, dC: shares[0].embedding.dC, db2: output.db2)
    }
    (forwardParts, backwardParts) = Self.parts(rankSums)
    (self.arena, self.shares, self.slices) = (arena, shares, slices)
    (self.minibatches, self.output) = (minibatches, output)
    (self.isReplicated, self.barrier, self.rankSums) = (isReplicated, barrier, rankSums)
    sharesOfThread = shares.map { [$0] }
  }

  /// Both passes: each as a whole, or cut where other ranks have something to add.
  private static func parts(
    _ rankSums: RankSums?
  ) -> (forward: [Part<ForwardStage>], backward: [Part<BackwardStage>]) {
    guard let rankSums else {
      return ([(.sums ... .activation, nil)], [(.activation ... .update, nil)])
    }
    return (
      [
        (.sums ... .sums, rankSums.rows), (.squares ... .squares, rankSums.squares),
        (.activation ... .activation, nil),
      ],
      [
        (.activation ... .activation, rankSums.normalization),
        (.normalization ... .normalization, nil),
      ]
    )
  }

  /// Divides the work among the first `threads` threads; called between two steps.
  func shareOut(among threads: Int) {
    sharesOfThread = (0..<threads).map { thread in
      stride(from: thread, to: shares.count, by: threads).map { shares[$0] }
    }
  }

  /// The gradient of the logits.  (rows, vocabulary)
  var dlogits: PaddedMatrix { shares[0].crossEntropy.dlogits }

  /// The place of each row in the minibatch.  (rows)
  var positions: IndexVector { shares[0].input.positions }
}

// MARK: From step to step
//
// The calling thread plans a step; the others begin with it when they are called, or by themselves
// if it was planned while the last one was being taken.

extension FusedStep {
  /// Plans the next step: before the first one, or while one is being taken.
  func plan(_ step: PlannedStep) {
    planned = 1 - planned
    if planned == 0 {
      minibatches.0.assign(step.minibatch)
      settings0 = step.settings
    } else {
      minibatches.1.assign(step.minibatch)
      settings1 = step.settings
    }
  }

  /// Takes another thread's part of the planned step, and of those that follow by themselves.
  func run(_ index: Int) {
    while take(index, meanwhile: { _ in }), continuesByItself {}
  }

  /// Takes the calling thread's part of the planned step, and returns the loss.
  ///
  /// - Parameters:
  ///   - asksToStop: Whether this process asks for training to stop after the step.
  ///   - mayContinue: Whether other threads may begin with the next step before they are called.
  ///   - next: Plans the next step if there is one; returns whether there is. The calling thread
  ///     asks after its own part of the work, before it waits.
  func take(
    asksToStop: Bool, mayContinue: Bool, next: (_ isStopping: Bool) -> Bool
  ) -> Float {
    self.asksToStop = asksToStop
    let isTaken = take(0) { isStopping in
      let hasNext = next(isStopping)
      // Ranks know only after the last barrier whether they stop.
      if rankSums == nil { continuesByItself = hasNext && mayContinue }
    }
    assert(isTaken)
    return loss
  }

  /// Calls threads back that have gone on to a step which is not to be taken.
  func abandon() {
    guard continuesByItself else { return }
    isAbandoned = true
    synchronize(0, nil)
    barrier.awaitOthers()
    (continuesByItself, isAbandoned) = (false, false)
  }
}

// MARK: The step

extension FusedStep {
  /// Takes one thread's part of the planned step; every thread calls it, each with its own number.
  /// Returns whether the step was taken: it may be abandoned before anything changes.
  ///
  /// - Parameters:
  ///   - index: The thread's number; the calling thread's is 0.
  ///   - meanwhile: What the thread does after its own part of the work, before it waits.
  private func take(_ index: Int, meanwhile: (_ isStopping: Bool) -> Void) -> Bool {
    // Read before the first barrier: after it the calling thread may plan the next step.
    let (planned, shares) = (planned, sharesOfThread[index])
    let settings = planned == 0 ? settings0 : settings1
    let clock = index == 0 ? clock : nil
    for share in shares {
      share.input.select(planned)
      share.contextVectors?.gather()
    }
    clock?.mark(.embedding)
    for (stages, sum) in forwardParts {
      for share in shares {
        for slice in share.slices { slice.forward(stages, settings.dropout, clock) }
      }
      if let sum { allReduce(sum, index, clock) }
    }
    synchronize(index, clock)
    // Read only here: a thread that learned of it earlier would never come to this barrier.
    if isAbandoned { return false }

    for share in shares {
      for block in share.blocks { share.crossEntropy.differentiate(share.logits, block: block) }
    }
    clock?.mark(.softmax)
    if !isReplicated { synchronize(index, clock) }

    for (stages, sum) in backwardParts {
      for share in shares {
        let dlogits = share.crossEntropy.dlogits
        for slice in share.slices {
          slice.backward(stages, dlogits: dlogits, settings, clock)
        }
      }
      if let sum { allReduce(sum, index, clock) }
    }
    if rankSums == nil { meanwhile(asksToStop) }
    synchronize(index, clock)

    for share in shares { Reduction.sum(share.dC, into: share.embedding.dC) }
    if let rankSums { finishAmongRanks(index, shares, settings, rankSums, meanwhile, clock) }
    if let update = settings.update {
      for share in shares { share.embedding.memory.apply(update) }
    }
    clock?.mark(.embedding)
    if index == 0 { finish(settings) }
    return true
  }

  /// Adds up the gradients of all ranks, and updates the slices of some shares.
  private func finishAmongRanks(
    _ index: Int, _ shares: [Share], _ settings: StepSettings, _ rankSums: RankSums,
    _ meanwhile: (_ isStopping: Bool) -> Void, _ clock: StepClock?
  ) {
    if index == 0 { loss = self.shares[0].crossEntropy.finish(output.db2) }
    synchronize(index, clock)
    var isStopping = false
    if index == 0 {
      (loss, isStopping) = rankSums.allReduceGradients(loss: loss, asksToStop: asksToStop)
    }
    synchronize(index, clock)
    for share in shares where share !== self.shares[0] {
      Reduction.sum([self.shares[0].embedding.dC], into: share.embedding.dC)
    }
    if let update = settings.update {
      for share in shares { for slice in share.slices { slice.apply(update) } }
      clock?.mark(.update)
    }
    // Share 0's dC is read above, and the calling thread returns only when all parameters are
    // updated.
    synchronize(index, clock)
    meanwhile(isStopping)
  }

  /// Completes the calling thread's step: the loss, and the update of the output bias.
  private func finish(_ settings: StepSettings) {
    if rankSums == nil { loss = shares[0].crossEntropy.finish(output.db2) }
    if let update = settings.update { output.memory.apply(update) }
    clock?.mark(.softmax)
  }

  /// Sums over all ranks when every thread has done its part.
  ///
  /// Only the calling thread communicates with other ranks; the others wait for it. So a
  /// communicator need not be thread-safe.
  private func allReduce(_ sum: RankSum, _ index: Int, _ clock: StepClock?) {
    synchronize(index, clock)
    if index == 0 { sum.allReduce() }
    synchronize(index, clock)
  }

  private func synchronize(_ index: Int, _ clock: StepClock?) {
    barrier.wait(index)
    clock?.mark(.waiting)
  }
}

// MARK: Parameters in and out

extension FusedStep {
  /// The layers with parameters. Of the embedding's replicas it is the calling thread's, which is
  /// up to date when a step returns, while other threads may still be updating theirs.
  private var distinctLayers: [any ParameterLayer] {
    let embedding: [any ParameterLayer] = [shares[0].embedding]
    return embedding + slices + [output]
  }

  /// The same with all replicas of the embedding.
  private var layers: [any ParameterLayer] {
    let replicas: [any ParameterLayer] = shares.dropFirst().map(\.embedding)
    return replicas + distinctLayers
  }

  /// Takes over parameters and their running averages.
  func assign(_ start: OptimizationState) { for layer in layers { layer.assign(start) } }

  /// Takes over parameters alone.
  func assign(_ parameters: Parameters<Float>) {
    for layer in layers { layer.assign(parameters) }
  }

  /// Moves all parameters by the gradients that a step without an update left.
  func apply(_ update: ParameterUpdate) { for layer in layers { layer.apply(update) } }

  /// The layers' parts, joined into whole matrices.
  func state(_ shape: ModelShape, _ averages: RunningAverages) -> OptimizationState {
    var state = OptimizationState(zeros: shape, averages)
    for layer in distinctLayers { layer.copyState(to: &state) }
    return state
  }

  /// The parameters alone.
  func parameters(_ shape: ModelShape) -> Parameters<Float> {
    var parameters = Parameters<Float>(zeros: shape)
    for layer in distinctLayers { layer.copyParameters(to: &parameters) }
    return parameters
  }

  /// The gradients, which a step leaves behind.
  func gradients(_ shape: ModelShape) -> Gradients<Float> {
    var gradients = Gradients<Float>(zeros: shape)
    for layer in distinctLayers { layer.copyGradients(to: &gradients) }
    return gradients
  }
}

// MARK: - Sums of slices and ranks
//
// Ranks sum four times in every step, one flat buffer each time:
// 1. Σ hprebn, a number for each hidden unit;
// 2. Σ (hprebn − bnmeani)², as many: 1 and 2 are the two passes of batch norm's variance;
// 3. dbngain and dbnbias, two for each unit: batch norm's backward pass needs them whole;
// 4. all other gradients, this rank's share of the loss, and whether it asks for training to stop.
//
// After the fourth every rank has the same gradients and makes the same update. Rows are sent with
// their padding, which is zero.

/// Adds up what slices of an engine contribute.
///
/// Parts are added in their order, always the same, so that the sum has the same bits however the
/// work was divided.
enum Reduction {
  /// The sum of some rows of all parts, into the same rows of another matrix.
  static func sum(_ parts: [PaddedMatrix], rows: Range<Int>, into total: PaddedMatrix) {
    let parts = parts.span
    let (first, second) = (parts[0], parts[min(1, parts.count - 1)])
    for row in rows {
      for v in 0..<total.vectors {
        let part = first[row, vector: v]
        total[row, vector: v] = parts.count == 1 ? part : part + second[row, vector: v]
      }
    }
    for index in 2..<max(parts.count, 2) { add(parts[index], rows, to: total) }
  }

  /// The sum of all parts.
  static func sum(_ parts: [PaddedMatrix], into total: PaddedMatrix) {
    sum(parts, rows: 0..<total.rows, into: total)
  }

  private static func add(_ part: PaddedMatrix, _ rows: Range<Int>, to total: PaddedMatrix) {
    for row in rows {
      for v in 0..<total.vectors { total[row, vector: v] += part[row, vector: v] }
    }
  }
}

/// The sums over ranks of an engine.
final class RankSums {
  let rows: RankSum
  let squares: RankSum
  let normalization: RankSum
  let gradients: RankSum

  private let scalars: PaddedMatrix  // (1, 2)

  init(
    _ arena: Arena, _ communicator: any Communicator, slices: [HiddenSlice], dC: PaddedMatrix,
    db2: PaddedMatrix
  ) {
    scalars = arena.block { $0.matrix(1, 2) }
    func sum(_ parts: [PaddedMatrix]) -> RankSum { RankSum(arena, parts, communicator) }
    rows = sum(slices.map(\.bnmeani))
    squares = sum(slices.map(\.bnvar_inv))
    normalization = sum(slices.flatMap { [$0.dbngain, $0.dbnbias] })
    gradients = sum(
      slices.flatMap { [$0.firstWeights.dW1, $0.dW2T] } + [dC, db2, scalars])
  }

  /// The fourth sum.
  ///
  /// - Parameters:
  ///   - loss: This rank's share of the loss.
  ///   - asksToStop: Whether this rank asks for training to stop.
  /// - Returns: The loss, and whether any rank asks for training to stop.
  func allReduceGradients(loss: Float, asksToStop: Bool) -> (loss: Float, isStopping: Bool) {
    scalars[0, 0] = loss
    scalars[0, 1] = asksToStop ? 1 : 0
    gradients.allReduce()
    return (scalars[0, 0], scalars[0, 1] > 0)
  }
}

/// Matrices that are summed over all ranks together.
final class RankSum {
  private let parts: [PaddedMatrix]
  private let communicator: any Communicator
  private let buffer: PaddedMatrix  // (1, all elements of the parts)

  init(_ arena: Arena, _ parts: [PaddedMatrix], _ communicator: any Communicator) {
    buffer = arena.block { $0.matrix(1, parts.reduce(0) { $0 + $1.rows * $1.stride }) }
    self.parts = parts
    self.communicator = communicator
  }

  /// Replaces every matrix by its sum over all ranks.
  func allReduce() {
    var position = 0
    for part in parts {
      for row in 0..<part.rows {
        for v in 0..<part.vectors {
          buffer[0, vector: position] = part[row, vector: v]
          position += 1
        }
      }
    }
    buffer.withMutableSpan { communicator.sum(&$0) }
    position = 0
    for part in parts {
      for row in 0..<part.rows {
        for v in 0..<part.vectors {
          part[row, vector: v] = buffer[0, vector: position]
          position += 1
        }
      }
    }
  }
}
