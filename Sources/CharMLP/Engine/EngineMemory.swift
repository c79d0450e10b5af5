// What the engine keeps between its passes: the minibatch, and each layer's parameters, their
// gradients, and what an optimizer remembers about them.
//
// Parameters, gradients and running averages are blocks of memory with one layout. Because the
// layouts agree, an update rule is one loop over the blocks, whatever tensors they hold.

import LinearAlgebra

// MARK: The minibatch
//
// There is room for two: while threads learn from one, the calling thread prepares the next.

/// The windows that a step learns from: ids that all threads read, checked once.
///
/// How many of a minibatch's windows are computed here may change from step to step: a rank that
/// holds a part of the text computes the windows that fall into it, possibly none. There is room
/// for as many as there can be, and `rowCount` says how many there are.
///
/// If the first layer needs it, rows are sorted by the number of terminators that their contexts
/// begin with: the nearer a character is to the beginning of its word, the more.
struct MinibatchMemory {
  /// The windows of a minibatch, on all ranks: n of the derivation.
  let batchSize: Int
  /// The most windows of a minibatch that are computed here.
  let capacity: Int
  let blockSize: Int
  let contexts: IndexVector  // (capacity · block)
  let targets: IndexVector  // (capacity)
  let positions: IndexVector  // (capacity)
  let rowCount: IndexVector  // (1)
  let rowEnds: IndexVector  // (block + 1): where the rows of each number of terminators end

  private let vocabulary: Int
  private let isSorted: Bool

  init(_ arena: Arena, _ shape: ModelShape, batchSize: Int, capacity: Int, isSorted: Bool) {
    (self.batchSize, self.capacity, self.isSorted) = (batchSize, capacity, isSorted)
    (blockSize, vocabulary) = (shape.blockSize, shape.vocabulary)
    contexts = arena.indices(capacity, shape.blockSize)
    targets = arena.indices(capacity)
    positions = arena.indices(capacity)
    rowCount = arena.indices(1)
    rowEnds = arena.indices(shape.blockSize + 1)
  }

