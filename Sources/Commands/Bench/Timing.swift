// Timing on a machine that others use too: pieces of work take turns, and medians of rounds count.
// And the products that are timed: those of a step, and products of any size, naive against BLAS.
//
// A round is one turn of every piece, and a turn is as many calls as the clock needs to see. A slow
// moment of the machine then falls on all of them; a ratio of two is taken round by round for the
// same reason.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CharMLP
import CommandSupport
import LinearAlgebra

/// The figures of several pieces of work that took turns.
struct InterleavedTiming {
  /// One turn of a piece of work, which returns its figures: seconds, one or several.
  typealias Turn = () -> [Double]

  /// For each round, for each piece of work: its figures.
  private let rounds: [[[Double]]]

  /// Times pieces of work in turns for about `seconds` in all, and at least three rounds.
  init(_ turns: [Turn], seconds: Double) {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var rounds: [[[Double]]] = []
    repeat {
      rounds.append(turns.map { $0() })
    } while clock.now < end || rounds.count < 3
    self.rounds = rounds
  }

  /// The number of rounds.
  var count: Int { rounds.count }

  /// The median of a figure of one piece of work.
  func median(_ index: Int, figure: Int = 0) -> Double {
    Self.median(rounds.map { $0[index][figure] })
  }

  /// The median of each figure of one piece of work.
  func medians(_ index: Int) -> [Double] {
    rounds[0][index].indices.map { median(index, figure: $0) }
  }

  /// The median of the rounds' ratios of two pieces of work.
  func medianRatio(of index: Int, to other: Int) -> Double {
    Self.median(rounds.map { $0[index][0] / $0[other][0] })
  }

