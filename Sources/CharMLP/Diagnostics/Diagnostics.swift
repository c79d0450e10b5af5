// The health of a network on one minibatch, as the lecture looks at it: are units saturated or dead, and
// do gradients reach every tensor at a sensible size?
//
// It is read off one pass of the derivation, beside the training and without any effect on it.
// Nothing here judges: what is normal, the report says.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra
import RealModule

/// Activations and gradients of one minibatch.
public struct Diagnostics: Equatable, Sendable {
  /// A tanh unit is saturated beyond this magnitude, the lecture's: there 1 − h² < 0.06 of a gradient
  /// passes.
  public static let saturation: Float = 0.97

  /// tanh activations, from −1 to 1.
  public let activations: Histogram
  /// The share of activations beyond `saturation`, from 0 to 1.
  public let saturatedShare: Double
  /// Units that are saturated for every window of the minibatch: none of them teaches these anything.
  public let deadUnits: Int
  /// The number of units.
  public let units: Int
  /// Every parameter's gradient, in the order of `Parameters`.
  public let gradients: [GradientSummary]
  /// The gradient of the logits.
  public let dlogits: Matrix<Float>  // (n, vocabulary)
  /// The character that followed each window.  (n)
  public let targets: [Int32]

  /// Takes a minibatch through the network and back.
  public init(_ parameters: Parameters<Float>, _ minibatch: Minibatch) {
    let pass = Derivation(parameters, minibatch)
    let h = pass.h  // (n, hidden)
    activations = Histogram(h.elements.lazy.map(Double.init), bins: 40, over: -1...1)
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
    targets = minibatch.targets
  }
}

/// The distribution of one tensor's gradient.
public struct GradientSummary: Equatable, Sendable {
  /// The parameter's name.
  public let name: String
  /// The number of elements.
  public let count: Int
  /// The standard deviation of the gradient.
  public let deviation: Double
  /// The gradient's standard deviation over that of the parameter; nil if the parameter is constant.
  public let ratio: Double?
  /// log₁₀ of the magnitudes, from 10⁻⁸ to 10; what is exactly zero lies outside.
  public let magnitudes: Histogram
  /// Elements that are exactly zero.
  public let zeros: Int

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
