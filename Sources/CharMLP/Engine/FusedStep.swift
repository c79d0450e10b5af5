// One training step, as all threads of an engine take it together.
//
// Every thread walks through the same four stages, doing its part of each: the slices that it owns, its
// blocks of rows. They meet where a stage needs what others did in the one before. What is shared out,
// and how, changes no bit: slices and blocks are cut by the shape of the model and of the minibatch, and
// their sums are formed in order.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The layers of a network, and a step through them for several threads.
///
/// Between two meetings no thread reads what another writes.
final class FusedStep: @unchecked Sendable {
  let input: StepInput
  let output: OutputLayer

  /// What the next step drops, and how it updates; without an update, gradients are computed and the
  /// parameters left alone.
  var plan = Plan()

  /// What a step does besides computing gradients.
  struct Plan {
    var update: ParameterUpdate?
    var dropout: RandomMask?
  }

  /// What passes between this process and others that train with it, if there are any.
  private(set) var ranks: RankSums?

  private let members: [Member]
  private let barrier: Barrier

  /// One thread: its layers, its blocks of rows, and what it adds up.
  final class Member {
    let layers: FusedLayers
    let blocks: Range<Int>
    var logits: [PaddedMatrix] = []  // of all slices, (capacity, vocabulary) each
    var dC: [PaddedMatrix] = []  // of all slices, (vocabulary, embedding) each
    var clock: StepClock?

    init(_ layers: FusedLayers, blocks: Range<Int>) {
      self.layers = layers
      self.blocks = blocks
    }
  }

  init(
    _ start: EngineStart, batchSize: Int, capacity: Int, threads: Int, firstLayer: FirstLayerForm,
    keepsIntermediates: Bool, communicator: (any Communicator)?
  ) {
    let shape = start.parameters.shape
    let input = StepInput(shape, batchSize: batchSize, capacity: capacity)
    let output = OutputLayer(start, input)
    let units = HiddenSlice.units(hidden: shape.hidden)
    (self.input, self.output, barrier) = (input, output, Barrier(parties: threads))
    members = (0..<threads).map { index in
      func part(of count: Int) -> Range<Int> {
        index * count / threads..<(index + 1) * count / threads
      }
      let layers = FusedLayers(
        start, units: Array(units[part(of: units.count)]), input, firstLayer: firstLayer,
        keepsIntermediates: keepsIntermediates)
      return Member(layers, blocks: part(of: output.blockCount))
    }
    for member in members {
      member.logits = slices.map(\.activations.logits)
      member.dC = slices.map(\.firstLayer.dC)
    }
    if let communicator { ranks = RankSums(self, communicator) }
  }

  /// All slices, in their order.
  var slices: [HiddenSlice] { members.flatMap(\.layers.slices) }

  /// The embedding; every thread's is the same.
  var embedding: EmbeddingLayer { members[0].layers.embedding }

  /// Takes one thread's part of a step on `input`; every thread calls it, each with its own number.
  ///
  /// - Parameters:
  ///   - index: The thread's number; the calling thread's is 0.
  ///   - meanwhile: What the thread does after its own part of the work, before it waits.
  func run(_ index: Int, meanwhile: () -> Void) {
    let member = members[index]
    let (layers, clock) = (member.layers, member.clock)
    // Read once, before the first meeting: after the last one the calling thread may already set the
    // next step's.
    let plan = plan
    layers.contextVectors?.gather()
    clock?.mark(.embedding)
    if let ranks {
      forward(index, layers.slices, plan.dropout, ranks, clock)
    } else {
      for slice in layers.slices { slice.forward(plan.dropout, clock) }
    }
    wait(index, clock)

    for block in member.blocks { output.crossEntropy(member.logits, block: block) }
    clock?.mark(.softmax)
    wait(index, clock)

    if let ranks {
      backward(index, layers.slices, plan.dropout, ranks, clock)
    } else {
      for slice in layers.slices {
        slice.backward(dlogits: output.dlogits, plan.dropout, clock)
        if let update = plan.update { slice.apply(update) }
        clock?.mark(.update)
      }
    }
    // Among ranks the sum of the gradients tells whether there is a next step.
    if ranks == nil { meanwhile() }
    wait(index, clock)

    Reduction.sum(member.dC, into: layers.embedding.dC)
    if let ranks {
      finishGradients(index, layers, plan.update, ranks, clock)
      meanwhile()
    }
    if let update = plan.update { layers.embedding.memory.apply(update) }
    clock?.mark(.embedding)
  }

  func wait(_ index: Int, _ clock: StepClock?) {
    barrier.wait(index)
    clock?.mark(.waiting)
  }

  /// Completes the calling thread's step, and returns the loss.
  func finish() -> Float {
    let loss = ranks?.loss ?? output.finish()
    if let update = plan.update { output.memory.apply(update) }
    members[0].clock?.mark(.softmax)
    return loss
  }

  /// Measures the calling thread's parts of the steps from now on.
  func startClock() { members[0].clock = StepClock() }

