// A slice of the hidden layer: a range of hidden units with everything that belongs to them, its
// forward pass, from the contexts to its share of the logits, and its backward pass, from dlogits
// to its gradients.
//
// Batch norm's statistics belong to a unit. So from embcat @ W1 to tanh, and back to dW1, a slice
// needs nothing from another; only its shares of the logits and of dC are added to the others'. W2
// has a transposed copy for the product that needs one.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Some of the hidden units: their parameters, their gradients, their activations.
final class HiddenSlice: ParameterLayer {
  let units: Range<Int>
  /// The windows of a minibatch, on all ranks.
  let n: Float
  let memory: ParameterMemory<HiddenTensors>
  let firstLayer: any FirstLayer
  let firstWeights: FirstLayerWeights

  let W2T: PaddedMatrix  // (padded vocabulary, units)
  let W2: PaddedMatrix  // (units, vocabulary), a copy of W2T
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  let dW2T: PaddedMatrix  // (padded vocabulary, units)
  let dbngain: PaddedMatrix  // (1, units)
  let dbnbias: PaddedMatrix  // (1, units)

  let bnmeani: PaddedMatrix  // (1, units)
  let bnvar_inv: PaddedMatrix  // (1, units)

  let input: StepInput
  let activations: HiddenActivations

  init(
    _ arena: Arena, _ shape: ModelShape, units: Range<Int>, _ input: StepInput,
    averages: RunningAverages, keepsIntermediates: Bool,
    firstLayer: (FirstLayerWeights) -> any FirstLayer
  ) {
    let (width, vocabulary) = (units.count, shape.vocabulary)
    self.units = units
    (n, self.input) = (Float(input.batchSize), input)

    memory = ParameterMemory(arena, averages, decaying: \.weights) {
      HiddenTensors(cutFrom: &$0, shape, units: units)
    }
    let (parameters, gradients) = (memory.parameters, memory.gradients)
    (W2T, dW2T) = (parameters.W2T, gradients.W2T)
    (bngain, dbngain) = (parameters.bngain, gradients.bngain)
    (bnbias, dbnbias) = (parameters.bnbias, gradients.bnbias)
    firstWeights = FirstLayerWeights(
      W1: parameters.W1, dW1: gradients.W1, inputs: shape.contextWidth)
    self.firstLayer = firstLayer(firstWeights)

    (W2, bnmeani, bnvar_inv) = arena.block {
      (
        $0.matrix(PaddedMatrix.stride(width), vocabulary), $0.matrix(1, width),
        $0.matrix(1, width)
      )
    }
    activations = HiddenActivations(
      arena, input, units: width, vocabulary: vocabulary, keepsIntermediates: keepsIntermediates)
  }

  /// Brings the transposed copies up to date.
  func copyWeights() {
    W2.assign(transposing: W2T)
    firstLayer.copyWeights()
  }
}

// MARK: Forward and backward
//
// Each pass is one product, several sweeps over the activations, and the remaining products. The
// sweeps go over a few vectors of units at a time, few enough for a minibatch's columns still to be
// in the first-level cache at the second sweep, and several so that their sums need not wait for
// each other. Only hprebn and h are kept for the backward pass: bnraw costs less to compute again.
//
// A pass is cut into stages where other ranks have sums to add. A process alone goes through all of
// them at once.

/// The stages of the forward pass.
enum ForwardStage: Int, Comparable {
  /// hprebn, and Σ hprebn in the place of bnmeani.
  case sums
  /// bnmeani, and Σ (hprebn − bnmeani)² in the place of bnvar_inv.
  case squares
  /// bnvar_inv, h, and the share of the logits.
  case activation

  static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The stages of the backward pass.
enum BackwardStage: Int, Comparable {
  /// dW2, dhpreact, dbngain and dbnbias.
  case activation
  /// dhprebn, dW1, db1, and the share of dC.
  case normalization
  /// The update of the slice's parameters.
  case update

