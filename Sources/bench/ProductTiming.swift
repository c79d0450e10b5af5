// The six products of a step, naive against BLAS.

import CharMLP
import CommandSupport
import LinearAlgebra

/// One product's figures.
struct ProductTiming {
  let product: StepProduct
  let naiveSeconds: Double
  let blasSeconds: Double
  let largestDifference: Float

  var naiveGFLOPS: Double { product.operations / naiveSeconds / 1e9 }
  var blasGFLOPS: Double { product.operations / blasSeconds / 1e9 }
  var ratio: Double { naiveSeconds / blasSeconds }

  /// Compares and times all six, in turns.
  /// - Throws: `CommandFailure` if the two disagree.
  static func measure(
    _ problem: BenchProblem, seconds: Double
  ) throws(CommandFailure) -> [ProductTiming] {
    let products = StepProduct.all(Derivation(problem.parameters, problem.minibatch))
    let differences = try products.map { product throws(CommandFailure) in
      try difference(product)
    }
    let medians = Alternation.medians(
      products.flatMap { [work($0, .naive), work($0, .blas)] }, seconds: seconds)
    return products.indices.map { index in
      ProductTiming(
        product: products[index], naiveSeconds: medians[2 * index],
        blasSeconds: medians[2 * index + 1], largestDifference: differences[index])
    }
  }

  private static func work(_ product: StepProduct, _ matmul: MatrixProduct) -> () -> Void {
    var result = product.emptyResult()
    return { product.compute(matmul, into: &result) }
  }

  /// Two orders of summation differ by no more than depth · ulp of the sums' magnitude.
  private static func difference(_ product: StepProduct) throws(CommandFailure) -> Float {
    var (naive, blas) = (product.emptyResult(), product.emptyResult())
    product.compute(.naive, into: &naive)
    product.compute(.blas, into: &blas)
    let difference = naive.largestDifference(from: blas)
    let bound = product.errorBound
    guard difference <= bound else {
      throw CommandFailure(
        .failure, "\(product.name): naive and BLAS differ by \(difference), more than \(bound)")
    }
    return difference
  }
}
