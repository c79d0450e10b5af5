// The fast path: one step in place on memory that is allocated once, by one thread or several.
//
// It computes what the derivation computes, with cross-entropy and batch norm "all in one go", six
// products by sgemm and vector code for the rest. Its unit is a slice of the hidden layer: batch norm's
// statistics belong to a hidden unit, so everything between the two linear layers is local to a
// slice, and slices meet only in two sums, of their partial logits and of their partial dC.
// It keeps the derivation's names, and is only ever as right as its test against the derivation.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

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

// MARK: - How much memory an engine takes, asked before any of it is allocated

extension FusedEngine {
  /// The bytes that an engine for these sizes allocates, or nil if their number exceeds an Int.
  public static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int? {
    let slices = HiddenSlice.count(hidden: shape.hidden)
    let form = FirstLayerForm.fastest(shape, batchSize: batchSize)
    // Rows of padded columns, as the layers cut them: parameters and gradients, then activations, then
    // what each slice adds to the sums.
    var matrices: [(rows: [Int], columns: Int)] = [
      ([2, shape.vocabulary], shape.embedding),
      ([2, PaddedMemory.stride(shape.contextWidth + 1)], shape.hidden),
      ([2, PaddedMemory.stride(shape.vocabulary)], shape.hidden),
      ([3, batchSize], shape.hidden), ([2, batchSize], shape.vocabulary),
      ([slices, batchSize], shape.vocabulary), ([slices, shape.vocabulary], shape.embedding),
    ]
    switch form {
    case .perExample: matrices.append(([slices + 1, batchSize], shape.contextWidth + 1))
    case .perDistinctInput: matrices.append(([2, shape.blockSize, shape.vocabulary], shape.hidden))
    }
    var total = 0
    for (rows, columns) in matrices {
      let factors = rows + [PaddedMemory.stride(columns), MemoryLayout<Float>.stride]
      var bytes = 1
      for factor in factors {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
        if overflow { return nil }
        bytes = product
      }
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      if overflow { return nil }
      total = sum
    }
    return total
  }
}

// MARK: - What one thread of an engine owns: its slices, and a replica of what all slices read

// Every thread keeps the embedding for itself. All of them add up the same shares of dC and make the same
// update, so the replicas stay equal to the last bit, and nobody waits for one thread to do it for all.

/// The layers that one thread works on.
final class FusedLayers {
  let embedding: EmbeddingLayer
  let contextVectors: ContextVectors?
  let slices: [HiddenSlice]

  init(
    _ start: EngineStart, units: [Range<Int>], _ input: StepInput,
    firstLayer form: FirstLayerForm, keepsIntermediates: Bool
  ) {
    let embedding = EmbeddingLayer(start)
    let contextVectors = form == .perExample ? ContextVectors(embedding, input) : nil
    slices = units.map { units in
      HiddenSlice(
        start, units: units, input, keepsIntermediates: keepsIntermediates
      ) { weights in
        if let contextVectors {
          PerExampleLayer(weights, contextVectors, input, start.parameters.shape)
        } else {
          PerDistinctInputLayer(weights, embedding, input)
        }
      }
    }
    (self.embedding, self.contextVectors) = (embedding, contextVectors)
  }
}

// MARK: - A minibatch in memory that all threads of an engine read: ids, checked once

// How many of a minibatch's windows are computed here may change from step to step: a rank that holds a
// part of the text computes the windows that fall into it, possibly none. There is room for all that may
// come, and `rows` says how many there are.

/// The windows that a step learns from.
final class StepInput {
  /// The windows of a minibatch, on all ranks: n of the derivation.
  let batchSize: Int
  /// The most windows of a minibatch that are computed here.
  let capacity: Int
  /// The number of windows that are computed here in this step.
  var rows: Int { rowCount[0] }
  let blockSize: Int

  /// Xb, row by row.  (capacity · block)
  let contexts: IndexVector
  /// Yb.  (capacity)
  let targets: IndexVector
  /// The place of each row in the minibatch.  (capacity)
  let positions: IndexVector

  private let vocabulary: Int
  private let contextMemory: IndexMemory
  private let targetMemory: IndexMemory
  private let positionMemory: IndexMemory
  private let rowCount: IndexVector  // (1), not a variable: reading one would be checked every time
  private let rowCountMemory: IndexMemory

  init(_ shape: ModelShape, batchSize: Int, capacity: Int) {
    self.batchSize = batchSize
    self.capacity = capacity
    blockSize = shape.blockSize
    vocabulary = shape.vocabulary
    contextMemory = IndexMemory(count: capacity * shape.blockSize)
    targetMemory = IndexMemory(count: capacity)
    positionMemory = IndexMemory(count: capacity)
    contexts = contextMemory.vector
    targets = targetMemory.vector
    positions = positionMemory.vector
    rowCountMemory = IndexMemory(count: 1)
    rowCount = rowCountMemory.vector
    rowCount[0] = capacity
    for row in 0..<capacity { positions[row] = row }
  }

  /// Copies a minibatch, or the part of it that is computed here; its ids must be of the vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.blockSize == blockSize && minibatch.count <= capacity
        && (minibatch.count == batchSize || minibatch.positions?.count == minibatch.count),
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(blockSize)
      """)
    rowCount[0] = minibatch.count
    copy(minibatch.contexts.span, below: vocabulary, to: contexts)
    copy(minibatch.targets.span, below: vocabulary, to: targets)
    if let places = minibatch.positions { copy(places.span, below: batchSize, to: positions) }
  }

  private func copy(_ source: Span<Int32>, below limit: Int, to vector: IndexVector) {
    for index in 0..<source.count {
      let number = Int(source[index])
      precondition(number >= 0 && number < limit, "FusedEngine: \(number) of \(limit)")
      vector[index] = number
    }
  }
}
