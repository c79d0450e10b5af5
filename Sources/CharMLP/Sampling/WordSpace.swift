// Every word that may be drawn, with its exact probability, as a walk from character to character.
//
// At a position (context, automaton state, length, node of forbidden words) each character weighs
//   p(x | c) · R(what it leads to),
// where R is h of the completion table, less the forbidden words: at a node of their tree R is the sum of
// these weights. So a forbidden word's probability is taken away along its path, and yet nothing is ever
// subtracted: R is exactly zero if, and only if, no word is left. Dividing by R makes the conditional
// distribution. The walk itself stands in WordSpace+Walking, R of forbidden words in WordSpace+Forbidden.

/// The constrained chain: contexts × automaton × lengths, less a tree of forbidden words.
struct WordSpace: Sendable {
  let language: WordLanguage
  /// The logarithm of the probability that a word begins with the prefix.
  let prefixLogProbability: Double
  let vocabularyCount: Int

  let chain: ExploredChain
  let completion: CompletionTable
  /// Forbidden words that begin with the prefix, without it.
  var forbidden: ForbiddenWords
  /// R at the nodes of forbidden words.  (nodes)
  var masses: [Double] = []
  /// Where each node of forbidden words is.  (nodes)
  var positions: [Position] = []

  /// Where a word stands that is not finished.
  struct Position {
    var context: Int32
    var state: Int32
    var length: Int32
    /// −1 once no forbidden word begins like this one.
    var node: Int32
  }

  /// The most (context, automaton state) pairs.
  static let stateLimit = 300_000

  /// Nil if the chain has too many states for an exact answer.
  init?(
    _ network: NextCharacterNetwork, _ options: ChainOptions, _ language: WordLanguage,
    _ forbidden: ForbiddenWords, stateLimit: Int = Self.stateLimit
  ) {
    guard
      let chain = ExploredChain(network, options, language, stateLimit: stateLimit),
      let completion = CompletionTable(chain, language)
    else { return nil }
    self.language = language
    self.chain = chain
    self.completion = completion
    self.forbidden = forbidden.following(language.prefix)
    vocabularyCount = network.shape.vocabulary
    prefixLogProbability = WordScorer(network, options).logProbability(ofPrefix: language.prefix)
    measureForbidden()
  }
}
