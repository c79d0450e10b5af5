// The minibatch that diagnostics look at: always the same of a run, and none of those that train.

extension Minibatch {
  /// Draws a minibatch of the recipe's size from the training windows, with a generator of its own.
  ///
  /// Fewer windows if the pass would need tensors of more than 2¹⁸ elements; nil if two were too many.
  public static func forDiagnosis(_ dataset: Dataset, _ recipe: Recipe) -> Minibatch? {
    let shape = recipe.shape(vocabulary: dataset.vocabulary.count)
    let count = min(recipe.batchSize, Self.elementLimit / shape.widestRow)
    guard count >= 2 else { return nil }
    // Not the seed itself: that minibatch was trained on first.
    var stream = MinibatchStream(
      dataset.train, batchSize: count, generator: TorchGenerator(seed: recipe.seed &+ 1))
    return stream.next()
  }

  /// Keeps a pass below about 30 MiB, which no run notices beside its evaluation.
  private static let elementLimit = 1 << 18
}
