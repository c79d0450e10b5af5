// What passes between the ranks of a training: four sums in every step, each of one flat buffer.
//
// 1. Σ hprebn, a number for each hidden unit;
// 2. Σ (hprebn − bnmeani)², as many: with 1 the two passes of batch norm's variance;
// 3. dbngain and dbnbias, two for each unit: batch norm's way back needs them whole;
// 4. all other gradients, this rank's share of the loss, and whether it was asked to stop.
//
// After the fourth every rank has the same gradients and makes the same update. Rows go with their
// padding, which is zero.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

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
