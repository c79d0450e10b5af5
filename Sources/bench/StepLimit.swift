// How near a step comes to what it cannot avoid: its six products, and the library's peak.

import CharMLP

/// A step beside its six products alone, and beside the largest rate that sgemm reaches here.
struct StepLimit {
  /// The operations of the six products at their exact shapes; all else in a step is not counted.
  let operations: Double
  /// The six at their exact shapes, unsliced, on one thread, back to back as one piece of work.
  let productsSeconds: Double
  /// The fused step's time over theirs, for each number of threads: the median of the rounds' ratios.
  let ratios: [Double]
  let rounds: Int
  /// The largest rate of sgemm on one thread, in 10⁹ operations a second.
  let peakGFLOPS: Double

  /// The rows and columns of the product that shows the peak.
  static let peakSize = 1024

  /// The rate of the fastest of several large products.
  static func peak(seconds: Double) -> Double {
    let product = SizedProduct.square(peakSize)
    let alternation = Alternation([Alternation.turn(product.work(.blas))], seconds: seconds)
    return product.operations / alternation.smallest(0) / 1e9
  }

  /// The rate of a step that takes `seconds`, in 10⁹ operations a second.
  func gigaflops(_ seconds: Double) -> Double { operations / seconds / 1e9 }
}
