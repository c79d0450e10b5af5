// The optimizers' rules, in place on a whole block of parameters and its companions of the same layout.
//
// `Parameters.apply` is what they are checked against.

import LinearAlgebra

extension PaddedMatrix {
  /// Multiplies every element.
  func scale(by factor: Float) {
    for row in 0..<rows {
      for v in 0..<vectors { self[row, vector: v] *= factor }
    }
  }

  /// Every parameter −= learningRate · its gradient.
  func descend(_ gradient: PaddedMatrix, learningRate: Float) {
    let rate = FloatVector(repeating: -learningRate)
    for v in 0..<vectors {
      self[0, vector: v] = multiplyAdd(rate, gradient[0, vector: v], self[0, vector: v])
    }
  }

  /// m += (1 − β₁)(gradient − m), v += (1 − β₂)(gradient² − v), and every parameter −=
  /// learningRate · m̂ / (√v̂ + ε).
  func adapt(
    _ gradient: PaddedMatrix, _ first: PaddedMatrix, _ second: PaddedMatrix, _ adam: AdamStep,
    learningRate: Float
  ) {
    let share1 = FloatVector(repeating: 1 - AdamStep.beta1)
    let share2 = FloatVector(repeating: 1 - AdamStep.beta2)
    let rate = FloatVector(repeating: -(learningRate * adam.firstCorrection))
    let correction = FloatVector(repeating: adam.secondCorrection)
    let epsilon = FloatVector(repeating: AdamStep.epsilon)
    for index in 0..<vectors {
      let g = gradient[0, vector: index]
      let m = multiplyAdd(share1, g - first[0, vector: index], first[0, vector: index])
      let change = multiplyAdd(g, g, -second[0, vector: index])
      let v = multiplyAdd(share2, change, second[0, vector: index])
      first[0, vector: index] = m
      second[0, vector: index] = v
      // √v as v · 1/√v; what keeps zero from being divided by is far below ε².
      let root = multiplyAdd(v * reciprocalSquareRoot(v + 1e-30), correction, epsilon)
      self[0, vector: index] = multiplyAdd(rate, m / root, self[0, vector: index])
    }
  }
}
