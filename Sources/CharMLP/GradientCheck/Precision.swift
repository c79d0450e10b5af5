// The two precisions that tensors are compared in, and the size of their last place.
//
// Every comparison is computed in Double, which holds the numbers of both exactly; the precision only
// says how much of a difference rounding may explain.

public import Safetensors

/// The precision that numbers were computed in.
public enum Precision: String, CaseIterable, Sendable {
  case float32
  case float64

  /// The distance of neighbouring numbers at 1: 2⁻²³ or 2⁻⁵².
  public var ulpOfOne: Double {
    switch self {
    case .float32: Double(Float.ulpOfOne)
    case .float64: Double.ulpOfOne
    }
  }

  /// The distance of neighbouring numbers at `x`.
  func ulp(of x: Double) -> Double {
    switch self {
    case .float32: Double(Float(x).ulp)
    case .float64: x.ulp
    }
  }

  /// The element type of a safetensors file.
  public var dataType: DataType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    }
  }
}
