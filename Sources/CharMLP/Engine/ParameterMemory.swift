// A layer's parameters, their gradients, and what an optimizer remembers of them: blocks of memory
// with one layout.
//
// Because the layouts agree, an update rule is one loop over the blocks, whatever tensors they
// hold.

import LinearAlgebra

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
  /// That of the parameters themselves.
  static let weights = RunningAverages(rawValue: 2)
}

/// The memory of the parameters that one layer, or one slice of it, owns.
///
/// `Tensors` are the views that the layer cuts from a block, the same from each.
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

  /// Copies the parameters and their running averages into the layer's part of all.
  func copyState(to state: inout OptimizationState) { memory.copy(to: &state) }

  /// Copies the parameters into the layer's part of all.
  func copyParameters(to parameters: inout Parameters<Float>) {
    memory.parameters.copy(to: &parameters)
  }

  /// Copies the gradients into the layer's part of all.
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
      // √v as v · 1/√v; what keeps zero from being divided by is far below ε².
      let root = multiplyAdd(v * reciprocalSquareRoot(v + 1e-30), correction, epsilon)
      self[0, vector: index] = multiplyAdd(rate, m / root, self[0, vector: index])
    }
  }
}

// MARK: A transposed copy
//
// In blocks of four by four, which stay in registers on every processor: sixteen by sixteen would
// take 32 of AVX2's 16. A product whose contracted index runs along the rows of both operands is the
// slowest of the four kinds; with a copy of one operand transposed it becomes the fastest, and
// copying costs less.
//
// It stands here, not beside the other functions of padded matrices, because in a debug build it
// can have their subscripts inlined only from another module.

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
