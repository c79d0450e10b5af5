// The pass's tensors under the names they have in files: a gradient has a d in front.

import LinearAlgebra

extension Derivation {
  /// Every tensor of the pass: the intermediates, then the gradients.
  var tensorsByFileName: [(name: String, value: Matrix<Scalar>)] {
    Self.forwardTensors.map { ($0.name, self[keyPath: $0.path]) }
      + Self.gradientTensors.map { ("d" + $0.name, self[keyPath: $0.path]) }
  }
}