  static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension HiddenSlice {
  /// logits = tanh(batchnorm(embcat @ W1 + b1)) @ W2, with some units dropped if there is a mask.
  func forward(
    _ stages: ClosedRange<ForwardStage>, _ dropout: RandomMask?, _ clock: StepClock?
  ) {
    if stages.contains(.sums) { firstLayer.forward(into: hprebn, clock) }
    forEachColumnBlock { vectors in
      if stages.contains(.sums) { for v in vectors { sumRows(unitsOf: v) } }
      if stages.contains(.squares) { for v in vectors { sumSquares(unitsOf: v) } }
      guard stages.contains(.activation) else { return }
      for v in vectors { finishVariance(unitsOf: v) }
      for v in vectors { activate(unitsOf: v) }
      if let dropout { for v in vectors { drop(unitsOf: v, dropout) } }
    }
    clock?.mark(.normalization)
    guard stages.contains(.activation) else { return }
    multiply(h.padded, W2.padded, depth: units.count, into: logits.padded)
    clock?.mark(.logits)
  }

  /// dW1, db1, dbngain, dbnbias, dW2 and a share of dC from dlogits, and the update if there is
  /// one.
  func backward(
    _ stages: ClosedRange<BackwardStage>, dlogits: PaddedMatrix, _ settings: StepSettings,
    _ clock: StepClock?
  ) {
    if stages.contains(.activation) {
      let vocabulary = dlogits.columns
      multiply(dlogits.padded, W2T.padded, depth: vocabulary, into: dh.padded)
      clock?.mark(.dh)
      multiply(dlogits.padded.T, h.padded, rows: vocabulary, into: dW2T.padded)
      clock?.mark(.dW2)
    }
    forEachColumnBlock { vectors in
      if stages.contains(.activation) {
        if let mask = settings.dropout {
          for v in vectors { differentiateDropout(unitsOf: v, mask) }
        }
        for v in vectors { differentiateActivation(unitsOf: v) }
      }
      if stages.contains(.normalization) {
        for v in vectors { differentiateNormalization(unitsOf: v) }
      }
    }
    clock?.mark(.elementwiseBackward)
    if stages.contains(.normalization) { firstLayer.backward(dhprebn, clock) }
    guard stages.contains(.update), let update = settings.update else { return }
    apply(update)
    clock?.mark(.update)
  }

  @inline(always)
  private func forEachColumnBlock(_ body: (Range<Int>) -> Void) {
    let blockVectors = 4
    var first = 0
    while first < hprebn.vectors {
      let last = min(first + blockVectors, hprebn.vectors)
      body(first..<last)
      first = last
    }
  }
}

// MARK: The rows of this step

extension HiddenSlice {
  var hprebn: PaddedMatrix { activations.hprebn[rows: 0..<input.rows] }  // (rows, units)
  var h: PaddedMatrix { activations.h[rows: 0..<input.rows] }  // (rows, units), hdrop with dropout
  var logits: PaddedMatrix { activations.logits[rows: 0..<input.rows] }  // (rows, vocabulary)
  var dh: PaddedMatrix { activations.dh[rows: 0..<input.rows] }  // (rows, units)
  var dhpreact: PaddedMatrix { activations.dhpreact[rows: 0..<input.rows] }  // (rows, units)
  var dhprebn: PaddedMatrix { activations.dhprebn[rows: 0..<input.rows] }  // (rows, units)
}

// MARK: Forward, for sixteen units
//
// Dropout is a mask that is computed, not stored. It depends on a window's place in the whole
// minibatch, so that ranks drop what one process would.

extension HiddenSlice {
  /// Σ hprebn, in the place of bnmeani.
  private func sumRows(unitsOf v: Int) {
    let hprebn = hprebn
    bnmeani[0, vector: v] = sumOverRows(hprebn.rows) { row, sum in sum + hprebn[row, vector: v] }
  }

  /// bnmeani = Σ hprebn / n, and Σ (hprebn − bnmeani)² in the place of bnvar_inv.
  private func sumSquares(unitsOf v: Int) {
    let hprebn = hprebn
    let mean = bnmeani[0, vector: v] / n
    bnmeani[0, vector: v] = mean
    @inline(always) func addSquare(row: Int, sum: FloatVector) -> FloatVector {
      let bndiff = hprebn[row, vector: v] - mean
      return multiplyAdd(bndiff, bndiff, sum)
    }
    bnvar_inv[0, vector: v] = sumOverRows(hprebn.rows, addSquare)
  }

  /// bnvar_inv = (Σ (hprebn − bnmeani)² / (n − 1) + 1e-5)^−½
  private func finishVariance(unitsOf v: Int) {
    let bnvar = bnvar_inv[0, vector: v] / (n - 1)
    bnvar_inv[0, vector: v] = reciprocalSquareRoot(bnvar + 1e-5)
  }

