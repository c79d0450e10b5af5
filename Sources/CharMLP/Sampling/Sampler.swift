// New words from a trained network.
//
// The next character depends on the last few characters alone, so the network is a Markov chain. If
// the request is a prefix alone, words are drawn from the chain as they come. Otherwise they come
// from the exact conditional distribution (WordSpace), or, if the chain has too many states for
// that, from the chain with rejection under a budget (LockstepSampler). The same seed gives the
// same words, on one thread as here or on several (SamplerTeam).

import RealModule

/// Draws words from a model, one after the other.
public struct Sampler: WordSource {
  /// What to draw.
  public struct Request: Sendable {
    /// The same seed gives the same words.
    public var seed: UInt64
    /// Temperature, top-k and top-p.
    public var chain = ChainOptions()
    /// The conditions that every word meets.
    public var constraints = WordConstraints()
    /// Words never to draw.
    public var forbidden = ForbiddenWords()
    /// Whether each word is drawn only once; memory grows with the words.
    public var isUnique = false
    /// The most characters drawn in search of one word; nil for a number that takes seconds, or a
    /// minute if words are known to be that rare. It is smaller for large vocabularies, whose
    /// characters are more work.
    public var budget: Int?

    /// Any words of the chain but the empty one.
    public init(seed: UInt64) { self.seed = seed }

    /// - Throws: `ConstraintError.option` for a value that asks for nothing.
    func validate() throws(ConstraintError) {
      try chain.validate()
      if let budget, budget < 1 {
        throw .option("budget", found: "\(budget)", expected: "at least 1 character")
      }
    }
  }

  /// How words are found.
  public enum Method: String, Sendable {
    /// From the chain: every word meets the request.
    case free
    /// From the exact conditional distribution.
    case exact
    /// From the chain, abandoning words that cannot meet the request.
    case rejection
  }

  /// How words are found.
  public let method: Method
  private let vocabulary: Vocabulary
  private let seed: UInt64
  private let numbers: WordNumbers
  private var index: UInt64 = 0
  /// One of the two.
  private var exact: ExactSampler?
  private var lockstep: LockstepSampler?

  /// Prepares to draw from a network, alone or mixed with counts.
  ///
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  public init(_ source: some Predicting, _ request: Request) throws(ConstraintError) {
    self = try Plan(source.predictor, request).sampler()
  }

  /// Prepares to draw words that begin with a prefix, perhaps at another temperature than 1.
  ///
  /// - Throws: `ConstraintError` if the prefix has a character that the model does not know.
  public init(
    _ source: some Predicting, seed: UInt64, temperature: Double = 1, prefix: String = ""
  ) throws(ConstraintError) {
    var request = Request(seed: seed)
    request.chain = ChainOptions(temperature: temperature)
    request.constraints.prefix = prefix
    try self.init(source, request)
  }

  init(_ predictor: Predictor, _ request: Request, stateLimit: Int) throws(ConstraintError) {
    self = try Plan(predictor, request, stateLimit: stateLimit).sampler()
  }

  /// One of `members` samplers that carry out a plan together.
  fileprivate init(_ plan: Plan, _ numbers: WordNumbers, members: Int) {
    method = plan.method
    vocabulary = plan.predictor.model.vocabulary
    seed = plan.request.seed
    self.numbers = numbers
    if let space = plan.space {
      exact = ExactSampler(space, isUnique: plan.request.isUnique, budget: plan.budget)
    } else {
      lockstep = plan.search(NextCharacterNetwork(plan.predictor), numbers, members: members)
    }
  }

  /// The next word.
  ///
  /// - Throws: `SamplingError` if there is none, nor will be later.
  public mutating func next() throws(SamplingError) -> String {
    var word = DrawnWord()
    try next(into: &word)
    return vocabulary.decode(word.ids)
  }

  /// The attempts made in search of all words found; 0 if every attempt is a word.
  public var attempts: Int { method == .rejection ? Int(lockstep?.collectedCount ?? 0) : 0 }

