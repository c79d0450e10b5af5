// What words are drawn from and scored by: a network alone, or mixed with an n-gram model.
//
// It holds both parts and the losses of the two together. How drawing evaluates many contexts at once
// is NextCharacterNetwork's business; how λ is found is MixtureFit's.

import RealModule

/// A network, alone or together with counts: what words are drawn from and scored by.
public struct Predictor: Sendable {
  /// The network.
  public let model: Model
  /// The other part of the mixture; nil if the network is alone.
  public let counting: Counting?

  /// An n-gram model, and how much the network beside it counts.
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

  /// An n-gram model alone: the network has no share.
  ///
  /// - Parameter model: Says which symbols there are.
  package init(counting entry: Baseline.Entry, _ dataset: Dataset, instead model: Model) {
    self.init(
      model, Mixture(weight: 0, order: entry.order, discounting: entry.discounting),
      trainedOn: dataset.train)
  }

  /// The number of characters that the next one depends on.
  public var contextLength: Int { max(model.shape.blockSize, (counting?.ngram.order ?? 1) - 1) }

  /// The mean cross-entropy of each part of a split, in nats per character.
  package func losses(_ dataset: Dataset) -> SplitLosses {
    guard counting != nil else { return SplitLosses(model, dataset) }
    let parts = dataset.measured
    return SplitLosses(
      train: loss(over: parts.train), validation: loss(over: parts.validation),
      test: loss(over: parts.test))
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
