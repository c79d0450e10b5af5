// A layer's parameters and their gradients: two blocks of memory with one layout.
//
// Because the layouts agree, an update rule is one loop over two blocks, whatever tensors they hold.

import LinearAlgebra

/// The memory of the parameters that one layer, or one slice of it, owns.
final class ParameterMemory {
  private var parameters: PaddedMemory
  private var gradients: PaddedMemory

  /// Allocates room for `capacity` floats of each, all zero.
  init(capacity: Int) {
    parameters = PaddedMemory(capacity: capacity)
    gradients = PaddedMemory(capacity: capacity)
  }

  /// Cuts a parameter and its gradient, at the same place of both blocks.
  func matrix(rows: Int, columns: Int) -> (parameter: PaddedMatrix, gradient: PaddedMatrix) {
    (
      parameters.matrix(rows: rows, columns: columns),
      gradients.matrix(rows: rows, columns: columns)
    )
  }

  /// One step of gradient descent: every parameter −= learningRate · its gradient.
  func descend(learningRate: Float) {
    let parameter = parameters.whole()  // (1, capacity)
    let gradient = gradients.whole()  // (1, capacity)
    let rate = FloatVector(repeating: -learningRate)
    for v in 0..<parameter.vectors {
      parameter[0, vector: v] = multiplyAdd(rate, gradient[0, vector: v], parameter[0, vector: v])
    }
  }
}