  /// Finds the next word and returns true, or works towards it for a moment and returns false.
  public mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    if let isFound = try lockstep?.proceed(into: &word) { return isFound }
    try exact?.draw(Philox(seed: seed, stream: numbers[index]), into: &word)
    index += 1
    return true
  }
}

extension Sampler {
  /// How a request is met: what all samplers of a team share.
  struct Plan: Sendable {
    let predictor: Predictor
    let request: Request
    let language: WordLanguage
    let method: Method
    /// The exact distribution, if that is the method.
    let space: WordSpace?
    /// The most characters drawn in search of one word.
    var budget: Int

    init(
      _ predictor: Predictor, _ request: Request, stateLimit: Int = WordSpace.stateLimit
    ) throws(ConstraintError) {
      try request.validate()
      self.predictor = predictor
      self.request = request
      language = try WordLanguage(request.constraints, predictor.model.vocabulary)
      let isFree =
        language.isFree && request.forbidden.isEmpty && !request.isUnique
        && !request.chain.isTruncating
      space =
        isFree
        ? nil
        : WordSpace(
          NextCharacterNetwork(predictor), request.chain, language, request.forbidden,
          stateLimit: stateLimit)
      method = isFree ? .free : space == nil ? .rejection : .exact
      budget = request.shortBudget(vocabulary: predictor.model.shape.vocabulary)
    }

    /// The characters of a search of a minute or two.
    var longBudget: Int { min(100_000_000, 2_700_000_000 / predictor.model.shape.vocabulary) }

    /// The words of a block, or its attempts, if several samplers take turns: some milliseconds'
    /// worth, so that waiting for each other costs little.
    var blockSize: Int { method == .rejection ? 256 : 8192 }

    /// One of `members` that draw from the chain as it is.
    func search(
      _ network: NextCharacterNetwork, _ numbers: WordNumbers, members: Int
    ) -> LockstepSampler {
      LockstepSampler(
        network, language, request, numbers, isFree: method == .free, budget: budget,
        byteLimit: LockstepSampler.byteLimit / members)
    }

    /// A sampler of all words, or of those of one of `members`.
    func sampler(_ numbers: WordNumbers = .all, members: Int = 1) -> Sampler {
      Sampler(self, numbers, members: members)
    }
  }
}

extension Sampler.Request {
  /// The characters of a search of some seconds, whatever the vocabulary: the work of a character
  /// grows with it.
  func shortBudget(vocabulary: Int) -> Int {
    budget ?? max(1, min(1_000_000, 100_000_000 / vocabulary))
  }
}

// MARK: - Chain options

/// How the distribution of the next character follows from its logits: temperature, then top-k,
/// then top-p, at every step.
///
/// The end of a word is a character like any other. Constraints on whole words condition the chain
/// that these options define (see WordConstraints). Logits are Float, probabilities Double.
public struct ChainOptions: Equatable, Sendable {
  /// What the logits are divided by; above 0.
  public var temperature: Double
  /// How many of the likeliest characters are kept, at least 1; nil keeps all. Of equally likely
  /// ones the lower id is kept.
  public var topK: Int?
  /// The smallest set of the likeliest characters whose probabilities reach this sum is kept
  /// (nucleus sampling; Holtzman et al., "The curious case of neural text degeneration", 2020). It
  /// is above 0 and at most 1, which keeps all.
  public var topP: Double

  /// By default the chain of the model as it is; values are checked where they are used.
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
  }

  /// - Throws: `ConstraintError.option` for a value that defines no chain.
  func validate() throws(ConstraintError) {
    guard temperature > 0, temperature.isFinite else {
      throw .option("temperature", found: "\(temperature)", expected: "a number above 0")
    }
    guard (topK ?? 1) >= 1 else {
      throw .option("top-k", found: "\(topK ?? 0)", expected: "at least 1")
    }
    guard topP > 0, topP <= 1 else {
      throw .option("top-p", found: "\(topP)", expected: "above 0 and at most 1")
    }
  }

  /// Whether some characters may lose all their probability.
  var isTruncating: Bool { topK != nil || topP < 1 }
}

