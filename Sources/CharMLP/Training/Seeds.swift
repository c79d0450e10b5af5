// The seeds of what a run draws beside its training, so that it draws no number that the training
// drew.
//
// The recipe's own seed is that of the initial parameters, of the minibatches and of dropout; the
// split has a seed of its own.

extension Recipe {
  /// The seed of the minibatch that diagnostics look at.
  var diagnosticsSeed: UInt64 { seed &+ 1 }

  /// The seed of the words that a run shows: the lecture's 2147483647 + 10.
  package var samplingSeed: UInt64 { seed &+ 10 }
}
