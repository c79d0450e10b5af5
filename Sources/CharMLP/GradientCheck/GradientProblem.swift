// What gradients are checked for: a network's parameters and a minibatch.
//
// What is dropped is part of the problem: a mask does not change while the loss is differentiated.
// Parameters are kept in Double, whatever they were drawn or read in; Float's numbers are Double's too.

public import LinearAlgebra

/// Parameters and the minibatch whose loss is differentiated.
public struct GradientProblem: Equatable, Sendable {
  public let parameters: Parameters<Double>
  public let minibatch: Minibatch
  /// Which hidden units are dropped; nil for none, as in the lecture.
  public let dropout: RandomMask?

  /// The most elements that a tensor of a pass may have: 128 MiB of Double.
  public static let elementLimit = 1 << 24

  /// Puts a problem together from parts that fit: at least two windows, and ids that C has a row for.
  public init(
    _ parameters: Parameters<Double>, _ minibatch: Minibatch, dropout: RandomMask? = nil
  ) {
    let shape = parameters.shape
    precondition(
      minibatch.count >= 2 && minibatch.blockSize == shape.blockSize,
      "GradientProblem: \(minibatch.count) windows of \(minibatch.blockSize) for \(shape)")
    let ids = 0..<Int32(shape.vocabulary)
    precondition(
      minibatch.contexts.allSatisfy(ids.contains) && minibatch.targets.allSatisfy(ids.contains),
      "GradientProblem: an id that is not in \(ids)")
    self.parameters = parameters
    self.minibatch = minibatch
    self.dropout = dropout
  }

  /// The number of elements of the largest tensor in a pass; nil if it exceeds what can be counted.
  public static func largestTensor(_ shape: ModelShape, batchSize: Int) -> Int? {
    let widths = [shape.vocabulary, shape.hidden, shape.contextWidth]
    let products = [
      (batchSize, widths), (shape.contextWidth, [shape.hidden]),
      (shape.vocabulary, [shape.hidden, shape.embedding]),
    ].flatMap { rows, widths in widths.map { rows.multipliedReportingOverflow(by: $0) } }
    return products.contains { $0.overflow } ? nil : products.map(\.partialValue).max()
  }

  /// The same problem with parameters that Float can hold, which is what a pass in Float is given.
  var singlePrecision: GradientProblem {
    GradientProblem(
      parameters.converted(to: Float.self).converted(), minibatch, dropout: dropout)
  }

  /// The pass of this problem, step by step.
  var steps: Derivation<Double> { Derivation(parameters, minibatch, dropout: dropout) }
}