  /// Ends the measurement, and returns the calling thread's seconds in each part.
  func stopClock() -> [StepPart: Double] {
    defer { members[0].clock = nil }
    return StepPart.allCases.reduce(into: [:]) { seconds, part in
      seconds[part] = members[0].clock?[part] ?? 0
    }
  }
}

// MARK: - Where a step waits for other ranks: between the parts of batch norm, and before the update

// Only the calling thread speaks to other ranks; the others wait for it. So a communicator needs to know
// nothing of threads.

extension FusedStep {
  /// One thread's way from the contexts to its slices' shares of the logits.
  func forward(
    _ index: Int, _ slices: [HiddenSlice], _ dropout: RandomMask?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    for slice in slices { slice.forwardToSums(clock) }
    form(ranks.rows, index, clock)
    for slice in slices { slice.forwardToSquares(clock) }
    form(ranks.squares, index, clock)
    for slice in slices { slice.forwardToLogits(dropout, clock) }
  }

  /// One thread's way back to this rank's shares of its slices' gradients.
  func backward(
    _ index: Int, _ slices: [HiddenSlice], _ dropout: RandomMask?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    for slice in slices { slice.backwardToSums(dlogits: output.dlogits, dropout, clock) }
    form(ranks.normalization, index, clock)
    for slice in slices { slice.backwardToInput(clock) }
  }

  /// Adds up the gradients of all ranks, and updates one thread's slices.
  func finishGradients(
    _ index: Int, _ layers: FusedLayers, _ update: ParameterUpdate?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    if index == 0 { ranks.loss = output.finish() }
    form(ranks.gradients, index, clock)
    if index > 0 { Reduction.sum([embedding.dC], into: layers.embedding.dC) }
    guard let update else { return }
    for slice in layers.slices { slice.apply(update) }
    clock?.mark(.update)
    // Whoever reads the parameters after the step finds them all updated.
    wait(index, clock)
  }

  /// Forms a sum over all ranks when every thread has done its part of it.
  private func form(_ sum: RankSum, _ index: Int, _ clock: StepClock?) {
    wait(index, clock)
    if index == 0 { sum.form() }
    wait(index, clock)
  }
}

// MARK: - What passes between the ranks of a training: four sums in every step, each of one flat buffer

// 1. Σ hprebn, a number for each hidden unit;
// 2. Σ (hprebn − bnmeani)², as many: with 1 the two passes of batch norm's variance;
// 3. dbngain and dbnbias, two for each unit: batch norm's way back needs them whole;
// 4. all other gradients, this rank's share of the loss, and whether it was asked to stop.
//
// After the fourth every rank has the same gradients and makes the same update. Rows go with their
// padding, which is zero.

/// The sums over ranks of an engine.
final class RankSums {
  let rows: RankSum
  let squares: RankSum
  let normalization: RankSum
  let gradients: RankSum

  private let scalarMemory: PaddedMemory
  private let scalars: PaddedMatrix  // (1, 2)

  init(_ step: FusedStep, _ communicator: any Communicator) {
    var memory = PaddedMemory(capacity: PaddedMemory.size(rows: 1, columns: 2))
    scalars = memory.matrix(rows: 1, columns: 2)
    scalarMemory = memory
    let slices = step.slices
    rows = RankSum(slices.map(\.bnmeani), communicator)
    squares = RankSum(slices.map(\.bnvar_inv), communicator)
    normalization = RankSum(slices.flatMap { [$0.dbngain, $0.dbnbias] }, communicator)
    gradients = RankSum(
      slices.flatMap { [$0.firstWeights.dW1, $0.dW2T] }
        + [step.embedding.dC, step.output.db2, scalars], communicator)
  }

  /// The loss: before the fourth sum this rank's share, after it that of all.
  var loss: Float {
    get { scalars[0, 0] }
    set { scalars[0, 0] = newValue }
  }

  /// Whether training shall stop: before the fourth sum here, after it anywhere.
  var isAskedToStop: Bool {
    get { scalars[0, 1] > 0 }
    set { scalars[0, 1] = newValue ? 1 : 0 }
  }
}

/// Matrices whose sums over all ranks are formed together.
final class RankSum {
  private let parts: [PaddedMatrix]
  private let communicator: any Communicator
  private let memory: PaddedMemory
  private let buffer: PaddedMatrix  // (1, all elements of the parts)

  init(_ parts: [PaddedMatrix], _ communicator: any Communicator) {
    let count = parts.reduce(0) { $0 + $1.rows * $1.stride }
    var memory = PaddedMemory(capacity: count)
    buffer = memory.matrix(rows: 1, columns: count)
    self.memory = memory
    self.parts = parts
    self.communicator = communicator
  }

  /// Replaces every matrix by its sum over all ranks.
  func form() {
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

// MARK: - The one place where partial sums meet

// Parts are added in their order, always the same, so that the sum has the same bits however the work
// was shared out.

/// Adds up what parts of an engine contribute.
enum Reduction {
  /// The sum of some rows of all parts, into the same rows of a matrix that is none of them.
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
