// The output in place: from the slices' logits to the loss and dlogits, all in one go.
//
// The minibatch is cut into blocks of rows that threads divide among themselves; the cut depends on
// the number of rows alone, and blocks beyond the step's rows are empty. Padding columns carry a
// bias of −∞, so that their probability is exactly zero, and neither the softmax nor a gradient
// needs to know where the vocabulary ends.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule

/// The output bias.
final class OutputLayer: ParameterLayer {
  let memory: ParameterMemory<OutputTensors>
  var b2: PaddedMatrix { memory.parameters.b2 }  // (1, vocabulary)
  var db2: PaddedMatrix { memory.gradients.b2 }  // (1, vocabulary)

  init(_ arena: Arena, _ shape: ModelShape, _ averages: RunningAverages) {
    memory = ParameterMemory(arena, averages) {
      OutputTensors(b2: $0.matrix(1, shape.vocabulary))
    }
    if arena.purpose == .allocation { b2.fill(-.infinity) }
  }
}

/// The views of a block of the output layer's memory.
struct OutputTensors: LayerTensors {
  let b2: PaddedMatrix  // (1, vocabulary)

  func assign(_ parameters: Parameters<Float>) { b2.assign(parameters.b2) }
  func copy(to parameters: inout Parameters<Float>) { b2.copy(to: &parameters.b2) }
}

/// The cross-entropy of the logits of a minibatch, and its gradient.
///
/// Either all threads share one instance and divide its blocks, or each has its own and computes
/// all of them: a small minibatch costs less than a barrier does.
final class CrossEntropy {
  var dlogits: PaddedMatrix { buffer[rows: 0..<input.rows] }  // (rows, vocabulary)

  /// The number of blocks of rows.
  var blockCount: Int { losses.rows }

  private let input: StepInput
  /// Whether the loss and db2 are taken from here; of several replicas only one reports them.
  private let isReporting: Bool
  private let b2: PaddedMatrix  // (1, vocabulary)
  private let buffer: PaddedMatrix  // (capacity, vocabulary): dlogits
  private let logit_maxes: PaddedMatrix  // (1, capacity)
  private let norm_logits: PaddedMatrix  // (1, capacity), those of the targets
  private let counts_sum: PaddedMatrix  // (1, capacity)
  private let losses: PaddedMatrix  // (blocks, 1), each block's sum
  private let biasGradients: PaddedMatrix  // (blocks, vocabulary), each block's share of db2

  /// The rows of a block: a few, so that two threads have something to share at a batch of 32.
  private static let blockRows = 16
  /// Up to this many logits, every thread computes them all, which costs less than a barrier.
  private static let replicationLimit = 2048

  /// Whether each thread is better off with a cross-entropy of its own.
  static func isReplicated(_ shape: ModelShape, capacity: Int) -> Bool {
    capacity <= replicationLimit / PaddedMatrix.stride(shape.vocabulary)
  }

  init(_ arena: Arena, _ output: OutputLayer, _ input: StepInput, isReporting: Bool) {
    (self.input, self.isReporting) = (input, isReporting)
    b2 = output.b2
    let (rows, vocabulary) = (input.capacity, output.b2.columns)
    let blocks = max(1, (rows + Self.blockRows - 1) / Self.blockRows)
    (buffer, biasGradients, logit_maxes, norm_logits, counts_sum, losses) = arena.block {
      (
        $0.matrix(rows, vocabulary), $0.matrix(blocks, vocabulary), $0.matrix(1, rows),
        $0.matrix(1, rows), $0.matrix(1, rows), $0.matrix(blocks, 1)
      )
    }
  }

  /// dlogits = (softmax(logits + b2) − onehot(Yb)) / n for the rows of a block, and their share of
  /// the loss and of db2.
  ///
  /// Each line of the derivation goes over all of the block's rows before the next line begins:
  /// rows do not wait for each other, as the lines of one row would.
  ///
  /// - Parameter logits: The slices' shares of h @ W2; padding columns hold zeros.  (n, vocabulary)
  func differentiate(_ logits: [PaddedMatrix], block: Int) {
    let first = min(block * Self.blockRows, input.rows)
    let rows = first..<min(first + Self.blockRows, input.rows)
    Reduction.sum(logits, rows: rows, into: dlogits)
    addBias(rows)
    exponentiate(rows)
    losses[block, 0] = finishRows(rows)
    if isReporting { sumRows(rows, block) }
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
    let targets = input.targets
    for row in rows {
      let logit_max = logit_maxes[0, row]
      norm_logits[0, row] = dlogits[row, targets[row]] - logit_max
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
    let (dlogits, counts_sum, targets) = (dlogits, counts_sum, input.targets)
    let n = Float(input.batchSize)
    var loss: Float = 0
    for row in rows {
      let sum = counts_sum[0, row]
      if isReporting { loss -= norm_logits[0, row] - .log(sum) }
      let scale = 1 / (sum * n)
      for v in 0..<dlogits.vectors { dlogits[row, vector: v] *= scale }
      dlogits[row, targets[row]] -= 1 / n
    }
    return loss
  }

  /// The block's share of db2.
  private func sumRows(_ rows: Range<Int>, _ block: Int) {
    for v in 0..<dlogits.vectors {
      var sum = FloatVector.zero
      for row in rows { sum += dlogits[row, vector: v] }
      biasGradients[block, vector: v] = sum
    }
  }

  /// Completes db2, and returns the loss: the mean over the minibatch, in nats per character. Both
  /// are shares, if there are other ranks.
  func finish(_ db2: PaddedMatrix) -> Float {
    let biasGradients = biasGradients
    for v in 0..<db2.vectors {
      var sum = biasGradients[0, vector: v]
      for block in 1..<max(blockCount, 1) { sum += biasGradients[block, vector: v] }
      db2[0, vector: v] = sum
    }
    var loss = 0.0
    for block in 0..<blockCount { loss += Double(losses[block, 0]) }
    return Float(loss / Double(input.batchSize))
  }
}
