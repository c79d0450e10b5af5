// The command `bench`, how it measures, and the products that it times: pieces of work take turns,
// and medians of rounds count, since other programs use the machine too.
//
// A round is one turn of every piece, and a turn is as many calls as the clock needs to see. A slow
// moment of the machine then falls on all of them; a ratio of two is taken round by round for the
// same reason.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import ArgumentParser
import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

package struct Bench: Command {
  package static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure BLAS against the naive matrix product, and training steps.",
    usage: """
      bench                                at the notebook's shape
      bench --batch-size 256 --hidden 500  at another
      bench --sizes                        products from 1 to 2048
      bench --kernels                      every core type that runs
      bench --json > bench.json
      """,
    discussion:
      "Results are compared before anything is timed. All sides take turns; figures are medians.",
    version: version
  ).asCalled

  @Flag(help: "Measure products of all sizes instead, naive and BLAS.") var sizes = false
  @Flag(help: "Compare OpenBLAS' kernels for all core types instead.") var kernels = false
  @OptionGroup(title: "The network") var shape: ShapeOptions
  @Option(
    help: ArgumentHelp(
      "Threads of the engine, or of BLAS with --sizes. (default: the cores)", valueName: "n"),
    transform: threadCount)
  var threads: Int?
  @Option(
    help: ArgumentHelp("Seconds for each table that is measured.", valueName: "x"), above: 0,
    upTo: 3600)
  var seconds = 2.0
  @Flag(help: "Print one JSON object instead of text.") var json = false

  /// What `--kernels` asks of the process that it starts for one core type.
  enum OneCore: String, ExpressibleByArgument { case name, times }
  @Option(help: .private) var oneCore: OneCore?

  package init() {}

  package func validate() throws {
    if kernels, sizes { throw ValidationError("--kernels cannot be used with --sizes") }
  }

  package func run() throws {
    if !isOptimized, oneCore == nil {
      StandardError.shared.warn("built without optimization: these figures are meaningless")
    }
    let threads = threads ?? availableCores()
    AddressSpace.requireRoomForBLAS(callers: threads)
    if oneCore == .name { return try write(.object(KernelChoice.here.json)) }
    let problem = try problem()
    if oneCore == .times {
      let timing = try KernelTiming.measure(problem, threads: threads, seconds: seconds)
      return try write(timing.json(core: BLASLibrary.core))
    }
    let progress = ProgressDisplay(isQuiet: json)
    defer { progress.finish() }
    let report: any BenchReport =
      if kernels {
        KernelsReport.measure(try process(threads), seconds: seconds, progress: progress)
      } else if sizes {
        try SizesReport.measure(
          problem.parameters.shape, threads: threads, seconds: seconds, progress: progress)
      } else {
        try StepReport.measure(problem, threads: threads, seconds: seconds)
      }
    try StandardOutput.shared.write(report.text, orJSON: report.json, if: json)
  }

  private func write(_ object: JSONValue) throws(CommandFailure) {
    try StandardOutput.shared.writeLine(object.encoded())
  }

  /// This program at this shape, to be run again with other kernels.
  private func process(_ threads: Int) throws(CommandFailure) -> BenchProcess {
    try BenchProcess(
      arguments: Program.arguments(toStart: "bench") + [
        "--batch-size", "\(shape.batchSize)", "--block-size", "\(shape.blockSize)", "--embedding",
        "\(shape.embedding)", "--hidden", "\(shape.hidden)", "--threads", "\(threads)",
      ])
  }

  /// The notebook's parameters and first minibatch, on the bundled list.
  private func problem() throws -> BenchProblem {
    var recipe = Recipe()
    (recipe.batchSize, recipe.blockSize) = (shape.batchSize, shape.blockSize)
    (recipe.embedding, recipe.hidden) = (shape.embedding, shape.hidden)
    let source = WordListSource(nil)
    let words = try source.read()
    try checkMemory(
      recipe, vocabulary: Vocabulary(of: words).count, windows: words.characterCount + words.count)
    return BenchProblem(recipe, try Dataset(words, recipe, named: source.name))
  }
}

/// What was measured, for people and for programs.
protocol BenchReport {
  var text: String { get }
  var json: JSONValue { get }
}

struct ShapeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Windows in a minibatch; --sizes takes 1 to 2048. (default: \(Recipe().batchSize))",
      valueName: "n"),
    transform: setting(\.batchSize))
  var batchSize = Recipe().batchSize
  @Option(
    help: ArgumentHelp("Characters of context. (default: \(Recipe().blockSize))", valueName: "n"),
    transform: setting(\.blockSize))
  var blockSize = Recipe().blockSize
  @Option(
    help: ArgumentHelp("Numbers per character. (default: \(Recipe().embedding))", valueName: "n"),
    transform: setting(\.embedding))
  var embedding = Recipe().embedding
  @Option(
    help: ArgumentHelp("Units of the hidden layer. (default: \(Recipe().hidden))", valueName: "n"),
    transform: setting(\.hidden))
  var hidden = Recipe().hidden
}

// MARK: - Memory, checked before any of it is taken

extension Bench {
  /// Refuses sizes that take too much memory together.
  ///
  /// `--sizes` goes up to a batch of its own, and times a second hidden layer.
  /// - Throws: `CommandFailure` (71).
  func checkMemory(
    _ recipe: Recipe, vocabulary: Int, windows: Int
  ) throws(CommandFailure) {
    var recipe = recipe
    if sizes {
      recipe.batchSize = max(recipe.batchSize, SizeTiming.sizes.last ?? 1)
      recipe.hidden = max(recipe.hidden, SizesReport.largeHidden)
    }
    let shape = recipe.shape(vocabulary: vocabulary)
    let data = ContextWindows.byteCount(windows: windows, blockSize: recipe.blockSize)
    let passes = byteCount(shape, batchSize: recipe.batchSize)
    try Host.requireSizes(data.flatMap { data in passes.map { $0 + Double(data) } })
  }

