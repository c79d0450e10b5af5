// Where partial sums meet: those of slices in one process, and those of the ranks that train together.
//
// Among ranks four sums are formed in every step, each of one flat buffer:
// 1. Σ hprebn, a number for each hidden unit;
// 2. Σ (hprebn − bnmeani)², as many: with 1 the two passes of batch norm's variance;
// 3. dbngain and dbnbias, two for each unit: batch norm's way back needs them whole;
// 4. all other gradients, this rank's share of the loss, and whether it asks for training to stop.
//
// After the fourth every rank has the same gradients and makes the same update. Rows go with their
// padding, which is zero.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Adds up what slices of an engine contribute.
///
/// Parts are added in their order, always the same, so that the sum has the same bits however the work
/// was shared out.
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

/// The sums over ranks of an engine.
final class RankSums {
  let rows: RankSum
  let squares: RankSum
  let normalization: RankSum
  let gradients: RankSum

  private let scalars: PaddedMatrix  // (1, 2)

  init(
    _ arena: Arena, _ communicator: any Communicator, slices: [HiddenSlice], dC: PaddedMatrix,
    db2: PaddedMatrix
  ) {
    scalars = arena.block { $0.matrix(1, 2) }
    func sum(_ parts: [PaddedMatrix]) -> RankSum { RankSum(arena, parts, communicator) }
    rows = sum(slices.map(\.bnmeani))
    squares = sum(slices.map(\.bnvar_inv))
    normalization = sum(slices.flatMap { [$0.dbngain, $0.dbnbias] })
    gradients = sum(
      slices.flatMap { [$0.firstWeights.dW1, $0.dW2T] } + [dC, db2, scalars])
  }

  /// Forms the fourth sum.
  ///
  /// - Parameters:
  ///   - loss: This rank's share of the loss.
  ///   - asksToStop: Whether this rank asks for training to stop.
  /// - Returns: The loss, and whether any rank asks for training to stop.
  func formGradients(loss: Float, asksToStop: Bool) -> (loss: Float, isStopping: Bool) {
    scalars[0, 0] = loss
    scalars[0, 1] = asksToStop ? 1 : 0
    gradients.form()
    return (scalars[0, 0], scalars[0, 1] > 0)
  }
}

/// Matrices whose sums over all ranks are formed together.
final class RankSum {
  private let parts: [PaddedMatrix]
  private let communicator: any Communicator
  private let buffer: PaddedMatrix  // (1, all elements of the parts)

  init(_ arena: Arena, _ parts: [PaddedMatrix], _ communicator: any Communicator) {
    buffer = arena.block { $0.matrix(1, parts.reduce(0) { $0 + $1.rows * $1.stride }) }
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
