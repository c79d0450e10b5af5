// What a loop of one's own takes from a recipe: the parameters that it begins with, the minibatches, and in the
// end the network that predicts. A loop that makes the recipe's updates learns what the trainer learns, bit by bit.

public import LinearAlgebra

extension Recipe {
  /// The parameters that a run begins with, and the generator as it stands after them.
  func beginning(vocabulary: Int) -> (parameters: Parameters<Float>, generator: TorchGenerator) {
    var generator = TorchGenerator(seed: seed)
    var parameters = Parameters.notebook(
      shape(vocabulary: vocabulary), seed: seed, generator: &generator)
    if embeddingScale != 1 { parameters.C = embeddingScale * parameters.C }
    return (parameters, generator)
  }

  /// The parameters and the minibatches that a run of this recipe begins with.
  ///
  /// - Throws: `RecipeError` if a setting has a value that it cannot have, or the data set has windows of
  ///   another block size.
  public func start(
    on dataset: Dataset
  ) throws(RecipeError) -> (parameters: Parameters<Float>, minibatches: MinibatchStream) {
    try validate()
    guard blockSize == dataset.blockSize else {
      throw .blockSize(blockSize, ofData: dataset.blockSize)
    }
    let (parameters, generator) = beginning(vocabulary: dataset.vocabulary.count)
    let minibatches = MinibatchStream(
      dataset.trainingText, blockSize: blockSize, batchSize: batchSize, generator: generator)
    return (parameters, minibatches)
  }
}

extension TrainableNetwork {
  /// The network as it stands, ready to predict: its average, if one is kept, with batch norm's statistics over
  /// the windows that train.
  ///
  /// - Throws: `RecipeError` if the data set has another block size, or another number of symbols.
  public func model(on dataset: Dataset) throws(RecipeError) -> Model {
    guard shape.blockSize == dataset.blockSize else {
      throw .blockSize(shape.blockSize, ofData: dataset.blockSize)
    }
    guard shape.vocabulary == dataset.vocabulary.count else {
      throw .vocabulary(shape.vocabulary, ofData: dataset.vocabulary.count)
    }
    let parameters = average ?? parameters
    return Model(
      vocabulary: dataset.vocabulary, parameters: parameters,
      statistics: Calibration(dataset.measured.train).statistics(parameters))
  }
}
