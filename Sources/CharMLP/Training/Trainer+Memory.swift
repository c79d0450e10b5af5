// How much memory a run takes, so that sizes without measure are refused before the first allocation.
//
// An estimate from above, of the moment when most is held: the engine beside a model that is evaluated
// and the file that is made of it. What never grows with the flags is left out, and so are the windows,
// which the data set answers for. Doubles count without overflow, and their rounding means nothing here.

extension Trainer {
  /// The bytes that training, evaluating and saving take together, or nil above what can be counted.
  public static func byteCount(
    _ recipe: Recipe, vocabulary: Int, backward: Backward = .fused
  ) -> Int? {
    let shape = recipe.shape(vocabulary: vocabulary)
    guard let engine = FusedEngine.byteCount(shape, batchSize: recipe.batchSize) else { return nil }
    // The model's parameters, its folded first layer, the tensors of the file and the file.
    var total = Double(engine) + 4 * parameters(shape) + evaluation(shape)
    // AdamW's two moments: at work, taken down, as tensors and in the file.
    if recipe.optimizer.hasMoments { total += 8 * parameters(shape) }
    if backward != .fused { total += derivation(shape, batchSize: recipe.batchSize) }
    return total < 0x1p62 ? Int(total) : nil
  }

  /// The parameters, once.
  package static func parameters(_ shape: ModelShape) -> Double {
    let first = Double(shape.contextWidth) + 3  // W1, b1, bngain, bnbias
    let second = Double(shape.vocabulary)  // W2
    let embeddings = Double(shape.vocabulary) * Double(shape.embedding + 1)  // C, b2
    return 4 * ((first + second) * Double(shape.hidden) + embeddings)
  }

  /// A block of contexts: embcat, three matrices of Float and four of Double as wide as the widest.
  private static func evaluation(_ shape: ModelShape) -> Double {
    let rows = Double(DistinctContexts.blockLength(width: shape.widestRow))
    return rows * Double(shape.widestRow) * (4 * 4 + 4 * 8)
  }

  /// The derivation's intermediates and their gradients: 14 of (n, hidden), 13 of (n, vocabulary), a
  /// few of (n, block · embedding).
  package static func derivation(_ shape: ModelShape, batchSize: Int) -> Double {
    let columns =
      14 * Double(shape.hidden) + 13 * Double(shape.vocabulary) + 4 * Double(shape.contextWidth)
    return 4 * columns * Double(batchSize)
  }
}