  /// h = tanh(bngain · (hprebn − bnmeani) · bnvar_inv + bnbias)
  private func activate(unitsOf v: Int) {
    let (hprebn, h) = (hprebn, h)
    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    let (gain, bias) = (bngain[0, vector: v], bnbias[0, vector: v])
    for row in 0..<hprebn.rows {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      h[row, vector: v] = tanh(multiplyAdd(gain, bnraw, bias))
    }
  }

  /// hdrop = h · hmask, in the place of h.
  private func drop(unitsOf v: Int, _ hmask: RandomMask) {
    let (h, positions, unit) = (h, input.positions, units.lowerBound + v * vectorWidth)
    for row in 0..<h.rows { h[row, vector: v] *= hmask[positions[row], from: unit] }
  }
}

// MARK: Backward, for sixteen units

extension HiddenSlice {
  /// dh = dhdrop · hmask, in place of dhdrop; and h restored from hdrop where it is needed, that is
  /// wherever dh is not zero.
  private func differentiateDropout(unitsOf v: Int, _ hmask: RandomMask) {
    let (h, dh, unit) = (h, dh, units.lowerBound + v * vectorWidth)
    let positions = input.positions
    for row in 0..<h.rows {
      h[row, vector: v] *= hmask.keepProbability
      dh[row, vector: v] *= hmask[positions[row], from: unit]
    }
  }

  /// dhpreact = (1 − h²) · dh, dbnbias = dhpreact.sum(.rows), dbngain = (dhpreact ·
  /// bnraw).sum(.rows)
  private func differentiateActivation(unitsOf v: Int) {
    let (hprebn, h, dh, dhpreact) = (hprebn, h, dh, dhpreact)
    @inline(always) func addGradient(row: Int, sum: FloatVector) -> FloatVector {
      let activation = h[row, vector: v]
      let gradient = (1 - activation * activation) * dh[row, vector: v]
      dhpreact[row, vector: v] = gradient
      return sum + gradient
    }
    dbnbias[0, vector: v] = sumOverRows(hprebn.rows, addGradient)

    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    @inline(always) func addScaled(row: Int, sum: FloatVector) -> FloatVector {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      return multiplyAdd(dhpreact[row, vector: v], bnraw, sum)
    }
    dbngain[0, vector: v] = sumOverRows(hprebn.rows, addScaled)
  }

  /// Batch norm in one go:
  /// dhprebn = bngain·bnvar_inv · (dhpreact − dbnbias / n − bnraw · dbngain / (n − 1)).
  private func differentiateNormalization(unitsOf v: Int) {
    let (hprebn, dhpreact, dhprebn) = (hprebn, dhpreact, dhprebn)
    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    let scale = bngain[0, vector: v] * inverse
    let center = dbnbias[0, vector: v] / n
    let slope = dbngain[0, vector: v] / (n - 1)
    for row in 0..<hprebn.rows {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      let centered = dhpreact[row, vector: v] - center
      dhprebn[row, vector: v] = scale * multiplyAdd(-slope, bnraw, centered)
    }
  }
}

/// The sum over rows in four interleaved sums: one alone would wait for each addition to finish.
///
/// - Parameter adding: The sum with the term of a row added.
@inline(always)
private func sumOverRows(
  _ rows: Int, _ adding: (_ row: Int, _ sum: FloatVector) -> FloatVector
) -> FloatVector {
  var sums = (FloatVector.zero, FloatVector.zero, FloatVector.zero, FloatVector.zero)
  var row = 0
  while row + 4 <= rows {
    sums.0 = adding(row, sums.0)
    sums.1 = adding(row + 1, sums.1)
    sums.2 = adding(row + 2, sums.2)
    sums.3 = adding(row + 3, sums.3)
    row += 4
  }
  while row < rows {
    sums.0 = adding(row, sums.0)
    row += 1
  }
  return (sums.0 + sums.1) + (sums.2 + sums.3)
}

// MARK: Slicing
//
// By the size of the hidden layer alone, so that any number of threads computes the same bits.

extension HiddenSlice {
  /// This many units of a large minibatch stay in a core's cache through batch norm, tanh and back.
  private static let largestWidth = 128
  /// No more slices than this: each has a share of the logits that must be added up.
  private static let largestCount = 32

