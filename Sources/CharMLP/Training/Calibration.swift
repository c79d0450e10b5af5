// Batch norm's statistics over a whole split, as the notebook calibrates them after training.
//
// Where there are few different inputs, they follow from counts of pairs (see InputCovariance).
// Otherwise they cost what the distinct contexts cost: each is computed once and counts as often as
// it occurs. The contexts come in blocks, whose means and sums of squares are merged (Chan, Golub
// and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// A split prepared once, over which batch norm's statistics are measured again and again.
enum Calibration {
  case covariance(InputCovariance)
  case contexts(DistinctContexts)

  /// Prepares windows, at least 2, in the way that makes measuring cheaper.
  init(_ windows: ContextWindows) {
    if let covariance = InputCovariance(windows) {
      self = .covariance(covariance)
    } else {
      self = .contexts(windows.distinct())
    }
  }

  /// Mean and variance of every hidden unit before batch norm, over all windows.
  func statistics(_ parameters: Parameters<Float>) -> BatchNormStatistics {
    switch self {
    case .covariance(let covariance): covariance.statistics(parameters)
    case .contexts(let contexts): BatchNormStatistics(parameters, over: contexts)
    }
  }
}

extension BatchNormStatistics {
  /// Measures mean and variance of hprebn over all windows that `contexts` counts, at least 2.
  package init(_ parameters: Parameters<Float>, over contexts: DistinctContexts) {
    var total = WeightedMoments(columns: parameters.shape.hidden)
    for block in contexts.blocks(width: parameters.shape.widestRow) {
      let product = MatrixProduct.blas(parameters.embcat(block.contexts), parameters.W1)
      let hprebn = (product + parameters.b1).converted(to: Double.self)  // (n, hidden)
      let weights = Matrix(
        rows: hprebn.rows, columns: 1,
        elements: block.indices.map { Double(contexts.weight(of: $0)) })
      total.merge(WeightedMoments(hprebn, weights: weights))
    }
    precondition(total.weight >= 2, "BatchNormStatistics: \(total.weight) windows")
    self.init(
      bnmean: total.mean.converted(), bnvar: (total.squares / (total.weight - 1)).converted())
  }
}

/// Weight, mean and sum of squared deviations of some rows, column by column.
private struct WeightedMoments {
  var weight: Double
  var mean: Matrix<Double>  // (1, columns)
  var squares: Matrix<Double>  // (1, columns)

  init(columns: Int) {
    weight = 0
    mean = .zeros(1, columns)
    squares = .zeros(1, columns)
  }

  init(_ rows: Matrix<Double>, weights: Matrix<Double>) {
    weight = weights.sum()
    mean = (weights * rows).sum(.rows) / weight
    squares = (weights * pow(rows - mean, 2)).sum(.rows)
  }

  mutating func merge(_ other: WeightedMoments) {
    let sum = weight + other.weight
    let difference = other.mean - mean
    mean = mean + other.weight / sum * difference
    squares = squares + other.squares + weight * other.weight / sum * pow(difference, 2)
    weight = sum
  }
}

// MARK: From counts of pairs
//
// A context is a one-hot vector for each position, and hprebn is linear in them. So its mean and
// variance over all windows follow from the mean and the covariance of these vectors, which are
// counts of pairs: taken once, they make every measurement cost (block·vocabulary)² a unit, however
// many windows there are.

/// Mean and covariance of the one-hot contexts of some windows.
package struct InputCovariance: Equatable, Sendable {
  private let mean: Matrix<Double>  // (1, block·vocabulary)
  private let covariance: Matrix<Double>  // (block·vocabulary, block·vocabulary), over n − 1

  /// The most inputs, block·vocabulary: 8 MiB of covariances.
  private static let inputLimit = 1024

  /// Counts the pairs in all windows, of which there are at least 2.
  ///
  /// - Returns: nil if the windows have too many different inputs for counting to pay.
  package init?(_ windows: ContextWindows) {
    let inputs = windows.blockSize * windows.vocabularyCount
    guard inputs <= Self.inputLimit else { return nil }
    precondition(windows.count >= 2, "InputCovariance: \(windows.count) windows")
    let n = Double(windows.count)
    let pairs = pairCounts(windows.contexts, windows.blockSize, windows.vocabularyCount)
    let counts = Matrix(
      rows: 1, columns: inputs, elements: (0..<inputs).map { Double(pairs[$0 * inputs + $0]) })
    mean = counts / n
    let together = Matrix(rows: inputs, columns: inputs, elements: pairs.map(Double.init))
    // Σ xᵢxⱼ − n·meanᵢ·meanⱼ; the counts and their products by n are integers, and exact.
    covariance = (n * together - MatrixProduct.blas(counts.T, counts)) / (n * (n - 1))
  }

  /// Mean and variance of every hidden unit before batch norm.
  func statistics(_ parameters: Parameters<Float>) -> BatchNormStatistics {
    let exact = parameters.converted(to: Double.self)
    let rows = exact.rowsOfInputs(exact.W1)  // (block·vocabulary, hidden)
    let mean = MatrixProduct.blas(self.mean, rows) + parameters.b1.converted()  // (1, hidden)
    let variance = (rows * MatrixProduct.blas(covariance, rows)).sum(.rows)  // (1, hidden)
    // Rounding may leave the variance of a unit that is the same everywhere below zero.
    let elements = variance.elements.map { Float(max($0, 0)) }
    return BatchNormStatistics(
      bnmean: mean.converted(),
      bnvar: Matrix(rows: 1, columns: elements.count, elements: elements))
  }
}

/// How many windows have a character at one position and a character at another, for all pairs of
/// both. (block·vocabulary, block·vocabulary)
private func pairCounts(_ contexts: [Int32], _ blockSize: Int, _ vocabulary: Int) -> [Int64] {
  let inputs = blockSize * vocabulary
  var counts = [Int64](repeating: 0, count: inputs * inputs)
  let contexts = contexts.span
  for window in stride(from: 0, to: contexts.count, by: blockSize) {
    for first in 0..<blockSize {
      let row = (first * vocabulary + Int(contexts[window + first])) * inputs
      for second in first..<blockSize {
        counts[row + second * vocabulary + Int(contexts[window + second])] += 1
      }
    }
  }
  for row in 0..<inputs {
    for column in 0..<row { counts[row * inputs + column] = counts[column * inputs + row] }
  }
  return counts
}

extension Parameters {
  /// C @ W1 position by position: what each character at each position adds to hprebn.
  /// (block·vocabulary, hidden)
  ///
  /// - Parameter W1: The parameters' own, or another of its shape.  (block·embedding, hidden)
  func rowsOfInputs(_ W1: Matrix<Scalar>) -> Matrix<Scalar> {
    let size = C.columns * W1.columns
    let elements = (0..<shape.blockSize).flatMap { position in
      let weights = Matrix(
        rows: C.columns, columns: W1.columns,
        elements: Array(W1.elements[position * size..<(position + 1) * size]))
      return MatrixProduct.blas(C, weights).elements
    }
    return Matrix(rows: shape.blockSize * C.rows, columns: W1.columns, elements: elements)
  }
}
