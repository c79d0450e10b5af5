// New words from a trained network.
//
// The distribution of the next character depends on the last few characters alone, so the network is a
// Markov chain. Unless more is asked than a prefix, words are drawn from it as they come. Otherwise, where
// its states are few enough, from the exact conditional distribution (WordSpace); where they are too many,
// with rejection under a budget (LockstepSampler). The same seed gives the same words.

/// Draws words from a model, one after the other.
public struct Sampler {
  /// What a sampler is asked for.
  public struct Request: Sendable {
    public var seed: UInt64
    public var chain = ChainOptions()
    public var constraints = WordConstraints()
    /// Words that are never drawn.
    public var forbidden = ForbiddenWords()
    /// Whether no word is drawn twice; memory grows with the words.
    public var isUnique = false
    /// The most characters that are drawn in search of one word.
    public var budget = 1_000_000

    /// Any words of the chain, but not the empty one.
    public init(seed: UInt64) { self.seed = seed }
  }

  /// How words are found.
  public enum Method: String, Sendable {
    /// Every word of the chain is one as asked.
    case free
    /// From the exact conditional distribution.
    case exact
    /// By beginning words again that turn out not to be as asked.
    case rejection
  }

  public let method: Method
  private let vocabulary: Vocabulary
  private let seed: UInt64
  private var number: UInt64 = 0
  /// One of the two.
  private var exact: ExactSampler?
  private var lockstep: LockstepSampler?

  /// Prepares to draw.
  ///
  /// - Throws: `ConstraintError` if no word at all can be as asked, whatever the model.
  public init(_ model: Model, _ request: Request) throws(ConstraintError) {
    try self.init(model, request, stateLimit: WordSpace.stateLimit)
  }

  /// Prepares to draw words of the model as it is, or at another temperature, that begin with a prefix.
  ///
  /// - Throws: `ConstraintError` if the prefix has a character that the model does not know.
  public init(
    _ model: Model, seed: UInt64, temperature: Double = 1, prefix: String = ""
  ) throws(ConstraintError) {
    var request = Request(seed: seed)
    request.chain = ChainOptions(temperature: temperature)
    request.constraints.prefix = prefix
    try self.init(model, request)
  }

  init(_ model: Model, _ request: Request, stateLimit: Int) throws(ConstraintError) {
    let language = try WordLanguage(request.constraints, model.vocabulary)
    let network = NextCharacterNetwork(model)
    vocabulary = model.vocabulary
    seed = request.seed
    let isFree =
      language.isFree && request.forbidden.isEmpty && !request.isUnique
      && !request.chain.isTruncating
    if !isFree,
      let space = WordSpace(
        network, request.chain, language, request.forbidden, stateLimit: stateLimit)
    {
      method = .exact
      exact = ExactSampler(space, isUnique: request.isUnique, budget: request.budget)
    } else {
      method = isFree ? .free : .rejection
      lockstep = LockstepSampler(
        network, request.chain, language, request.forbidden, seed: request.seed,
        isUnique: request.isUnique, budget: request.budget)
    }
  }

  /// The next word.
  ///
  /// - Throws: `SamplingError` if there is none; there will be none later.
  public mutating func next() throws(SamplingError) -> String {
    var word = DrawnWord()
    try next(into: &word)
    return vocabulary.decode(word.ids)
  }

  /// Draws the next word into one that was drawn before, whose memory is used again.
  ///
  /// - Throws: `SamplingError` if there is none; there will be none later.
  public mutating func next(into word: inout DrawnWord) throws(SamplingError) {
    try exact?.draw(Philox(seed: seed, stream: number), into: &word)
    try lockstep?.next(into: &word)
    number += 1
  }
}
