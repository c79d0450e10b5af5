// The memory that a run of training takes.
//
// An upper bound on the peak, so that excessive sizes are refused before anything is allocated: the
// engine, as its own layout counts it, beside a model that is evaluated and the file that is made
// of it. What never grows with the flags is left out, and so are the windows, which the data set
// answers for. Double cannot overflow here, and its rounding does not matter.

extension ModelShape {
  /// The bytes of all parameters in Float, once.
  package var parameterBytes: Double {
    let sizes = PassSizes(self, batchSize: 1)
    return PassTensor.parameters.reduce(0) { $0 + sizes.bytes(of: $1) }
  }

  /// The bytes that the derivation of a minibatch takes in Float: every tensor that it keeps, and
  /// what its longest line holds at the same time.
  package func derivationBytes(batchSize: Int) -> Double {
    let sizes = PassSizes(self, batchSize: batchSize)
    let tensors = PassTensor.computed.map(sizes.bytes)
    // hmask, hdrop and dhdrop are no tensors of the lecture's pass.
    let dropout = 3 * sizes.bytes(of: .h)
    return tensors.reduce(dropout, +) + 3 * (tensors.max() ?? 0)
  }
}

extension PassSizes {
  /// The bytes of a tensor in Float.
  fileprivate func bytes(of tensor: PassTensor) -> Double {
    shape(of: tensor).reduce(4) { $0 * Double($1) }
  }
}

extension Trainer {
  /// The bytes that training, evaluating and saving take together, or nil above what can be
  /// counted.
  package static func byteCount(
    _ recipe: Recipe, vocabulary: Int, backward: Backward = .fused, threads: Int = 1
  ) -> Int? {
    let shape = recipe.shape(vocabulary: vocabulary)
    let hasMoments = recipe.optimizer.hasMoments
    guard
      let engine = FusedEngine.byteCount(
        shape, batchSize: recipe.batchSize, threads: threads, hasMoments: hasMoments,
        hasAverage: recipe.averaging > 0)
    else { return nil }
    // The model's parameters, its folded first layer, the tensors of the file and the file.
    var copies = 4.0
    // AdamW's two moments: taken down, as tensors and in the file.
    if hasMoments { copies += 6 }
    // So is what is averaged, beside its average.
    if recipe.averaging > 0 { copies += 3 }
    var total = Double(engine) + copies * shape.parameterBytes + evaluationBytes(shape)
    if backward != .fused { total += shape.derivationBytes(batchSize: recipe.batchSize) }
    return total < 0x1p62 ? Int(total) : nil
  }

  /// A block of contexts: embcat, three matrices of Float and four of Double as wide as the widest.
  private static func evaluationBytes(_ shape: ModelShape) -> Double {
    let rows = Double(DistinctContexts.blockLength(width: shape.widestRow))
    return rows * Double(shape.widestRow) * (4 * 4 + 4 * 8)
  }
}
