// What a difference is small or large in comparison with.
//
// For a tensor that is its largest element. Two gradients are zero in exact arithmetic, and what a
// pass computes for them is nothing but rounding, so that they have no size of their own:
// - logit_maxes: a softmax does not change when a number is subtracted from all its logits;
// - b1: batch norm subtracts the mean, and the mean takes all of b1 with it.
// They are judged absolutely, by the size of the terms that cancel in their sums.

/// The size of every tensor of a pass.
struct Magnitudes: Sendable {
  /// The sum that cancels, and whose terms it adds up, by name in a file.
  static let cancelling = ["dlogit_maxes": "dnorm_logits", "db1": "dhprebn"]

  private let largest: [String: Double]

  init(_ steps: Derivation<Double>) {
    largest = Dictionary(
      uniqueKeysWithValues: steps.tensorsByFileName.map { name, value in
        (name, value.elements.reduce(0) { max($0, abs($1)) })
      })
  }

  /// The largest magnitude in a tensor, or in the terms that it is the vanishing sum of.
  ///
  /// - Parameter tensor: Its name in a file, such as `h` or `dh`.
  subscript(tensor: String) -> Double {
    guard let magnitude = largest[Self.cancelling[tensor] ?? tensor] else {
      preconditionFailure("Magnitudes: \(tensor) is no tensor of the pass")
    }
    return magnitude
  }
}
