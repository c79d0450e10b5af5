// The health of a network on one minibatch, as the lecture looks at it: are units saturated or
// dead, and do gradients reach every tensor at a sensible size?
//
// It comes from one pass of the derivation beside the training, and does not affect it. Nothing
// here judges; what is normal is for the report to say.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

package import LinearAlgebra
import RealModule

/// Activations and gradients of one minibatch.
package struct Diagnostics: Equatable, Sendable {
  /// The magnitude beyond which a tanh unit is saturated, as in the lecture: less than 1 − h² =
  /// 0.06 of a gradient passes.
  package static let saturation: Float = 0.97

  /// tanh activations, from −1 to 1.
  package let activations: Histogram
  /// The share of activations beyond `saturation`, from 0 to 1.
  package let saturatedShare: Double
  /// Units that are saturated for every window of the minibatch, and so learn nothing from it.
  package let deadUnits: Int
  /// The number of units.
  package let units: Int
  /// Every parameter's gradient, in the order of `Parameters`.
  package let gradients: [GradientSummary]
  /// The gradient of the logits.
  package let dlogits: Matrix<Float>  // (n, vocabulary)

  /// Runs a minibatch through the network and back.
  package init(_ parameters: Parameters<Float>, _ minibatch: Minibatch) {
    let pass = Derivation(parameters, minibatch)
    let h = pass.h  // (n, hidden)
    // The outermost bins are what is saturated: 32 between them, and one beyond on either side.
    let edge = Double(Self.saturation) * (1 + 2.0 / 32)
    activations = Histogram(h.elements.lazy.map(Double.init), bins: 34, over: -edge...edge)
    let isSaturated = h.elements.map { abs($0) > Self.saturation }
    saturatedShare = Double(isSaturated.count { $0 }) / Double(max(h.count, 1))
    deadUnits = (0..<h.columns).count { unit in
      (0..<h.rows).allSatisfy { isSaturated[$0 * h.columns + unit] }
    }
    units = h.columns
    let gradients = pass.gradients
    self.gradients = Parameters<Float>.ordered.map { name, path in
      GradientSummary(
        name, gradient: gradients[keyPath: path], data: parameters[keyPath: path])
    }
    dlogits = pass.dlogits
  }
}

/// The distribution of one tensor's gradient.
package struct GradientSummary: Equatable, Sendable {
  /// The parameter's name.
  package let name: String
  /// The number of elements.
  package let count: Int
  /// The standard deviation of the gradient.
  package let deviation: Double
  /// The gradient's standard deviation over that of the parameter; nil if the parameter is
  /// constant.
  package let ratio: Double?
  /// log₁₀ of the magnitudes, from 10⁻⁸ to 10; exact zeros lie outside.
  package let magnitudes: Histogram
  /// Elements that are exactly zero.
  package let zeros: Int

  init(_ name: String, gradient: Matrix<Float>, data: Matrix<Float>) {
    self.name = name
    count = gradient.count
    deviation = gradient.standardDeviation
    let scale = data.standardDeviation
    ratio = scale > 0 ? deviation / scale : nil
    zeros = gradient.elements.count { $0 == 0 }
    magnitudes = Histogram(
      gradient.elements.lazy.map { .log10(Double($0.magnitude)) }, bins: 54, over: -8...1)
  }
}

extension Matrix<Float> {
  /// The standard deviation of all elements with n − 1, as PyTorch's `std`; 0 for one element.
  var standardDeviation: Double {
    guard count > 1 else { return 0 }
    let mean = elements.reduce(0) { $0 + Double($1) } / Double(count)
    let squares = elements.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (squares / Double(count - 1)).squareRoot()
  }
}

// MARK: Minibatch

extension Minibatch {
  /// Draws a minibatch of the recipe's size from the training windows: always the same one for a
  /// run, and not one that it trains on.
  ///
  /// It has fewer windows if the pass would need tensors of more than 2¹⁸ elements, and is nil if
  /// two would be too many.
  package static func forDiagnosis(_ dataset: Dataset, _ recipe: Recipe) -> Minibatch? {
    let shape = recipe.shape(vocabulary: dataset.vocabulary.count)
    let count = min(recipe.batchSize, Self.elementLimit / shape.widestRow)
    guard count >= 2 else { return nil }
    var stream = MinibatchStream(
      dataset.train, batchSize: count, generator: TorchGenerator(seed: recipe.diagnosticsSeed))
    return stream.next()
  }

  /// Keeps a pass below about 30 MiB, far less than an evaluation takes.
  private static let elementLimit = 1 << 18
}

// MARK: Update ratios

/// log₁₀ of std(update) / std(data) for every parameter, as the lecture plots it.
///
/// It compares the parameters before and after a step, so it holds for every optimizer.
///
/// - Returns: In the order of `Parameters`; nil where the update or the parameter does not vary.
package func updateRatios(
  from before: Parameters<Float>, to after: Parameters<Float>
) -> [(name: String, logarithm: Double?)] {
  Parameters<Float>.ordered.map { name, path in
    let data = before[keyPath: path]
    let update = (after[keyPath: path] - data).standardDeviation
    let scale = data.standardDeviation
    return (name, update > 0 && scale > 0 ? .log10(update / scale) : nil)
  }
}

// MARK: Histograms

/// How many values lie in each of several bins of equal width.
package struct Histogram: Equatable, Sendable {
  /// Where the first bin begins and the last one ends.
  package let range: ClosedRange<Double>
  /// Values in each bin; a bin includes its lower edge, the last one also its upper.  (bins)
  package let counts: [Int]
  /// Values outside the range, and those that are not a number.
  package let outside: Int

  /// Counts values.
  ///
  /// - Precondition: there is at least one bin, and the range is not empty.
  package init(_ values: some Sequence<Double>, bins: Int, over range: ClosedRange<Double>) {
    precondition(
      bins >= 1 && range.lowerBound < range.upperBound, "Histogram: \(bins) bins over \(range)")
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    var counts = [Int](repeating: 0, count: bins)
    var outside = 0
    for value in values {
      guard range.contains(value) else {
        outside += 1
        continue
      }
      counts[min(Int((value - range.lowerBound) / width), bins - 1)] += 1
    }
    (self.range, self.counts, self.outside) = (range, counts, outside)
  }

  /// All values, also those outside.
  package var total: Int { counts.reduce(outside, +) }

  /// The middle of a bin.
  package func center(of bin: Int) -> Double {
    let width = (range.upperBound - range.lowerBound) / Double(counts.count)
    return range.lowerBound + (Double(bin) + 0.5) * width
  }

  /// The share of all values in a bin.
  package func share(of bin: Int) -> Double { Double(counts[bin]) / Double(max(total, 1)) }
}
