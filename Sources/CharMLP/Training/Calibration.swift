// Batch norm's statistics over a whole split, as the notebook calibrates them after training.
//
// Where there are few different inputs, they follow from counts of pairs (see InputCovariance). Otherwise
// they cost what the distinct contexts cost: each is computed once and counts as often as it occurs. The
// contexts come in blocks, whose means and sums of squares are merged (Chan, Golub and LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// A split, seen once, over which batch norm's statistics are measured again and again.
enum Calibration {
  case covariance(InputCovariance)
  case contexts(DistinctContexts)

  /// Looks through windows, of which there are at least 2, in the way that makes measuring cheaper.
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
  /// Measures mean and variance of hprebn over all windows behind `contexts`, of which there are ≥ 2.
  public init(_ parameters: Parameters<Float>, over contexts: DistinctContexts) {
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
