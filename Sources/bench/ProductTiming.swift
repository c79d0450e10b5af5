// Products, naive against BLAS.

import CharMLP
import CommandSupport
import LinearAlgebra

/// One product's figures.
struct ProductTiming {
  let product: any TimedProduct
  let naiveSeconds: Double
  let blasSeconds: Double
  let largestDifference: Float

  var blasGFLOPS: Double { product.operations / blasSeconds / 1e9 }
  var ratio: Double { naiveSeconds / blasSeconds }

  /// Compares and times all products, in turns.
  /// - Throws: `CommandFailure` if the two disagree.
  static func measure(
    _ products: [any TimedProduct], seconds: Double
  ) throws(CommandFailure) -> [ProductTiming] {
    let differences = try products.map { product throws(CommandFailure) in
      try difference(product)
    }
    let alternation = Alternation(
      products.flatMap { [Alternation.turn($0.work(.naive)), Alternation.turn($0.work(.blas))] },
      seconds: seconds)
    return products.indices.map { index in
      ProductTiming(
        product: products[index], naiveSeconds: alternation.median(2 * index),
        blasSeconds: alternation.median(2 * index + 1), largestDifference: differences[index])
    }
  }

  /// Two orders of summation differ by no more than depth · ulp of the sums' magnitude.
  private static func difference(_ product: any TimedProduct) throws(CommandFailure) -> Float {
    var naive = Matrix<Float>.zeros(product.rows, product.columns)
    var blas = naive
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