  /// The units of every slice: whole vectors, as equal as they can be, the larger ones last.
  ///
  /// The number of slices is even if there is more than one, because most machines that divide so
  /// little work have two or four cores. The calling thread, which has more to do than the others,
  /// takes the first slices.
  static func units(hidden: Int) -> [Range<Int>] {
    let vectors = PaddedMatrix.stride(hidden) / vectorWidth
    let count = count(hidden: hidden)
    return (0..<count).map { index in
      let part = Range.part(index, of: count, from: vectors)
      return part.lowerBound * vectorWidth..<min(part.upperBound * vectorWidth, hidden)
    }
  }

  /// The number of slices.
  static func count(hidden: Int) -> Int {
    let vectors = PaddedMatrix.stride(hidden) / vectorWidth
    // Below this, two slices gain nothing over one.
    guard vectors >= 4 else { return 1 }
    let perSlice = largestWidth / vectorWidth
    let count = (vectors + perSlice - 1) / perSlice
    return min(max(2, (count + 1) / 2 * 2), largestCount)
  }
}

// MARK: Memory
//
// Both weights lie with the units along their rows: W1 as it is, W2 transposed. W1 has b1 as one
// more row, and both have rows of zeros up to a whole vector: products of whole vectors are faster
// than exact ones, and padding adds only zeros.

/// The views of a block of a slice's memory.
struct HiddenTensors: LayerTensors {
  let W1: PaddedMatrix  // (padded inputs, units): W1, b1, zeros
  let W2T: PaddedMatrix  // (padded vocabulary, units)
  let bngain: PaddedMatrix  // (1, units)
  let bnbias: PaddedMatrix  // (1, units)

  private let inputs: Int
  private let vocabulary: Int
  private let firstUnit: Int

  init(cutFrom block: inout Arena.Layout, _ shape: ModelShape, units: Range<Int>) {
    inputs = shape.contextWidth
    vocabulary = shape.vocabulary
    firstUnit = units.lowerBound
    W1 = block.matrix(PaddedMatrix.stride(inputs + 1), units.count)
    W2T = block.matrix(PaddedMatrix.stride(vocabulary), units.count)
    bngain = block.matrix(1, units.count)
    bnbias = block.matrix(1, units.count)
  }

  /// W1 without b1, and W2: what weight decay shrinks.
  var weights: [PaddedMatrix] { [W1[rows: 0..<inputs], W2T] }

  func assign(_ parameters: Parameters<Float>) {
    W1[rows: 0..<inputs].assign(parameters.W1, column: firstUnit)
    W1.row(inputs).assign(parameters.b1, column: firstUnit)
    W2T[rows: 0..<vocabulary].assign(transposed: parameters.W2, row: firstUnit)
    bngain.assign(parameters.bngain, column: firstUnit)
    bnbias.assign(parameters.bnbias, column: firstUnit)
  }

  func copy(to parameters: inout Parameters<Float>) {
    W1[rows: 0..<inputs].copy(to: &parameters.W1, column: firstUnit)
    W1.row(inputs).copy(to: &parameters.b1, column: firstUnit)
    W2T[rows: 0..<vocabulary].copy(transposedTo: &parameters.W2, row: firstUnit)
    bngain.copy(to: &parameters.bngain, column: firstUnit)
    bnbias.copy(to: &parameters.bnbias, column: firstUnit)
  }
}

/// The matrices of a slice that have a row for each window.
final class HiddenActivations {
  let logits: PaddedMatrix  // (capacity, vocabulary), this slice's share
  let hprebn: PaddedMatrix  // (capacity, units)
  let h: PaddedMatrix  // (capacity, units)
  let dh: PaddedMatrix  // (capacity, units)
  let dhpreact: PaddedMatrix  // (capacity, units)
  let dhprebn: PaddedMatrix  // (capacity, units)

  /// - Parameter keepsIntermediates: Gives the three gradients memory of their own; otherwise each
  ///   overwrites the last.
  init(
    _ arena: Arena, _ input: StepInput, units: Int, vocabulary: Int, keepsIntermediates: Bool
  ) {
    let rows = input.capacity
    (hprebn, h, logits, dh, dhpreact, dhprebn) = arena.block {
      let (hprebn, h) = ($0.matrix(rows, units), $0.matrix(rows, units))
      let (logits, dh) = ($0.matrix(rows, vocabulary), $0.matrix(rows, units))
      return (
        hprebn, h, logits, dh, keepsIntermediates ? $0.matrix(rows, units) : dh,
        keepsIntermediates ? $0.matrix(rows, units) : dh
      )
    }
  }
}