  /// The smallest figure of one piece of work.
  func smallest(_ index: Int) -> Double {
    rounds.reduce(.infinity) { min($0, $1[index][0]) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

// MARK: - Turns

extension InterleavedTiming {
  /// The seconds of a turn; a call that takes longer is a turn of its own.
  private static let turnSeconds = 0.002

  /// A turn that measures the seconds of one call of `piece`.
  static func turn(_ piece: @escaping () -> Void) -> Turn {
    turn(making: { calls in for _ in 0..<calls { piece() } })
  }

  /// A turn that measures the seconds of one step.
  static func turn(_ engine: any Engine, _ minibatch: Minibatch) -> Turn {
    turn(making: steps(engine, minibatch))
  }

  /// A turn that measures the seconds of one call of what is made by so many calls at once.
  private static func turn(making make: @escaping (_ calls: Int) -> Void) -> Turn {
    let calls = callsPerTurn(make)
    return {
      wakeUp(make, calls)
      return [seconds(of: calls, make) / Double(calls)]
    }
  }

  /// Takes steps that change nothing, in a row as training does.
  static func steps(_ engine: any Engine, _ minibatch: Minibatch) -> (_ count: Int) -> Void {
    let step = PlannedStep(minibatch, StepSettings(.descent(0)))
    return { count in
      var left = count
      engine.takeSteps(
        from: step,
        next: { _ in
          left -= 1
          return left > 0 ? step : nil
        }, completed: { _ in })
    }
  }

  /// How many calls make a turn. They have been made once when this returns.
  static func callsPerTurn(_ make: (_ calls: Int) -> Void) -> Int {
    guard seconds(of: 1, make) < 10 * turnSeconds else { return 1 }
    var calls = 1
    while true {
      // The smaller of two: an interruption would make a turn too short.
      let duration = min(seconds(of: calls, make), seconds(of: calls, make))
      if duration >= turnSeconds / 4 {
        return max(1, Int((Double(calls) * turnSeconds / duration).rounded()))
      }
      calls *= 2
    }
  }

  /// One call ahead of a turn's, to warm caches and wake threads; a long call does not need it.
  static func wakeUp(_ make: (_ calls: Int) -> Void, _ calls: Int) {
    if calls > 1 { make(1) }
  }

  private static func seconds(of calls: Int, _ make: (_ calls: Int) -> Void) -> Double {
    ContinuousClock().measure { make(calls) } / .seconds(1)
  }
}

// MARK: - Matrix products, naive against BLAS

/// One product's times, naive and by BLAS.
struct ProductTiming {
  let product: TimedProduct
  let naiveSeconds: Double
  let blasSeconds: Double
  let largestDifference: Float

  var blasGFLOPS: Double { product.operations / blasSeconds / 1e9 }
  var ratio: Double { naiveSeconds / blasSeconds }

  /// Compares and times all products, in turns.
  /// - Throws: `CommandFailure` if the two disagree.
  static func measure(
    _ products: [TimedProduct], seconds: Double
  ) throws(CommandFailure) -> [ProductTiming] {
    let differences = try products.map { product throws(CommandFailure) in
      try difference(product)
    }
    let timing = InterleavedTiming(
      products.flatMap { product in
        [MatrixProduct.naive, .blas].map { InterleavedTiming.turn(product.work($0)) }
      },
      seconds: seconds)
    return products.indices.map { index in
      ProductTiming(
        product: products[index], naiveSeconds: timing.median(2 * index),
        blasSeconds: timing.median(2 * index + 1), largestDifference: differences[index])
    }
  }

  private static func difference(_ product: TimedProduct) throws(CommandFailure) -> Float {
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

// MARK: - Products to compare and time

/// A matrix product with its operands: `a @ b`, `a.T @ b` or `a @ b.T`.
struct TimedProduct {
  /// As the derivation writes it: `dlogits @ W2.T`.
  let name: String
  let rows: Int
  let columns: Int
  let depth: Int
  private let a: Matrix<Float>
  private let b: Matrix<Float>
  private let transposed: Operand

  private enum Operand { case none, first, second }

  private init(
    _ name: String, _ a: Matrix<Float>, _ b: Matrix<Float>, _ transposed: Operand = .none
  ) {
    (self.name, self.a, self.b, self.transposed) = (name, a, b, transposed)
    rows = transposed == .first ? a.columns : a.rows
    depth = transposed == .first ? a.rows : a.columns
    columns = transposed == .second ? b.rows : b.columns
  }

  /// The product of two square matrices of random numbers.
  static func square(_ size: Int) -> TimedProduct {
    var generator = TorchGenerator(seed: 1)
    let a = Matrix.random(size, size, &generator)
    return TimedProduct("a @ b", a, .random(size, size, &generator))
  }

  /// The six products of a step through a minibatch, in the order of the step.
  static func step(_ parameters: Parameters<Float>, _ minibatch: Minibatch) -> [TimedProduct] {
    let pass = Derivation(parameters, minibatch)
    return step(
      embcat: pass.embcat, W1: parameters.W1, h: pass.h, W2: parameters.W2, dlogits: pass.dlogits,
      dhprebn: pass.dhprebn)
  }

  /// Products of the shapes of a step's six, on random numbers: a batch of one window, whose
  /// variance batch norm cannot form, has products all the same.
  static func step(_ shape: ModelShape, batchSize n: Int) -> [TimedProduct] {
    let (inputs, hidden, vocabulary) = (shape.contextWidth, shape.hidden, shape.vocabulary)
    var generator = TorchGenerator(seed: 1)
    return step(
      embcat: .random(n, inputs, &generator), W1: .random(inputs, hidden, &generator),
      h: .random(n, hidden, &generator), W2: .random(hidden, vocabulary, &generator),
      dlogits: .random(n, vocabulary, &generator), dhprebn: .random(n, hidden, &generator))
  }

  private static func step(
    embcat: Matrix<Float>,  // (n, block·embedding)
    W1: Matrix<Float>,  // (block·embedding, hidden)
    h: Matrix<Float>,  // (n, hidden)
    W2: Matrix<Float>,  // (hidden, vocabulary)
    dlogits: Matrix<Float>,  // (n, vocabulary)
    dhprebn: Matrix<Float>  // (n, hidden)
  ) -> [TimedProduct] {
    [
      TimedProduct("embcat @ W1", embcat, W1),
      TimedProduct("h @ W2", h, W2),
      TimedProduct("dlogits @ W2.T", dlogits, W2, .second),
      TimedProduct("h.T @ dlogits", h, dlogits, .first),
      TimedProduct("dhprebn @ W1.T", dhprebn, W1, .second),
      TimedProduct("embcat.T @ dhprebn", embcat, dhprebn, .first),
    ]
  }

  /// Multiply-adds count as two operations.
  var operations: Double { 2 * Double(rows) * Double(columns) * Double(depth) }

  /// What two orders of summation can differ by: depth · ulp of 1 · the sums' largest magnitude,
  /// which is at most depth · max|a| · max|b|.
  var errorBound: Float {
    let magnitude =
      a.elements.reduce(0) { max($0, abs($1)) } * b.elements.reduce(0) { max($0, abs($1)) }
    return Float(depth) * .ulpOfOne * Float(depth) * magnitude
  }

  /// Computes the product into memory that is there already.
  func compute(_ matmul: MatrixProduct, into result: inout Matrix<Float>) {
    switch transposed {
    case .none: matmul.accumulate(a, b, into: &result)
    case .first: matmul.accumulate(a.T, b, into: &result)
    case .second: matmul.accumulate(a, b.T, into: &result)
    }
  }

  /// The product as a piece of work, on memory of its own.
  func work(_ matmul: MatrixProduct) -> () -> Void {
    var result = Matrix<Float>.zeros(rows, columns)
    return { compute(matmul, into: &result) }
  }
}

extension Sequence<TimedProduct> {
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

extension Matrix<Float> {
  /// Numbers from −1 to 1.
  fileprivate static func random(
    _ rows: Int, _ columns: Int, _ generator: inout TorchGenerator
  ) -> Matrix {
    let elements = (0..<rows * columns).map { _ in 2 * generator.uniformFloat() - 1 }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }
}