  /// Two fused engines; three derivations, of two more engines and of the products; and at most 16
  /// copies of the parameters: those to begin with, those compared, their gradients and products of
  /// the same sizes.
  private func byteCount(_ shape: ModelShape, batchSize: Int) -> Double? {
    let limit = threads ?? availableCores()
    guard let engine = FusedEngine.byteCount(shape, batchSize: batchSize, threads: limit) else {
      return nil
    }
    let derivations = 3 * shape.derivationBytes(batchSize: batchSize)
    return 2 * Double(engine) + derivations + 16 * shape.parameterBytes
  }
}

// MARK: - Turns

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

  var count: Int { rounds.count }

  func median(_ index: Int, figure: Int = 0) -> Double {
    Self.median(rounds.map { $0[index][figure] })
  }

  func medians(_ index: Int) -> [Double] {
    rounds[0][index].indices.map { median(index, figure: $0) }
  }

  func medianRatio(of index: Int, to other: Int) -> Double {
    Self.median(rounds.map { $0[index][0] / $0[other][0] })
  }

  func smallest(_ index: Int) -> Double {
    rounds.reduce(.infinity) { min($0, $1[index][0]) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

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

  private static func turn(making make: @escaping (_ calls: Int) -> Void) -> Turn {
    turn(making: make) { [seconds(of: $0, make) / Double($0)] }
  }

  /// A turn of work that makes many calls at once, with the figures of one call.
  static func turn(
    making make: @escaping (_ calls: Int) -> Void,
    figures: @escaping (_ calls: Int) -> [Double]
  ) -> Turn {
    let calls = callsPerTurn(make)
    return {
      // To warm caches and wake threads; a long call does not need it.
      if calls > 1 { make(1) }
      return figures(calls)
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

  /// How many calls make a turn. At least one has been made when this returns.
  private static func callsPerTurn(_ make: (_ calls: Int) -> Void) -> Int {
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

  var figures: [Figure] {
    [.word("product", "name", product.name)] + product.sizes + [
      .time("naive µs", "naive_seconds", naiveSeconds),
      .time("BLAS µs", "blas_seconds", blasSeconds),
      .number(
        "GFLOP/s", "blas_gflops", product.operations / blasSeconds / 1e9, decimals: 1),
      .number("ratio", "ratio", naiveSeconds / blasSeconds, decimals: 1),
      Figure(
        "difference", "max_difference", Format.scientific(Double(largestDifference)),
        .number(largestDifference)),
    ]
  }

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
    _ part: StepPart, _ a: Matrix<Float>, _ b: Matrix<Float>, _ transposed: Operand = .none
  ) {
    self.init(part.name, a, b, transposed)
  }

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

  /// Products of the shapes of a step's six, on random numbers: so they can be timed at a batch of
  /// one window too, whose variance batch norm cannot compute.
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
      TimedProduct(.hprebn, embcat, W1),
      TimedProduct(.logits, h, W2),
      TimedProduct(.dh, dlogits, W2, .second),
      TimedProduct(.dW2, h, dlogits, .first),
      TimedProduct(.dembcat, dhprebn, W1, .second),
      TimedProduct(.dW1, embcat, dhprebn, .first),
    ]
  }

  var sizes: [Figure] {
    [.whole("m", "m", rows), .whole("n", "n", columns), .whole("k", "k", depth)]
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

  /// Computes the product into existing memory.
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

// MARK: - Figures, each once for the table that people read and for the object that programs do

/// A figure of a row.
struct Figure {
  /// The heading of its column in the table; nil if it is not shown.
  let heading: String?
  /// Its key in JSON; nil if it is left out.
  let key: String?
  let text: String
  let json: JSONValue

  init(_ heading: String?, _ key: String?, _ text: String?, _ json: JSONValue?) {
    (self.heading, self.key) = (heading, key)
    (self.text, self.json) = (text ?? "–", json ?? .null)
  }

  static func word(_ heading: String, _ key: String, _ word: String?) -> Figure {
    Figure(heading, key, word, word.map { .string($0) })
  }

  static func whole(_ heading: String, _ key: String, _ number: Int) -> Figure {
    Figure(heading, key, "\(number)", .integer(number))
  }

  static func number(
    _ heading: String, _ key: String?, _ number: Double?, decimals: Int
  ) -> Figure {
    Figure(
      heading, key, number.map { Format.fixed($0, decimals: decimals) }, number.map { .number($0) })
  }

  /// Seconds, shown as microseconds.
  static func time(
    _ heading: String, _ key: String, _ seconds: Double?, decimals: Int = 2
  ) -> Figure {
    Figure(heading, key, seconds.map { microseconds($0, decimals) }, seconds.map { .number($0) })
  }

  static func microseconds(_ seconds: Double, _ decimals: Int = 2) -> String {
    Format.fixed(seconds * 1e6, decimals: decimals)
  }

  /// The rows as a table; there is at least one.
  static func table(_ rows: [[Figure]], leftAligned: Set<Int> = [0]) -> String {
    let rows = rows.map { $0.filter { $0.heading != nil } }
    var table = Table(rows[0].map { $0.heading ?? "" }, leftAligned: leftAligned)
    for row in rows { table.add(row.map(\.text)) }
    return table.text
  }

  static func json(_ rows: [[Figure]]) -> JSONValue {
    .array(
      rows.map { row in
        .object(row.compactMap { figure in figure.key.map { ($0, figure.json) } })
      })
  }
}
