// Problems for the tests of the gradient check: the notebook's initialization, and ids without a
// rule.

import LinearAlgebra

@testable import CharMLP

extension GradientProblem {
  /// A problem of the given sizes, the same for the same seed.
  static func random(
    _ shape: ModelShape = ModelShape(vocabulary: 11, blockSize: 3, embedding: 4, hidden: 20),
    batchSize: Int, seed: UInt64
  ) -> GradientProblem {
    var generator = TorchGenerator(seed: seed)
    let parameters = Parameters.notebook(shape, seed: seed, generator: &generator)
    let ids = (0..<batchSize * (shape.blockSize + 1)).map { _ in
      Int32(generator.randint(below: shape.vocabulary))
    }
    let minibatch = Minibatch(
      blockSize: shape.blockSize, contexts: Array(ids[batchSize...]),
      targets: Array(ids[..<batchSize]))
    return GradientProblem(parameters.converted(), minibatch)
  }

  /// Whether all windows have one context: then there is no variance, and in front of batch norm no
  /// gradient that would not be rounding.
  var hasOneContext: Bool {
    let contexts = minibatch.contexts
    return contexts[minibatch.blockSize...] == contexts[..<(contexts.count - minibatch.blockSize)]
  }
}

/// Two gradients are zero in exact arithmetic: they have no largest element to be compared with.
let cancelling = PassTensor.gradients.filter { $0.cancels != nil }
