// What words are drawn from and scored by: a network alone, or mixed with an n-gram model.
//
// Both parts, how they are mixed and fitted, and their losses; then the losses of counting alone,
// which a network is compared with. NextCharacterNetwork evaluates many contexts at once, for
// drawing.

import RealModule

/// A network, alone or together with counts: what words are drawn from and scored by.
public struct Predictor: Predicting, Sendable {
  /// The network.
  public let model: Model
  /// The other part of the mixture; nil if the network is alone.
  public let counting: Counting?

  /// An n-gram model, and the share of the network that it is mixed with.
  public struct Counting: Sendable {
    /// λ, the network's share.
    public let weight: Double
    /// The counts.
    public let ngram: NGramModel
  }

  /// A network alone.
  public init(_ model: Model) { (self.model, counting) = (model, nil) }

  /// A network with the n-gram model of the windows that trained it.
  public init(_ model: Model, _ mixture: Mixture, trainedOn windows: ContextWindows) {
    self.model = model
    counting = Counting(
      weight: mixture.weight,
      ngram: NGramModel(of: windows, order: mixture.order, discounting: mixture.discounting))
  }

  /// An n-gram model alone: the network, which names the symbols, has no share.
  package init(ngramOnly entry: Baseline.Entry, _ dataset: Dataset, vocabularyOf model: Model) {
    self.init(
      model, Mixture(weight: 0, order: entry.order, discounting: entry.discounting),
      trainedOn: dataset.train)
  }

  /// The predictor itself.
  public var predictor: Predictor { self }

  /// The number of characters that the next one depends on.
  public var contextLength: Int { max(model.shape.blockSize, (counting?.ngram.order ?? 1) - 1) }

  /// The mean cross-entropy of each part of a split, in nats per character.
  package func losses(_ dataset: Dataset) -> SplitLosses {
    guard counting != nil else { return SplitLosses(model, dataset) }
    return SplitLosses(dataset.measured) { loss(over: $0) }
  }

  /// The mean cross-entropy over windows, in nats per character.
  package func loss(over windows: ContextWindows) -> Double {
    let contexts = ContextWindows(windows, blockSize: contextLength).distinct()
    guard let counting else { return model.loss(over: contexts) }
    let network = model.probabilities(over: contexts)
    let counted = counting.ngram.probabilities(over: contexts)
    var total = 0.0
    for entry in network.indices {
      let p = counting.weight * network[entry] + (1 - counting.weight) * counted[entry]
      total -= .log(p) * Double(contexts.targetCounts[entry])
    }
    return total / Double(contexts.windowCount)
  }
}

// MARK: - Mixtures
//
// The network and counting together. Bengio et al., "A neural probabilistic language model", 2003,
// mixed theirs with a trigram.
//
// p(c | context) = λ · p_network(c | context) + (1 − λ) · p_n-gram(c | context)
//
// The two err in different places, so the mixture is usually better than either. λ, order and
// discount follow from the network and the words that validate, and from nothing else: a resumed
// run has the same ones.

/// How a network is mixed with an n-gram model: what a model file says about it.
public struct Mixture: Equatable, Sendable {
  /// λ, the network's share, from 0 to 1.
  public let weight: Double
  /// The length of the n-grams.
  public let order: Int
  /// How counts are discounted.
  public let discounting: Discounting

  /// Creates a mixture from known values.
  public init(weight: Double, order: Int, discounting: Discounting) {
    (self.weight, self.order, self.discounting) = (weight, order, discounting)
  }

  /// The orders among which the best is chosen by validation.
  public static let orders = 2...8
}

/// Whether a network is mixed with an n-gram model.
public enum Mix: String, CaseIterable, Sendable {
  /// The network alone.
  case none
  /// With the Kneser-Ney model that fits it best.
  case ngram
}

// MARK: - Fitting a mixture
//
// λ, order and discount, from the validation words.
//
// The n-gram models are counted and evaluated once for a run; only the network's probabilities
// change from one evaluation to the next. So a fit costs a pass of the network over the validation
// words, and some sums.

/// The n-gram models of a run, ready to be mixed with its network again and again.
struct MixtureFit {
  private let contexts: DistinctContexts
  private let candidates: [Candidate]

  /// A model and the probabilities that it gives to the validation words.
  private struct Candidate {
    let order: Int
    let discounting: Discounting
    var probabilities: [Double]  // by entry of `contexts`
  }

