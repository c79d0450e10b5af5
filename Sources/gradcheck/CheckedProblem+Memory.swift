// Whether there is memory for a check, asked before any of it is taken.

import CharMLP
import CommandSupport

extension CheckedProblem {
  /// Refuses sizes that make tensors too large to be checked, or too many for the memory.
  /// - Throws: `CommandFailure` (71).
  static func checkMemory(_ shape: ModelShape, batchSize: Int) throws(CommandFailure) {
    let advice = "Choose a smaller --hidden, --batch-size, --block-size or --embedding."
    let largest = GradientProblem.largestTensor(shape, batchSize: batchSize)
    guard let largest, largest <= GradientProblem.elementLimit else {
      let limit = Format.count(GradientProblem.elementLimit)
      throw CommandFailure(
        .resources, "these sizes make tensors of more than \(limit) elements", advice: advice)
    }
    try Host.require(byteCount(shape, batchSize: batchSize), for: "these sizes", advice: advice)
  }

  /// In Double: the derivation, its forms in one go, what is reported, and the passes of each thread.
  private static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int {
    let pass = Trainer.derivation(shape, batchSize: batchSize) + 4 * Trainer.parameters(shape)
    return Int(2 * pass) * (3 + availableCores())
  }
}
