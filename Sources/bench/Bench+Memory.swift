// Whether there is memory for what is to be measured, asked before any of it is taken.

import CharMLP
import CommandSupport

extension Bench {
  /// Refuses sizes that all sides together would need too much memory for.
  ///
  /// Products of all sizes go up to the largest batch, and beside a hidden layer of their own.
  /// - Throws: `CommandFailure` (71).
  func checkMemory(_ recipe: Recipe, vocabulary: Int) throws(CommandFailure) {
    var recipe = recipe
    if sizes {
      recipe.batchSize = max(recipe.batchSize, SizeTiming.sizes.last ?? 1)
      recipe.hidden = max(recipe.hidden, SizesReport.largeHidden)
    }
    let shape = recipe.shape(vocabulary: vocabulary)
    try Host.require(
      Self.byteCount(shape, batchSize: recipe.batchSize), for: "these sizes",
      advice: "Choose a smaller --hidden, --batch-size, --block-size or --embedding.")
  }

  /// Two fused engines, the derivations of two more and of the products, and the parameters and products
  /// that are as large: those to begin with, those compared, gradients and results of either kind.
  private static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int? {
    guard let engine = FusedEngine.byteCount(shape, batchSize: batchSize) else { return nil }
    let derivations = 3 * Trainer.derivation(shape, batchSize: batchSize)
    let total = 2 * Double(engine) + derivations + 16 * Trainer.parameters(shape)
    return total < 0x1p62 ? Int(total) : nil
  }
}
