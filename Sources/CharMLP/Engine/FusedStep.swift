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
