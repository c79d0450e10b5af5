// All of a chain that words under some constraints can meet, as two tables.

/// The contexts that the prefix leads to, each with its distribution; the first is the prefix's own.
struct ExploredChain: Sendable {
  /// By context and id.  (contexts, vocabulary)
  let probabilities: [Double]
  /// The context after each character; 0 where the character's probability is zero or it is not
  /// allowed.  (contexts, vocabulary)
  let successors: [Int32]
  let contexts: Int

  /// The most bytes of distributions.
  private static let byteLimit = 256 << 20

  /// Nil if there are more contexts than `stateLimit` allows for so many states of the automaton.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: WordLanguage,
    stateLimit: Int
  ) {
    let limit = min(
      stateLimit / language.automaton.count,
      Self.byteLimit / ContextGraph.bytesPerContext(vocabulary: network.shape.vocabulary))
    guard
      options.isTruncating || Self.contextCount(network.shape, language) <= Double(limit),
      var graph = ContextGraph(network, options, limit: limit),
      graph.number(after: language.prefix[...]) != nil, graph.explore(language.allowedLetters)
    else { return nil }
    let count = network.shape.vocabulary
    contexts = graph.count
    probabilities = (0..<contexts * count).map { graph.step($0 / count, $0 % count).probability }
    successors = (0..<contexts * count).map { max(0, graph.step($0 / count, $0 % count).successor) }
  }

  /// How many contexts a chain without zeros leads to: a word's beginnings, and full blocks.
  private static func contextCount(_ shape: ModelShape, _ language: WordLanguage) -> Double {
    var (count, ofLength) = (1.0, 1.0)
    let longest = language.maxLength.map { max(0, $0 - language.prefix.count) } ?? .max
    for _ in 0..<min(shape.blockSize, longest) {
      ofLength *= Double(language.letterCount)
      count += ofLength
    }
    return count
  }
}
