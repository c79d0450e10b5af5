// The first linear layer of a slice: from the contexts to hprebn, and from dhprebn to dW1, db1, dC.
//
// It has two forms, which compute the same: per example, and per distinct input. Where batch norm and
// everything after it are concerned, they are interchangeable.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// hprebn = embcat @ W1 + b1 for the units of a slice, and the way back.
protocol FirstLayer: AnyObject {
  /// The slice's share of dC; slices add up.  (vocabulary, embedding)
  var dC: PaddedMatrix { get }

  /// Takes note that the weights have changed.
  func copyWeights()

  /// Computes hprebn of the minibatch.  (n, units)
  func forward(into hprebn: PaddedMatrix, _ clock: StepClock?)

  /// Computes dW1, db1 and the share of dC from the gradient of hprebn.  (n, units)
  func backward(_ dhprebn: PaddedMatrix, _ clock: StepClock?)
}

/// The two forms of the first layer.
package enum FirstLayerForm: Equatable, Sendable, CaseIterable {
  /// A product over the minibatch's context vectors.
  case perExample
  /// A product over the rows of C at each position, gathered by the minibatch's ids.
  case perDistinctInput

  /// The faster of the two: a large minibatch repeats the vocabulary's characters. Where they meet was
  /// measured; docs/performance.md has the figures.
  static func fastest(_ shape: ModelShape, batchSize: Int) -> Self {
    batchSize >= 2 * shape.vocabulary ? .perDistinctInput : .perExample
  }
}

/// W1 and b1 of a slice with their gradients, in the layout that both forms of the layer use.
struct FirstLayerWeights {
  let W1: PaddedMatrix  // (padded inputs, units): W1, b1, zeros
  let dW1: PaddedMatrix  // (padded inputs, units): dW1, db1, zeros
  /// The number of rows that are W1's; b1 is the next.
  let inputs: Int

  var b1: PaddedMatrix { W1.row(inputs) }  // (1, units)
  var db1: PaddedMatrix { dW1.row(inputs) }  // (1, units)
}
