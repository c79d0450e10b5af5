// What is computed while the clock runs: one minibatch and one set of parameters, for all sides.

import CharMLP

/// The parameters and the minibatch that every side starts from.
struct BenchProblem {
  let recipe: Recipe
  let parameters: Parameters<Float>
  let minibatch: Minibatch
  /// The six products of a step through the minibatch, in the order of the step.
  let products: [StepProduct]

  init(_ recipe: Recipe, _ dataset: Dataset) {
    self.recipe = recipe
    var generator = TorchGenerator(seed: recipe.seed)
    parameters = .notebook(
      recipe.shape(vocabulary: dataset.vocabulary.count), seed: recipe.seed,
      generator: &generator)
    var stream = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
    minibatch = stream.next()
    products = StepProduct.all(Derivation(parameters, minibatch))
  }
}
