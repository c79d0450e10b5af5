// How far one step moves each parameter, beside how large the parameter is.
//
// It compares parameters before and after a step and asks nobody how the step came about, so that it
// holds for every optimizer.

import LinearAlgebra
import RealModule

/// log₁₀ of std(update) / std(data) for every parameter, as the lecture plots it.
public struct UpdateRatios: Equatable, Sendable {
  /// In the order of `Parameters`; nil where the update or the parameter does not vary.
  public let logarithms: [(name: String, value: Double?)]

  /// Compares the parameters before a step with those after it.
  public init(from before: Parameters<Float>, to after: Parameters<Float>) {
    logarithms = Parameters<Float>.ordered.map { name, path in
      let data = before[keyPath: path]
      let update = (after[keyPath: path] - data).standardDeviation
      let scale = data.standardDeviation
      return (name, update > 0 && scale > 0 ? .log10(update / scale) : nil)
    }
  }

  public static func == (left: UpdateRatios, right: UpdateRatios) -> Bool {
    left.logarithms.elementsEqual(right.logarithms) { $0.name == $1.name && $0.value == $1.value }
  }
}
