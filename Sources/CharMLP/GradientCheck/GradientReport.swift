// Everything a gradient check found.

/// The rows of a gradient check, in the notebook's order.
public struct GradientReport: Equatable, Sendable {
  /// The precision of the reference; Double if there is none.
  public let precision: Precision
  /// Gradients, from the loss down to the embedding.
  public let gradients: [Comparison]
  /// Tensors of the forward pass.
  public let forward: [Comparison]

  /// All rows.
  public var comparisons: [Comparison] { gradients + forward }

  /// The rows whose difference rounding does not explain.
  public var wrong: [Comparison] { comparisons.filter { $0.verdict == .wrong } }

  /// Whether nothing is wrong.
  public var passed: Bool { wrong.isEmpty }
}
