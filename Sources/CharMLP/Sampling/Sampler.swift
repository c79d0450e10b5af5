// New words from a trained network, and how they compare with words that it was not trained on.
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

    /// A request for any words but the empty one.
    public init(seed: UInt64) { self.seed = seed }

    /// - Throws: `ConstraintError.option` for a value that asks for nothing.
    func validate() throws(ConstraintError) {
      try chain.validate()
      if let budget, budget < 1 {
        throw .option("budget", found: "\(budget)", expected: "at least 1 character")
      }
    }

    /// The characters drawn in a search of a few seconds: fewer for a large vocabulary, where each
    /// is more work.
    func shortBudget(vocabulary: Int) -> Int {
      budget ?? max(1, min(1_000_000, 100_000_000 / vocabulary))
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
  /// One of these two finds the words.
  private var exact: ExactSampler?
  private var lockstep: LockstepSampler?

  /// Prepares to draw from a network, alone or mixed with counts.
  ///
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  public init(_ source: some Predicting, _ request: Request) throws(ConstraintError) {
    self.init(try Plan(source.predictor, request))
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

  /// A sampler of all words, or of the share of one of `members` that carry out a plan together.
  init(_ plan: Plan, _ numbers: WordNumbers = .all, members: Int = 1) {
    method = plan.method
    vocabulary = plan.predictor.model.vocabulary
    seed = plan.request.seed
    self.numbers = numbers
    if let space = plan.space {
      exact = ExactSampler(space, isUnique: plan.request.isUnique, budget: plan.budget)
    } else {
      lockstep = plan.search(numbers, members: members)
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

  /// How a request is met: what all samplers of a team share.
  struct Plan: Sendable {
    let predictor: Predictor
    let request: Request
    let language: EncodedConstraints
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
      language = try EncodedConstraints(request.constraints, predictor.model.vocabulary)
      let acceptsAll =
        language.acceptsAll && request.forbidden.isEmpty && !request.isUnique
        && !request.chain.isTruncating
      space =
        acceptsAll
        ? nil
        : WordSpace(
          NextCharacterNetwork(predictor), request.chain, language, request.forbidden,
          stateLimit: stateLimit)
      method = acceptsAll ? .free : space == nil ? .rejection : .exact
      budget = request.shortBudget(vocabulary: predictor.model.shape.vocabulary)
    }

    /// The characters of a search of a minute or two.
    var longBudget: Int { min(100_000_000, 2_700_000_000 / predictor.model.shape.vocabulary) }

    /// The words of a block, or its attempts, if several samplers take turns: some milliseconds'
    /// worth, so that waiting for each other costs little.
    var blockSize: Int { method == .rejection ? 256 : 8192 }

    /// One of `members` that draw from the chain as it is.
    func search(_ numbers: WordNumbers, members: Int) -> LockstepSampler {
      LockstepSampler(
        NextCharacterNetwork(predictor), language, request, numbers, acceptsAll: method == .free,
        budget: budget, byteLimit: LockstepSampler.byteLimit / members)
    }
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
  case tooRare(RejectionEstimate)
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
    case .tooRare(let estimate):
      "of the words that the model makes, one in about \(estimate.roundedOdds) meets the request"
    case .searchTooLarge(let bytes):
      "the search for more of the most probable words would take more than \(bytes >> 20) MiB"
    case .searchTooLong(let beginnings):
      "the search for the next most probable word was not finished after \(beginnings) prefixes"
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

// MARK: - A model's words beside others
//
// By their lengths, by their pairs of characters, and by how new they are. The training words are
// compared with the held-out ones in the same way: the difference between two samples of one source
// is not the model's fault.

/// Counts of lengths and of pairs of neighbouring characters, the two ends of a word included.
package struct WordStatistics: Sendable {
  /// How many words there are.
  package let count: Int
  package private(set) var lengths = LengthDistribution()
  /// How often each pair occurs; the terminator stands before and after every word.
  /// (vocabulary · vocabulary)
  let bigrams: [Int]

  /// Counts words of ids, given without a terminator.
  init(_ words: [[Int32]], vocabularyCount: Int) {
    count = words.count
    var bigrams = [Int](repeating: 0, count: vocabularyCount * vocabularyCount)
    for word in words {
      lengths.add(length: word.count)
      var last = 0
      for id in word {
        bigrams[last * vocabularyCount + Int(id)] += 1
        last = Int(id)
      }
      bigrams[last * vocabularyCount] += 1
    }
    self.bigrams = bigrams
  }

  /// The Jensen-Shannon divergence of two distributions given by counts, in bits: 0 if they are
  /// equal, 1 if they have nothing in common (Lin, IEEE Trans. Information Theory 37, 1991).
  ///
  /// Σ ½ p log₂(p/m) + ½ q log₂(q/m) with m = (p + q)/2; counts beyond a list's end are zero.
  static func divergence(_ left: [Int], _ right: [Int]) -> Double {
    let totals = (Double(left.reduce(0, +)), Double(right.reduce(0, +)))
    guard totals.0 > 0, totals.1 > 0 else { return .nan }
    var sum = 0.0
    for index in 0..<max(left.count, right.count) {
      let p = index < left.count ? Double(left[index]) / totals.0 : 0
      let q = index < right.count ? Double(right[index]) / totals.1 : 0
      let m = (p + q) / 2
      if p > 0 { sum += 0.5 * p * .log2(p / m) }
      if q > 0 { sum += 0.5 * q * .log2(q / m) }
    }
    return sum
  }
}

/// Statistics of sampled, training and held-out words.
package struct SampleReport: Sendable {
  /// A word and the training word nearest to it.
  package struct Neighbour: Equatable, Sendable {
    package let word: String
    package let nearest: String
    package let distance: Int
  }

  /// What is reported about one kind of words.
  package struct Words: Sendable {
    package let statistics: WordStatistics
    /// The share that is not among the training words.
    package let novel: Double
    /// The share that remains when every word is counted once.
    package let distinct: Double
    /// The divergence of the lengths from those of the held-out words, in bits.
    package let lengthDivergence: Double
    /// The divergence of the pairs of characters from those of the held-out words, in bits.
    package let bigramDivergence: Double
  }

  package let sampled: Words
  /// Words that the best n-gram model makes.
  package let counted: Words
  package let training: Words
  package let heldOut: Words
  /// The first sampled words that are not training words, with their neighbours.
  package let neighbours: [Neighbour]

  /// Compares sampled words, and those of an n-gram model, with those that trained, validated and
  /// tested.
  ///
  /// - Parameter neighbourCount: For how many words to look for the nearest training word, each of
  ///   which takes as long as reading the list.
  package init(
    _ words: [[Int32]], counted: [[Int32]], _ dataset: Dataset, neighbourCount: Int
  ) {
    let count = dataset.vocabulary.count
    let train = Self.words(of: dataset.train)
    let others = Self.words(of: dataset.validation) + Self.words(of: dataset.test)
    let known = Set(train)
    let reference = WordStatistics(others, vocabularyCount: count)
    func describe(_ words: [[Int32]]) -> Words {
      let statistics = WordStatistics(words, vocabularyCount: count)
      let total = Double(max(1, words.count))
      return Words(
        statistics: statistics, novel: Double(words.count { !known.contains($0) }) / total,
        distinct: Double(Set(words).count) / total,
        lengthDivergence: WordStatistics.divergence(
          statistics.lengths.counts, reference.lengths.counts),
        bigramDivergence: WordStatistics.divergence(statistics.bigrams, reference.bigrams))
    }
    sampled = describe(words)
    self.counted = describe(counted)
    training = describe(train)
    heldOut = describe(others)
    let list = NearestWords(dataset.words, selecting: dataset.split.train)
    neighbours = words.lazy.filter { !known.contains($0) }.prefix(neighbourCount).compactMap {
      ids in
      let word = dataset.vocabulary.decode(ids)
      return list.nearest(to: word).map {
        Neighbour(word: word, nearest: $0.word, distance: $0.distance)
      }
    }
  }

  /// The words that windows come from.
  private static func words(of windows: ContextWindows) -> [[Int32]] {
    windows.targets.split(separator: Vocabulary.terminator, omittingEmptySubsequences: true)
      .map(Array.init)
  }
}
