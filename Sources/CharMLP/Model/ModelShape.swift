// The four sizes that determine every tensor of the network.

/// The sizes of the network.
public struct ModelShape: Equatable, Hashable, Sendable, Codable {
  /// Symbols with the terminator; rows of C, columns of the logits.
  public let vocabulary: Int
  /// Characters of context that the network sees (block size, context length).
  public let blockSize: Int
  /// Numbers that represent one character.
  public let embedding: Int
  /// Units of the hidden layer.
  public let hidden: Int

  /// Makes a shape; every size is at least 1, which it is the caller's part to check.
  public init(vocabulary: Int, blockSize: Int, embedding: Int, hidden: Int) {
    precondition(
      min(vocabulary, blockSize, embedding, hidden) >= 1,
      "ModelShape: vocabulary \(vocabulary), block \(blockSize), embedding \(embedding), hidden \(hidden)"
    )
    self.vocabulary = vocabulary
    self.blockSize = blockSize
    self.embedding = embedding
    self.hidden = hidden
  }

  /// The width of `embcat`: block · embedding.
  public var contextWidth: Int { blockSize * embedding }

  /// The columns of the widest matrix with a row for each context.
  var widestRow: Int { max(contextWidth, hidden, vocabulary) }
}
