// Faults that the bounds alone would let pass, and that show all the same.
//
// What is zero but for rounding still has a sign and a size: those of what the file's own terms
// leave. And a single addition has the same last bits in every program.

import LinearAlgebra

extension PassJudge {
  /// The fewest different sums that show the sign of rounding.
  static let sumsForSign = 16

  /// The fewest different sums that show a factor in rounding, and the smallest factor that they
  /// show: of 29,000 right passes none was off by more than 1.5.
  static let sumsForFactor = 32
  static let factorOfRounding = 8.0

  /// With this many elements, no two ways to compute them give the same bits everywhere.
  static let elementsForBits = 200

  /// Whether there is a fault that is smaller than its bound and shows all the same.
  func hasHiddenFault(_ tensor: PassTensor, _ found: Matrix<Double>) -> Bool {
    if let cancelled = tensor.cancels {
      guard verdicts[cancelled]?.isFault != true,
        let rounding = rounding(tensor, found, of: cancelled)
      else { return false }
      return rounding.hasOtherSign || rounding.clearFactor != nil
    }
    if tensor == .dnorm_logits { return sharesMemoryWithLogits(found) }
    return tensor == .dlogits && misusesMaxes(found)
  }

  /// What cancels in the sums of a gradient that is zero but for rounding, one sum a row; nil if
  /// the file does not have it, or too few different sums. Equal windows have equal rounding.
  func cancellingTerms(of tensor: PassTensor, _ cancelled: PassTensor) -> Matrix<Double>? {
    guard let terms = found(cancelled) else { return nil }
    let rows = tensor == .dlogit_maxes ? terms : terms.transposed()
    let different = Set(
      (0..<rows.rows).map { rows.elements[$0 * rows.columns..<($0 + 1) * rows.columns] })
    return different.count >= Self.sumsForSign ? rows : nil
  }

  /// What a sum that is zero but for rounding has to do with what the file's own terms leave.
  struct Rounding {
    /// About 0.9 if it is their sum, and -0.9 if its sign is wrong.
    let correlation: Double
    /// How many times their sum it is: 1 ± 0.5 if it is that.
    let factor: Double
    let count: Int
    /// Whether it is much smaller than their sum: then it was rounded from a higher precision, and
    /// has nothing to do with it.
    let isOfHigherPrecision: Bool

    /// Whether the sign is wrong.
    var hasOtherSign: Bool { correlation < -0.25 && !isOfHigherPrecision }

    /// A factor that no right pass has.
    var clearFactor: Double? {
      let least = PassJudge.factorOfRounding
      guard count >= PassJudge.sumsForFactor, correlation > 0.6,
        factor >= least || (factor <= 1 / least && factor >= 1e-4)
      else { return nil }
      return factor
    }
  }

  /// Compares a sum that is zero but for rounding with what is left of its terms; nil if there are
  /// too few sums to say.
  func rounding(
    _ tensor: PassTensor, _ found: Matrix<Double>, of cancelled: PassTensor
  ) -> Rounding? {
    guard let rows = cancellingTerms(of: tensor, cancelled) else { return nil }
    let isNegative = tensor == .dlogit_maxes
    let sums = isNegative ? rows.exactRowSums.map { -$0 } : rows.exactRowSums
    let terms = isNegative ? rows : rows.transposed()
    let sizes = evaluator.evaluate(tensor, on: [cancelled: LineInput(terms)]).size.elements
    // In units of the terms, so that each element counts the same.
    var (product, squares) = (0.0, (0.0, 0.0))
    for index in sums.indices where sizes[index] > 0 {
      let (found, sum) = (found.elements[index] / sizes[index], sums[index] / sizes[index])
      product += found * sum
      squares = (squares.0 + found * found, squares.1 + sum * sum)
    }
    let scale = (squares.0 * squares.1).squareRoot()
    return Rounding(
      correlation: scale > 0 ? product / scale : 0,
      factor: squares.1 > 0 ? product / squares.1 : 1, count: rows.rows,
      isOfHigherPrecision: squares.0 < 1e-6 * squares.1)
  }

  /// dlogits that were made in the memory of dnorm_logits are the same numbers; then dlogit_maxes
  /// are not the sum of these, as they are where the second term of dlogits was only forgotten.
  private func sharesMemoryWithLogits(_ found: Matrix<Double>) -> Bool {
    guard found.count >= Self.elementsForBits, self.found(.dlogits) == found,
      let maxes = self.found(.dlogit_maxes), maxes.elements.contains(where: { $0 != 0 }),
      let rounding = rounding(.dlogit_maxes, maxes, of: .dnorm_logits)
    else { return false }
    return rounding.correlation < 0.25 && !rounding.isOfHigherPrecision
  }

  /// dlogit_maxes, which is zero but for rounding, belongs to the largest logit of each row.
  /// Whether it was forgotten, subtracted or added to all columns shows in the last bits: those of
  /// a single addition are the same in every program.
  func misusesMaxes(_ found: Matrix<Double>) -> Bool {
    guard verdicts[.dnorm_logits]?.isFault != true, let steps = self.found(.dnorm_logits),
      let maxes = self.found(.dlogit_maxes),
      let logits = self.found(.logits), found.count >= Self.elementsForBits
    else { return false }
    let part = logits.maximaOfRows * maxes
    let wrong = [steps, steps - part, steps + maxes]
    return found != precision.rounded(steps + part)
      && wrong.contains { found == precision.rounded($0) }
  }
}

extension Matrix<Double> {
  /// The sum of each row, its rounding made up for (Neumaier).
  fileprivate var exactRowSums: [Double] {
    (0..<rows).map { row in
      var (sum, lost) = (0.0, 0.0)
      for element in elements[row * columns..<(row + 1) * columns] {
        let next = sum + element
        lost += abs(sum) >= abs(element) ? (sum - next) + element : (element - next) + sum
        sum = next
      }
      return sum + lost
    }
  }
}