  /// Counts the training words, and looks up those that validate.
  init(_ dataset: Dataset) {
    let length = Mixture.orders.upperBound - 1
    let counts = NGramCounts(ContextWindows(dataset.train, blockSize: length).distinct())
    let blockSize = max(length, dataset.train.blockSize)
    let contexts = ContextWindows(dataset.measured.validation, blockSize: blockSize).distinct()
    let smoothings = Discounting.allCases.map { KneserNey(counts, $0) }
    var candidates = Mixture.orders.flatMap { order in
      Discounting.allCases.map {
        Candidate(
          order: order, discounting: $0,
          probabilities: Array(repeating: 0, count: contexts.targets.count))
      }
    }
    KneserNey.forEachEntry(of: smoothings, over: contexts) { entry, smoothing, probabilities in
      for (index, order) in Mixture.orders.enumerated() {
        candidates[index * smoothings.count + smoothing].probabilities[entry] =
          probabilities[order - 1]
      }
    }
    (self.contexts, self.candidates) = (contexts, candidates)
  }

  /// The mixture with the smallest validation loss.
  func mixture(with model: Model) -> Mixture {
    let network = model.probabilities(over: contexts)
    let fits = candidates.map { fit(network, $0.probabilities) }
    let best = fits.indices.min { fits[$0].loss < fits[$1].loss } ?? 0
    return Mixture(
      weight: fits[best].weight, order: candidates[best].order,
      discounting: candidates[best].discounting)
  }

  /// The prior, λ = 1/2, counts as this many windows for the network and as many against it, so
  /// that twenty words cannot drive λ to an extreme.
  private static let priorWindows = 20.0
  /// Newton's method takes about five rounds, and about ten where λ tends to 0 or 1.
  private static let (roundLimit, tolerance) = (60, 1e-9)

  /// λ by Newton's method, and the loss with it.
  ///
  /// The posterior's logarithm is concave in λ, so its derivative
  ///
  ///     Σ counts · (network − counted) / p + prior · (1/λ − 1/(1 − λ)),
  ///     p = λ · network + (1 − λ) · counted,
  ///
  /// falls from ∞ at 0 to −∞ at 1. Where a step would leave the part that holds its root, the part
  /// is halved instead.
  private func fit(_ network: [Double], _ counted: [Double]) -> (weight: Double, loss: Double) {
    let (network, counted, counts) = (network.span, counted.span, contexts.targetCounts.span)
    var (low, high, weight) = (0.0, 1.0, 0.5)
    for _ in 0..<Self.roundLimit {
      var derivative = Self.priorWindows * (1 / weight - 1 / (1 - weight))
      var curvature =
        Self.priorWindows * (1 / (weight * weight) + 1 / ((1 - weight) * (1 - weight)))
      for entry in 0..<counts.count {
        let difference = network[entry] - counted[entry]
        let ratio = difference / (counted[entry] + weight * difference)
        derivative += Double(counts[entry]) * ratio
        curvature += Double(counts[entry]) * ratio * ratio
      }
      if derivative > 0 { low = weight } else { high = weight }
      let next = weight + derivative / curvature
      guard abs(next - weight) > Self.tolerance else { break }
      weight = low < next && next < high ? next : (low + high) / 2
    }
    var loss = 0.0
    for entry in 0..<counts.count {
      let p = weight * network[entry] + (1 - weight) * counted[entry]
      loss -= Double(counts[entry]) * .log(p)
    }
    return (weight, loss / Double(contexts.windowCount))
  }
}

// MARK: - Losses of words
//
// For a program that has words and not windows.

/// A network that predicts, alone or together with counts.
public protocol Predicting {
  /// What words are drawn from and scored by.
  var predictor: Predictor { get }
}

extension Model: Predicting {
  /// The network alone.
  public var predictor: Predictor { Predictor(self) }
}