extension ChainOptions {
  /// Applies these options to a distribution: p to the power of 1 / temperature, truncated and
  /// normalized again.
  func apply(to probabilities: inout [Double]) {
    if temperature != 1 {
      // Divided by the largest before, so that the powers do not all vanish.
      let largest = probabilities.max() ?? 1
      var sum = 0.0
      for id in probabilities.indices {
        let power = Double.exp(.log(probabilities[id] / largest) / temperature)
        probabilities[id] = power
        sum += power
      }
      for id in probabilities.indices { probabilities[id] /= sum }
    }
    if isTruncating { truncate(&probabilities) }
  }

  /// Sets all but the likeliest to zero.
  func truncate(_ probabilities: inout [Double]) {
    let order = probabilities.indices.sorted {
      (probabilities[$1], $0) < (probabilities[$0], $1)
    }
    var kept = 0
    var sum = 0.0
    let limit = min(topK ?? .max, order.count)
    while kept < limit, sum < topP || topP == 1 {
      sum += probabilities[order[kept]]
      kept += 1
    }
    for id in order[kept...] { probabilities[id] = 0 }
    for id in order[..<kept] { probabilities[id] /= sum }
  }
}

// MARK: - Words

/// A source of words, one after the other, in small steps.
public protocol WordSource: SendableMetatype {
  /// Finds the next word and returns true, or works towards it for a moment and returns false.
  ///
  /// - Throws: `SamplingError` if there is none, nor will be later.
  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool
  /// The attempts made so far in search of the words found; 0 if every word meets the request.
  var attempts: Int { get }
}

extension WordSource {
  /// None failed: every word meets the request.
  public var attempts: Int { 0 }

  /// Finds the next word, reusing the memory of another.
  ///
  /// - Throws: `SamplingError` if there is none, nor will be later.
  public mutating func next(into word: inout DrawnWord) throws(SamplingError) {
    while try !proceed(into: &word) {}
  }
}

/// A word of a model, with the logarithm of its probability in the chain.
public struct DrawnWord: Equatable, Sendable {
  /// The ids of its characters, without a terminator.
  public internal(set) var ids: [Int32] = []
  /// The natural logarithm of the word's probability in the chain, without constraints.
  public internal(set) var logProbability = 0.0

  /// An empty word, to be drawn into.
  public init() {}
}

/// Why there is no further word.
public enum SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The words that are left have less than 10⁻⁹ of the probability, or none at all.
  case exhausted
  /// One word took more characters than the budget allows.
  case budgetSpent(characters: Int)
  /// Words that meet the request are so rare that one is likely to take more characters than the
  /// budget allows.
  case tooRare(Rarity)
  /// The search for the most probable words has used all the memory that it may.
  case searchTooLarge(bytes: Int)
  /// The search for the next of the most probable words has looked at all the beginnings that it
  /// may.
  case searchTooLong(beginnings: Int)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .exhausted: "less than 1e-9 of the probability is left for words that meet the request"
    case .budgetSpent(let characters):
      "\(characters) characters drawn without a word that meets the request"
    case .tooRare(let rarity):
      "of the words that the model makes, one in about \(rarity.roundedOdds) meets the request"
    case .searchTooLarge(let bytes):
      "the search for more of the most probable would take more than \(bytes >> 20) MiB"
    case .searchTooLong(let beginnings):
      "the search for the next of the most probable did not end after \(beginnings) beginnings of words"
    }
  }
}

/// A running product of probabilities that does not underflow.
struct LogProduct {
  private var product = 1.0
  private var logs: Double

  init(_ log: Double = 0) { logs = log }

  @inline(__always)
  mutating func multiply(_ probability: Double) {
    product *= probability
    if product < 1e-280 {
      logs += .log(product)
      product = 1
    }
  }

  var log: Double { logs + .log(product) }
}
