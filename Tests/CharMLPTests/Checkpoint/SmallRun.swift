// A run so small that its checkpoint can be damaged in every single bit.

@testable import CharMLP

/// Words, a recipe, and trainers at any step.
struct SmallRun {
  let dataset: Dataset
  var recipe = Recipe()

  init(steps: Int = 40, embedding: Int = 1, hidden: Int = 1) throws {
    let words = try WordList(["anna", "bert", "carla", "dora", "emil", "frida", "émile", "zoë"])
    recipe.blockSize = 2
    recipe.embedding = embedding
    recipe.hidden = hidden
    recipe.batchSize = 3
    recipe.steps = steps
    recipe.learningRate = 0.05
    dataset = try Dataset(words, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize)
  }

  var words: StoredWords { StoredWords(dataset.words) }

  /// A new run at a step.
  func trainer(at step: Int = 0, backward: Trainer.Backward = .fused) throws -> Trainer {
    let trainer = try Trainer(recipe, dataset, backward: backward)
    try trainer.advance(to: step)
    return trainer
  }

  /// The checkpoint file of a new run at a step.
  func file(at step: Int) throws -> [UInt8] {
    try Checkpoint(trainer(at: step), words: words).encoded()
  }
}