extension Predicting {
  /// The mean cross-entropy of the characters of some words and of their ends, in nats per
  /// character.
  ///
  /// −1/n · Σ log p(c | context) over all n characters, every word's end being one.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func loss(of words: WordList) throws(VocabularyError) -> Double {
    let predictor = predictor
    let encoded = try EncodedWords(words, vocabulary: predictor.model.vocabulary)
    return predictor.loss(over: ContextWindows(encoded, blockSize: 1))
  }

  /// The natural logarithm of the probability that a word is drawn: Σ log p(c | context) over its
  /// characters and its end.
  ///
  /// `WordScorer` gives the parts of the sum.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func logProbability(of word: String) throws(VocabularyError) -> Double {
    let predictor = predictor
    let vocabulary = predictor.model.vocabulary
    let ids = try vocabulary.encode(word) + [Vocabulary.terminator]
    let encoded = EncodedWords(ids: ids, vocabularyCount: vocabulary.count)
    return -predictor.loss(over: ContextWindows(encoded, blockSize: 1)) * Double(ids.count)
  }

  /// The mean cross-entropy over windows, whatever their block size, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if they have another number of symbols than the
  ///   network.
  public func loss(on windows: ContextWindows) throws(VocabularyError) -> Double {
    let count = predictor.model.vocabulary.count
    guard windows.vocabularyCount == count else {
      throw .otherSymbols(windows.vocabularyCount, network: count)
    }
    return predictor.loss(over: windows)
  }

  /// The mean cross-entropy over each part of a data set, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if the data has other symbols than the network.
  public func losses(on dataset: Dataset) throws(VocabularyError) -> SplitLosses {
    let vocabulary = predictor.model.vocabulary
    guard dataset.vocabulary == vocabulary else {
      throw .otherSymbols(dataset.vocabulary.count, network: vocabulary.count)
    }
    return predictor.losses(dataset)
  }
}

// MARK: - Unigrams
//
// A network that does no better has not even learned how often characters occur.

extension SplitLosses {
  /// The losses of drawing every character, ends of words included, by how often it occurs in the
  /// training words: (count + 1) / (windows + vocabulary).
  public static func unigram(_ dataset: Dataset) -> SplitLosses {
    var counts = [Double](repeating: 1, count: dataset.vocabulary.count)
    for target in dataset.train.targets { counts[Int(target)] += 1 }
    let total = counts.reduce(0, +)
    let losses = counts.map { -Double.log($0 / total) }
    func mean(_ windows: ContextWindows) -> Double {
      windows.targets.reduce(0.0) { $0 + losses[Int($1)] } / Double(windows.count)
    }
    return SplitLosses(
      train: mean(dataset.train), validation: mean(dataset.validation), test: mean(dataset.test))
  }
}

// MARK: - The baseline
//
// All orders and both ways to discount are tried, because the best is not known beforehand; it is
// chosen by validation, never by test.

/// The losses of interpolated Kneser-Ney models of several orders over the parts of a split.
public struct Baseline: Equatable, Sendable {
  /// The orders tried.
  public static let orders = 2...6

  /// One model's losses.
  public struct Entry: Equatable, Sendable {
    /// The length of the n-grams.
    public let order: Int
    /// How counts are discounted.
    public let discounting: Discounting
    /// In nats per character.
    public let losses: SplitLosses
  }

  /// By order, then fixed before estimated.
  public let entries: [Entry]

  /// Counts the training words and evaluates all parts.
  public init(_ dataset: Dataset) {
    let blockSize = Self.orders.upperBound - 1
    let parts = [dataset.train, dataset.validation, dataset.test].map {
      ContextWindows($0, blockSize: blockSize).distinct()
    }
    let counts = NGramCounts(parts[0])
    let smoothings = Discounting.allCases.map { KneserNey(counts, $0) }
    let losses = parts.map { KneserNey.losses(of: smoothings, over: $0) }
    entries = Self.orders.flatMap { order in
      Discounting.allCases.enumerated().map { index, discounting in
        let parts = losses.map { $0[index][order - 1] }
        return Entry(
          order: order, discounting: discounting,
          losses: SplitLosses(train: parts[0], validation: parts[1], test: parts[2]))
      }
    }
  }

  /// The model with the smallest validation loss; of equals the one of lower order, then the fixed
  /// one.
  public var best: Entry { Self.best(of: entries) }

  /// The better of the two models that see a network's context, or as much of it as any model here:
  /// those of order min(blockSize + 1, 6).
  public func best(forBlockSize blockSize: Int) -> Entry {
    precondition(blockSize >= 1, "Baseline: block size \(blockSize)")
    let order = min(blockSize, Self.orders.upperBound - 1) + 1
    return Self.best(of: entries.filter { $0.order == order })
  }

  private static func best(of entries: [Entry]) -> Entry {
    guard let best = entries.min(by: { $0.losses.validation < $1.losses.validation }) else {
      preconditionFailure("Baseline: there is a model of every order")
    }
    return best
  }
}