  /// Copies a minibatch, or the part of it that is computed here; its ids must be of the
  /// vocabulary.
  func assign(_ minibatch: Minibatch) {
    precondition(
      minibatch.blockSize == blockSize && minibatch.count <= capacity
        && (minibatch.count == batchSize || minibatch.positions?.count == minibatch.count),
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(blockSize)
      """)
    rowCount[0] = minibatch.count
    let (ids, ys) = (minibatch.contexts.span, minibatch.targets.span)
    if isSorted { findRowEnds(ids) }
    for window in 0..<minibatch.count {
      let row = isSorted ? nextRow(leadingTerminators(ids, window)) : window
      for position in 0..<blockSize {
        let id = checked(ids[window * blockSize + position], below: vocabulary)
        contexts[row * blockSize + position] = id
      }
      targets[row] = checked(ys[window], below: vocabulary)
      positions[row] = window
    }
    guard let places = minibatch.positions else { return }
    for row in 0..<minibatch.count {
      positions[row] = checked(places[positions[row]], below: batchSize)
    }
  }

  /// Counts the windows with each number of terminators. Each end is first set to where its rows
  /// begin; `nextRow` then advances it with every row.
  private func findRowEnds(_ contexts: Span<Int32>) {
    for count in 0...blockSize { rowEnds[count] = 0 }
    for window in 0..<rowCount[0] { rowEnds[leadingTerminators(contexts, window)] += 1 }
    var start = 0
    for count in 0...blockSize {
      let windows = rowEnds[count]
      rowEnds[count] = start
      start += windows
    }
  }

  private func nextRow(_ terminators: Int) -> Int {
    defer { rowEnds[terminators] += 1 }
    return rowEnds[terminators]
  }

  @inline(always)
  private func leadingTerminators(_ contexts: Span<Int32>, _ window: Int) -> Int {
    var count = 0
    while count < blockSize, contexts[window * blockSize + count] == Vocabulary.terminator {
      count += 1
    }
    return count
  }

  @inline(always)
  private func checked(_ number: Int32, below limit: Int) -> Int {
    precondition(number >= 0 && number < limit, "FusedEngine: \(number) of \(limit)")
    return Int(number)
  }
}

/// A thread's view of the minibatch that it learns from, which is one of two.
final class StepInput {
  private let minibatches: (MinibatchMemory, MinibatchMemory)
  private let index: IndexVector  // (1); a variable's exclusivity would be checked at each read
  private var current: MinibatchMemory { index[0] == 0 ? minibatches.0 : minibatches.1 }

  init(_ arena: Arena, _ minibatches: (MinibatchMemory, MinibatchMemory)) {
    self.minibatches = minibatches
    index = arena.indices(1)
  }

  /// Switches to one of the two.
  func select(_ index: Int) { self.index[0] = index }

  var batchSize: Int { minibatches.0.batchSize }
  var capacity: Int { minibatches.0.capacity }
  var blockSize: Int { minibatches.0.blockSize }
  /// The number of windows that are computed here in this step.
  var rows: Int { current.rowCount[0] }
  /// Xb, row by row.  (rows · block)
  var contexts: IndexVector { current.contexts }
  /// Yb.  (rows)
  var targets: IndexVector { current.targets }
  /// The place of each row in the minibatch.  (rows)
  var positions: IndexVector { current.positions }

  /// The rows whose contexts begin with exactly `count` terminators, if rows are sorted.
  @inline(always)
  func rows(leadingTerminators count: Int) -> Range<Int> {
    let rowEnds = current.rowEnds
    return (count == 0 ? 0 : rowEnds[count - 1])..<rowEnds[count]
  }
}

// MARK: - Parameters

/// A layer's views of one of its blocks: its part of `Parameters`, in the layer's layout.
protocol LayerTensors {
  /// Copies the layer's part of the parameters into the block.
  func assign(_ parameters: Parameters<Float>)

  /// Copies the block into the layer's part of the parameters.
  func copy(to parameters: inout Parameters<Float>)
}

/// The running averages that are kept of every parameter, beside its value and its gradient.
struct RunningAverages: OptionSet {
  let rawValue: Int
  /// Adam's, of the gradients and of their squares.
  static let moments = RunningAverages(rawValue: 1)
  /// The average of the parameters themselves.
  static let weights = RunningAverages(rawValue: 2)
}

/// The memory of the parameters that one layer, or one slice of it, owns.
///
/// `Tensors` are the views that the layer cuts from a block, in the same layout for each.
final class ParameterMemory<Tensors: LayerTensors> {
  let parameters: Tensors
  let gradients: Tensors
  /// Adam's running averages, of the gradients and of their squares.
  let moments: (first: Tensors, second: Tensors)?
  /// The running average of the parameters.
  let average: Tensors?

  private let whole: [PaddedMatrix]  // (1, all of a block) each
  private let averaged: PaddedMatrix?  // (1, all of a block)
  private let decaying: [PaddedMatrix]

  /// Takes blocks from an arena, all zero.
  ///
  /// - Parameters:
  ///   - cut: Cuts one block.
  ///   - decaying: The tensors that weight decay shrinks.
  init(
    _ arena: Arena, _ averages: RunningAverages,
    decaying: (Tensors) -> [PaddedMatrix] = { _ in [] },
    cut: (inout Arena.Layout) -> Tensors
  ) {
    let hasMoments = averages.contains(.moments)
    let blocks = (0..<(hasMoments ? 4 : 2)).map { _ in arena.block { (cut(&$0), $0.whole) } }
    let averaged = averages.contains(.weights) ? arena.block { (cut(&$0), $0.whole) } : nil
    whole = blocks.map(\.1)
    (parameters, gradients) = (blocks[0].0, blocks[1].0)
    moments = hasMoments ? (blocks[2].0, blocks[3].0) : nil
    (average, self.averaged) = (averaged?.0, averaged?.1)
    self.decaying = decaying(parameters)
  }

  /// Moves every parameter by an optimizer's rule.
  func apply(_ update: ParameterUpdate) {
    if update.shrinkage != 1 { for weights in decaying { weights.scale(by: update.shrinkage) } }
    if let adam = update.adam {
      whole[0].adapt(
        whole[1], whole[2], whole[3], adam, learningRate: update.learningRate)
    } else {
      whole[0].descend(whole[1], learningRate: update.learningRate)
    }
    averaged?.approach(whole[0], share: update.averageShare)
  }
}

// MARK: Copying in and out

extension OptimizationState {
  /// Zeros, to be filled layer by layer.
  init(zeros shape: ModelShape, _ averages: RunningAverages) {
    self.init(
      Parameters(zeros: shape),
      moments: averages.contains(.moments) ? Moments(zeros: shape) : nil,
      average: averages.contains(.weights) ? Parameters(zeros: shape) : nil)
  }

  var averages: RunningAverages {
    var averages: RunningAverages = []
    if moments != nil { averages.insert(.moments) }
    if average != nil { averages.insert(.weights) }
    return averages
  }
}

extension ParameterMemory {
  /// Copies the layer's part of what an engine starts from.
  func assign(_ start: OptimizationState) {
    parameters.assign(start.parameters)
    if let average, let values = start.average { average.assign(values) }
    guard let moments, let values = start.moments else { return }
    moments.first.assign(values.first)
    moments.second.assign(values.second)
  }

  /// Copies the layer's part of the parameters and of their running averages.
  func copy(to state: inout OptimizationState) {
    parameters.copy(to: &state.parameters)
    if let average, var values = state.average {
      average.copy(to: &values)
      state.average = values
    }
    guard let moments, var values = state.moments else { return }
    moments.first.copy(to: &values.first)
    moments.second.copy(to: &values.second)
    state.moments = values
  }
}

/// A layer, or a slice of one, that owns parameters.
protocol ParameterLayer: AnyObject {
  associatedtype Tensors: LayerTensors
  var memory: ParameterMemory<Tensors> { get }

  /// Brings copies of the weights up to date, if the layer has any.
  func copyWeights()
}

extension ParameterLayer {
  func copyWeights() {}

  /// Copies the layer's part of the parameters and of their running averages.
  func assign(_ start: OptimizationState) {
    memory.assign(start)
    copyWeights()
  }

  /// Copies the layer's part of the parameters alone.
  func assign(_ parameters: Parameters<Float>) {
    memory.parameters.assign(parameters)
    copyWeights()
  }

  /// Moves every parameter by an optimizer's rule.
  func apply(_ update: ParameterUpdate) {
    memory.apply(update)
    copyWeights()
  }

  /// Copies the parameters and their running averages into the layer's part of the whole state.
  func copyState(to state: inout OptimizationState) { memory.copy(to: &state) }

  /// Copies the parameters into the layer's part of all parameters.
  func copyParameters(to parameters: inout Parameters<Float>) {
    memory.parameters.copy(to: &parameters)
  }

  /// Copies the gradients into the layer's part of all gradients.
  func copyGradients(to gradients: inout Gradients<Float>) {
    memory.gradients.copy(to: &gradients)
  }
}

// MARK: The optimizers' rules
//
// In place on a whole block; `Parameters.apply` is what they are checked against.

extension PaddedMatrix {
  /// Multiplies every element.
  func scale(by factor: Float) {
    for row in 0..<rows {
      for v in 0..<vectors { self[row, vector: v] *= factor }
    }
  }

  /// Every parameter −= learningRate · its gradient.
  func descend(_ gradient: PaddedMatrix, learningRate: Float) {
    let rate = FloatVector(repeating: -learningRate)
    for v in 0..<vectors {
      self[0, vector: v] = multiplyAdd(rate, gradient[0, vector: v], self[0, vector: v])
    }
  }

  /// Every element += share · (the other matrix's − itself).
  func approach(_ other: PaddedMatrix, share: Float) {
    let share = FloatVector(repeating: share)
    for v in 0..<vectors {
      let old = self[0, vector: v]
      self[0, vector: v] = multiplyAdd(share, other[0, vector: v] - old, old)
    }
  }

  /// m += (1 − β₁)(gradient − m), v += (1 − β₂)(gradient² − v), and every parameter −=
  /// learningRate · m̂ / (√v̂ + ε).
  func adapt(
    _ gradient: PaddedMatrix, _ first: PaddedMatrix, _ second: PaddedMatrix, _ adam: AdamStep,
    learningRate: Float
  ) {
    let share1 = FloatVector(repeating: 1 - AdamStep.beta1)
    let share2 = FloatVector(repeating: 1 - AdamStep.beta2)
    let rate = FloatVector(repeating: -(learningRate * adam.firstCorrection))
    let correction = FloatVector(repeating: adam.secondCorrection)
    let epsilon = FloatVector(repeating: AdamStep.epsilon)
    for index in 0..<vectors {
      let g = gradient[0, vector: index]
      let m = multiplyAdd(share1, g - first[0, vector: index], first[0, vector: index])
      let change = multiplyAdd(g, g, -second[0, vector: index])
      let v = multiplyAdd(share2, change, second[0, vector: index])
      first[0, vector: index] = m
      second[0, vector: index] = v
      // √v as v · 1/√v; the 1e-30 avoids a division by zero and is far below ε².
      let root = multiplyAdd(v * reciprocalSquareRoot(v + 1e-30), correction, epsilon)
      self[0, vector: index] = multiplyAdd(rate, m / root, self[0, vector: index])
    }
  }
}

// MARK: A transposed copy
//
// In blocks of four by four, which stay in registers on every processor: sixteen by sixteen would
// need 32 registers, and AVX2 has 16. A product whose contracted index runs along the rows of both
// operands is the slowest of the four kinds; with a transposed copy of one operand it becomes the
// fastest, and copying costs less than that gains.
//
// It is here, not with the other functions of padded matrices, because in a debug build their
// subscripts are inlined only into other modules.

extension PaddedMatrix {
  /// Copies the transpose of a matrix, padding included, into the elements.
  ///
  /// Both numbers of rows are multiples of four.
  func assign(transposing matrix: PaddedMatrix) {
    precondition(
      rows == matrix.stride && stride == matrix.rows,
      "assign: (\(matrix.rows), \(matrix.stride)), transposed, to (\(rows), \(stride))")
    for top in Swift.stride(from: 0, to: matrix.rows, by: 4) {
      for left in Swift.stride(from: 0, to: matrix.stride, by: 4) {
        let (a, b) = (matrix[top, four: left], matrix[top &+ 1, four: left])
        let (c, d) = (matrix[top &+ 2, four: left], matrix[top &+ 3, four: left])
        self[left, four: top] = SIMD4(a.x, b.x, c.x, d.x)
        self[left &+ 1, four: top] = SIMD4(a.y, b.y, c.y, d.y)
        self[left &+ 2, four: top] = SIMD4(a.z, b.z, c.z, d.z)
        self[left &+ 3, four: top] = SIMD4(a.w, b.w, c.w, d.w)
      }
    }
  }
}
