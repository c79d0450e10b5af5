// The output in place: from the logits' sum to the loss and dlogits, all in one go.
//
// Padding columns carry a bias of −∞. So their probability is exactly zero, and neither the softmax
// nor a gradient needs to know where the vocabulary ends.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import RealModule

/// The output bias and the cross-entropy of the logits.
final class OutputLayer {
  let memory: ParameterMemory
  let b2: PaddedMatrix  // (1, vocabulary)
  let db2: PaddedMatrix  // (1, vocabulary)
  let dlogits: PaddedMatrix  // (n, vocabulary)

  private let activations: PaddedMemory

  init(_ parameters: Parameters<Float>, batchSize: Int) {
    let vocabulary = parameters.shape.vocabulary
    memory = ParameterMemory(capacity: PaddedMemory.size(rows: 1, columns: vocabulary))
    (b2, db2) = memory.matrix(rows: 1, columns: vocabulary)
    b2.fill(-.infinity)
    b2.assign(parameters.b2)

    var activations = PaddedMemory(
      capacity: PaddedMemory.size(rows: batchSize, columns: vocabulary))
    dlogits = activations.matrix(rows: batchSize, columns: vocabulary)
    self.activations = activations
  }

  /// dlogits = (softmax(logits + b2) − onehot(Yb)) / n, db2 = dlogits.sum(.rows), and the loss.
  ///
  /// - Parameter logits: h @ W2, without the bias; padding columns hold zeros.  (n, vocabulary)
  func crossEntropy(_ logits: PaddedMatrix, _ minibatch: Minibatch) -> Float {
    let targets = minibatch.targets.span
    let n = Float(dlogits.rows)
    var loss = 0.0
    db2.fill(0)
    for row in 0..<dlogits.rows {
      let target = Int(targets[row])
      precondition(target >= 0 && target < b2.columns, "crossEntropy: id \(target)")
      loss -= Double(logProbability(row, target, logits))
      dlogits[row, target] -= 1 / n
      for v in 0..<db2.vectors { db2[0, vector: v] += dlogits[row, vector: v] }
    }
    return Float(loss / Double(n))
  }

  /// Leaves softmax / n of one row in dlogits, and returns the target's logprob.
  private func logProbability(_ row: Int, _ target: Int, _ logits: PaddedMatrix) -> Float {
    var largest = FloatVector(repeating: -.infinity)
    for v in 0..<b2.vectors {
      let biased = logits[row, vector: v] + b2[0, vector: v]
      dlogits[row, vector: v] = biased
      largest.replace(with: biased, where: biased .> largest)
    }
    let logit_max = largest.largestLane
    let norm_logit = dlogits[row, target] - logit_max
    var counts_sum = FloatVector.zero
    for v in 0..<b2.vectors {
      let counts = exp(dlogits[row, vector: v] - logit_max)
      dlogits[row, vector: v] = counts
      counts_sum += counts
    }
    let sum = counts_sum.sumOfLanes
    let scale = 1 / (sum * Float(dlogits.rows))
    for v in 0..<b2.vectors { dlogits[row, vector: v] *= scale }
    return norm_logit - .log(sum)
  }

  func read(into parameters: inout Parameters<Float>, _ gradients: inout Gradients<Float>) {
    b2.copy(to: &parameters.b2)
    db2.copy(to: &gradients.b2)
  }
}
