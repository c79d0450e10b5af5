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

// MARK: - What a product must tell to be compared and timed, whether it is one of a step's or of some size

/// A matrix product with its operands.
protocol TimedProduct {
  /// As the derivation writes it: `dlogits @ W2.T`.
  var name: String { get }
  var rows: Int { get }
  var columns: Int { get }
  var depth: Int { get }

  /// What two orders of summation can differ by.
  var errorBound: Float { get }

  /// Computes the product into memory that is there already.
  func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>)
}

extension StepProduct: TimedProduct {}

extension TimedProduct {
  /// Multiply-adds count as two operations.
  var operations: Double { 2 * Double(rows) * Double(columns) * Double(depth) }

  /// The product as a piece of work, on memory of its own.
  func work(_ matmul: MatrixProduct) -> () -> Void {
    var result = Matrix<Float>.zeros(rows, columns)
    return { compute(matmul, into: &result) }
  }
}

extension Sequence where Element: TimedProduct {
  /// All products by BLAS back to back, as one piece of work on memory of its own.
  func backToBack() -> () -> Void {
    let products = Array(self)
    var results = products.map { Matrix<Float>.zeros($0.rows, $0.columns) }
    return {
      for index in products.indices { products[index].compute(.blas, into: &results[index]) }
    }
  }

  /// The operations of all products.
  var operations: Double { reduce(0) { $0 + $1.operations } }
}

// MARK: - Products of any size: squares, and a step's six at a batch that no minibatch was drawn for

// Only their shapes are a step's. Operands are random numbers, and a batch of one window, whose variance
// batch norm cannot form, has products all the same.

/// A product of a given shape on random operands.
struct SizedProduct: TimedProduct {
  let name: String
  let rows: Int
  let columns: Int
  let depth: Int
  private let a: Matrix<Float>
  private let b: Matrix<Float>
  private let transposed: Operand

  private enum Operand { case none, first, second }

  private init(
    _ name: String, _ rows: Int, _ columns: Int, _ depth: Int, _ transposed: Operand = .none
  ) {
    (self.name, self.rows, self.columns, self.depth) = (name, rows, columns, depth)
    self.transposed = transposed
    var generator = TorchGenerator(seed: 1)
    a = transposed == .first ? .random(depth, rows, &generator) : .random(rows, depth, &generator)
    b =
      transposed == .second
      ? .random(columns, depth, &generator) : .random(depth, columns, &generator)
  }

  /// A square product.
  static func square(_ size: Int) -> SizedProduct { SizedProduct("a @ b", size, size, size) }

  /// The six products of a step at a batch size, in the order of the step.
  static func step(_ shape: ModelShape, batchSize n: Int) -> [SizedProduct] {
    let (inputs, hidden, vocabulary) = (shape.contextWidth, shape.hidden, shape.vocabulary)
    return [
      SizedProduct("embcat @ W1", n, hidden, inputs),
      SizedProduct("h @ W2", n, vocabulary, hidden),
      SizedProduct("dlogits @ W2.T", n, hidden, vocabulary, .second),
      SizedProduct("h.T @ dlogits", hidden, vocabulary, n, .first),
      SizedProduct("dhprebn @ W1.T", n, inputs, hidden, .second),
      SizedProduct("embcat.T @ dhprebn", inputs, hidden, n, .first),
    ]
  }

  /// depth · ulp of 1 · the sums' largest magnitude, which is at most depth: no element exceeds 1.
  var errorBound: Float { Float(depth) * .ulpOfOne * Float(depth) }

  func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>) {
    switch transposed {
    case .none: matmul.accumulate(a, b, into: &result)
    case .first: matmul.accumulate(a.T, b, into: &result)
    case .second: matmul.accumulate(a, b.T, into: &result)
    }
  }
}

extension Matrix<Float> {
  /// Numbers from −1 to 1.
  fileprivate static func random(
    _ rows: Int, _ columns: Int, _ generator: inout TorchGenerator
  ) -> Matrix {
    let elements = (0..<rows * columns).map { _ in 2 * generator.uniformFloat() - 1 }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }
}

// MARK: - Timing on a machine that others use too: sides take turns, and the median of the rounds counts

// A round is one turn of every side, and a turn is as many calls as the clock needs to see. What sides
// have in common, a slow moment of the machine, then falls on all of them; a ratio of two sides is taken
// round by round for the same reason.

/// The figures of several sides that took turns.
struct Alternation {
  /// One turn of a side, which returns its figures: seconds, one or several.
  typealias Turn = () -> [Double]

  /// For each round, for each side: its figures.
  private let rounds: [[[Double]]]

  /// Lets the sides take turns for about `seconds` in all, and at least three times.
  init(_ sides: [Turn], seconds: Double) {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var rounds: [[[Double]]] = []
    repeat {
      rounds.append(sides.map { $0() })
    } while clock.now < end || rounds.count < 3
    self.rounds = rounds
  }

  /// The number of rounds.
  var count: Int { rounds.count }

  /// The median of a side's figure.
  func median(_ side: Int, figure: Int = 0) -> Double {
    Self.median(rounds.map { $0[side][figure] })
  }

  /// The medians of all figures of a side, each for itself.
  func medians(_ side: Int) -> [Double] {
    rounds[0][side].indices.map { median(side, figure: $0) }
  }

  /// The median of the rounds' ratios of two sides.
  func medianRatio(of side: Int, to other: Int) -> Double {
    Self.median(rounds.map { $0[side][0] / $0[other][0] })
  }

  /// The smallest figure of a side.
  func smallest(_ side: Int) -> Double {
    rounds.reduce(.infinity) { min($0, $1[side][0]) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

// MARK: Turns

extension Alternation {
  /// The seconds of a turn; a call that takes longer is a turn of its own.
  private static let turnSeconds = 0.002

  /// A turn that measures the seconds of one call of `piece`.
  static func turn(_ piece: @escaping () -> Void) -> Turn {
    let calls = callsPerTurn(piece)
    return {
      wakeUp(piece, calls)
      return [seconds(of: calls, piece) / Double(calls)]
    }
  }

  /// How many calls make a turn. They have been made once when this returns.
  static func callsPerTurn(_ piece: () -> Void) -> Int {
    guard seconds(of: 1, piece) < 10 * turnSeconds else { return 1 }
    var calls = 1
    while true {
      // The smaller of two: an interruption would make a turn too short.
      let duration = min(seconds(of: calls, piece), seconds(of: calls, piece))
      if duration >= turnSeconds / 4 {
        return max(1, Int((Double(calls) * turnSeconds / duration).rounded()))
      }
      calls *= 2
    }
  }

  /// One call before a turn's, which finds cold caches and threads that sleep; a long call does not mind.
  static func wakeUp(_ piece: () -> Void, _ calls: Int) {
    if calls > 1 { piece() }
  }

  private static func seconds(of calls: Int, _ piece: () -> Void) -> Double {
    ContinuousClock().measure { for _ in 0..<calls { piece() } } / .seconds(1)
  }
}
