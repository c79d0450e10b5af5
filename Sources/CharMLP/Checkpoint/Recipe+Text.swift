// The recipe as one line of JSON, as it stands in a model file.
//
// Keys stand in the order of the recipe, written by hand: encoders do not promise an order, and equal
// runs must have equal bytes.

extension Recipe {
  /// The recipe as JSON, keys in a fixed order.
  public var text: String {
    let fields: [(String, String)] = [
      ("block_size", "\(blockSize)"), ("embedding", "\(embedding)"), ("hidden", "\(hidden)"),
      ("batch_size", "\(batchSize)"), ("steps", "\(steps)"), ("learning_rate", "\(learningRate)"),
      ("seed", "\(seed)"), ("split_seed", "\(splitSeed)"),
      ("deduplicate", "\(deduplicate)"),
    ]
    return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }
}
