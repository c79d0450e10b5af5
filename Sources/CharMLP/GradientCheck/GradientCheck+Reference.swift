// Somebody's tensors against ours, in the precision of their file.

import LinearAlgebra

extension GradientCheck {
  /// Every tensor of the reference against our pass in the same precision.
  func referenceTensors() -> [String: Comparison] {
    guard let reference else { return [:] }
    let ours = Reference(computing: problem, in: reference.precision)
    return reference.tensors.reduce(into: [:]) { rows, tensor in
      guard let expected = ours.tensors[tensor.key] else {
        preconditionFailure("GradientCheck: \(tensor.key) is no tensor of the pass")
      }
      rows[tensor.key] = comparison(
        tensor.key, against: .reference, found: tensor.value, expected: expected,
        bound: bounds[tensor.key, reference.precision])
    }
  }
}
