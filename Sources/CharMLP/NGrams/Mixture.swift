// The network and counting together, as in the paper that the network comes from: Bengio et al., "A neural
// probabilistic language model", 2003, mixed theirs with a trigram.
//
//   p(c | context) = λ · p_network(c | context) + (1 − λ) · p_n-gram(c | context)
//
// The two err in different places, so the mixture is usually better than either. λ, order and discount follow
// from the network and the words that validate, and from nothing else: a resumed run has the same ones.

/// How a network is mixed with an n-gram model: what a model file says about it.
public struct Mixture: Equatable, Sendable {
  /// λ, the network's share, from 0 to 1.
  public let weight: Double
  /// The length of the n-grams.
  public let order: Int
  /// How counts are discounted.
  public let discounting: Discounting

  /// Puts a mixture together that is known.
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
