// The output in place: from the slices' logits to the loss and dlogits, all in one go.
//
// The minibatch is cut into blocks of rows, so that threads can share them out; the cut depends on the
// number of rows alone, and blocks beyond the step's rows are empty. Padding columns carry a bias of −∞. So their probability is exactly zero, and
// neither the softmax nor a gradient needs to know where the vocabulary ends.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule

/// The output bias and the cross-entropy of the logits.
final class OutputLayer {
  let memory: ParameterMemory<OutputTensors>
  let b2: PaddedMatrix  // (1, vocabulary)
  let db2: PaddedMatrix  // (1, vocabulary)
  var dlogits: PaddedMatrix { buffer[rows: 0..<input.rows] }  // (rows, vocabulary)

  /// The number of blocks of rows.
  var blockCount: Int { losses.rows }

  private let input: StepInput
  private let buffer: PaddedMatrix  // (capacity, vocabulary): dlogits
  private let logit_maxes: PaddedMatrix  // (1, capacity)
  private let norm_logits: PaddedMatrix  // (1, capacity), those of the targets
  private let counts_sum: PaddedMatrix  // (1, capacity)
  private let losses: PaddedMatrix  // (blocks, 1), each block's sum
  private let biasGradients: PaddedMatrix  // (blocks, vocabulary), each block's share of db2
  private let biasGradientParts: [PaddedMatrix]
  private let activations: PaddedMemory

  /// The rows of a block: a few, so that two threads have something to share at a batch of 32.
  private static let blockRows = 16

  init(_ start: EngineStart, _ input: StepInput) {
    let vocabulary = start.parameters.shape.vocabulary
    self.input = input
    memory = ParameterMemory(
      capacity: PaddedMemory.size(rows: 1, columns: vocabulary), hasMoments: start.moments != nil,
      cut: { OutputTensors(b2: $0.matrix(rows: 1, columns: vocabulary)) })
    (b2, db2) = (memory.parameters.b2, memory.gradients.b2)
    b2.fill(-.infinity)
    memory.assign(start)

    let rows = input.capacity
    let blocks = max(1, (rows + Self.blockRows - 1) / Self.blockRows)
    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: rows + blocks, columns: vocabulary)
        + PaddedMemory.size(rows: 3, columns: rows)
        + PaddedMemory.size(rows: blocks, columns: 1))
    buffer = activations.matrix(rows: rows, columns: vocabulary)
    let biasGradients = activations.matrix(rows: blocks, columns: vocabulary)
    self.biasGradients = biasGradients
    biasGradientParts = (0..<blocks).map { biasGradients.row($0) }
    logit_maxes = activations.matrix(rows: 1, columns: rows)
    norm_logits = activations.matrix(rows: 1, columns: rows)
    counts_sum = activations.matrix(rows: 1, columns: rows)
    losses = activations.matrix(rows: blocks, columns: 1)
    self.activations = activations
  }

  /// dlogits = (softmax(logits + b2) − onehot(Yb)) / n for the rows of a block, and their share of the
  /// loss and of db2.
  ///
  /// Each line of the derivation goes over the block's rows before the next one begins, so that one
  /// row's need not wait for another's.
  ///
  /// - Parameter logits: The slices' shares of h @ W2; padding columns hold zeros.  (n, vocabulary)
  func crossEntropy(_ logits: [PaddedMatrix], block: Int) {
    let first = min(block * Self.blockRows, input.rows)
    let rows = first..<min(first + Self.blockRows, input.rows)
    Reduction.sum(logits, rows: rows, into: dlogits)
    addBias(rows)
    exponentiate(rows)
    losses[block, 0] = finishRows(rows)
    sumRows(rows, block)
  }

  /// logits += b2, and logit_maxes.
  private func addBias(_ rows: Range<Int>) {
    let (dlogits, b2, logit_maxes) = (dlogits, b2, logit_maxes)
    for row in rows {
      var largest = FloatVector(repeating: -.infinity)
      for v in 0..<b2.vectors {
        let biased = dlogits[row, vector: v] + b2[0, vector: v]
        dlogits[row, vector: v] = biased
        largest.replace(with: biased, where: biased .> largest)
      }
      logit_maxes[0, row] = largest.largestLane
    }
  }

  /// norm_logits of the targets, then counts in the place of the logits, and counts_sum.
  private func exponentiate(_ rows: Range<Int>) {
    let (dlogits, logit_maxes, norm_logits, counts_sum) = (
      dlogits, logit_maxes, norm_logits, counts_sum
    )
    for row in rows {
      let logit_max = logit_maxes[0, row]
      norm_logits[0, row] = dlogits[row, input.targets[row]] - logit_max
      var sum = FloatVector.zero
      for v in 0..<dlogits.vectors {
        let counts = exp(dlogits[row, vector: v] - logit_max)
        dlogits[row, vector: v] = counts
        sum += counts
      }
      counts_sum[0, row] = sum.sumOfLanes
    }
  }

  /// dlogits in the place of the counts; returns −Σ logprobs of the targets.
  private func finishRows(_ rows: Range<Int>) -> Float {
    let (dlogits, counts_sum) = (dlogits, counts_sum)
    let n = Float(input.batchSize)
    var loss: Float = 0
    for row in rows {
      let sum = counts_sum[0, row]
      loss -= norm_logits[0, row] - .log(sum)
      let scale = 1 / (sum * n)
      for v in 0..<dlogits.vectors { dlogits[row, vector: v] *= scale }
      dlogits[row, input.targets[row]] -= 1 / n
    }
    return loss
  }

  private func sumRows(_ rows: Range<Int>, _ block: Int) {
    for v in 0..<dlogits.vectors {
      var sum = FloatVector.zero
      for row in rows { sum += dlogits[row, vector: v] }
      biasGradients[block, vector: v] = sum
    }
  }

  /// Completes db2, and returns the loss: the mean over the minibatch, in nats per character. Both are
  /// shares, if there are other ranks.
  func finish() -> Float {
    Reduction.sum(biasGradientParts, into: db2)
    var loss = 0.0
    for block in 0..<blockCount { loss += Double(losses[block, 0]) }
    return Float(loss / Double(input.batchSize))
  }
}

/// The windows on a block of the output layer's memory.
struct OutputTensors: LayerTensors {
  let b2: PaddedMatrix  // (1, vocabulary)

  func assign(_ parameters: Parameters<Float>) { b2.assign(parameters.b2) }
  func copy(to parameters: inout Parameters<Float>) { b2.copy(to: &parameters.b2) }
}
