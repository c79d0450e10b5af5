// How a network is mixed best: λ, order and discount, from the words that validate.
//
// The n-gram models are counted once for a run and give their probabilities once; only the network's
// change from one evaluation to the next. So a fit costs a pass of the network over the validation
// words, and some sums.

import RealModule

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
    let fits = candidates.map { fit(network, $0.probabilities, rounds: 12) }
    let best = fits.indices.min { fits[$0].loss < fits[$1].loss } ?? 0
    let fitted = fit(network, candidates[best].probabilities, rounds: 60)
    return Mixture(
      weight: fitted.weight, order: candidates[best].order,
      discounting: candidates[best].discounting)
  }

  /// What λ would be without any words, 1/2, counts as much as so many windows for it and as many
  /// against it: twenty words cannot drive it to an extreme.
  private static let priorWindows = 20.0

  /// λ by expectation and maximization, and the loss with it.
  private func fit(
    _ network: [Double], _ counted: [Double], rounds: Int
  ) -> (weight: Double, loss: Double) {
    let (network, counted, counts) = (network.span, counted.span, contexts.targetCounts.span)
    let total = Double(contexts.windowCount)
    var weight = 0.5
    for _ in 0..<rounds {
      var share = 0.0
      for entry in 0..<counts.count {
        let part = weight * network[entry]
        share += Double(counts[entry]) * part / (part + (1 - weight) * counted[entry])
      }
      weight = (share + Self.priorWindows) / (total + 2 * Self.priorWindows)
    }
    var loss = 0.0
    for entry in 0..<counts.count {
      let p = weight * network[entry] + (1 - weight) * counted[entry]
      loss -= Double(counts[entry]) * .log(p)
    }
    return (weight, loss / total)
  }
}
