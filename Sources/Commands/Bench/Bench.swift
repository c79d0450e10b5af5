// The command `bench`: BLAS beside the naive matrix product, where a step's time goes, and what
// limits it.

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
    transform: wholeNumber(in: 1...1024))
  var threads: Int?
  @Option(
    help: ArgumentHelp("Seconds for each table that is measured.", valueName: "x"), above: 0,
    upTo: 3600)
  var seconds = 2.0
  @Flag(help: "Print one JSON object instead of text.") var json = false

  /// What a process prints that `--kernels` starts for one core type.
  enum OneCore: String, ExpressibleByArgument { case name, times }
  @Option(help: .private) var oneCore: OneCore?

  package init() {}

  package func validate() throws {
    if kernels, sizes { throw ValidationError("--kernels cannot be used with --sizes") }
  }

  package func run() throws {
    if !isOptimized, oneCore == nil {
      StandardError.shared.warn("built without optimization: these figures mean nothing")
    }
    let threads = threads ?? availableCores()
    AddressSpace.requireRoomForBLAS(callers: threads)
    if oneCore == .name { return try write(.object(KernelChoice.here.json)) }
    let problem = try problem()
    if oneCore == .times {
      let timing = try KernelTiming.measure(problem, threads: threads, seconds: seconds)
      try write(timing.json(core: BLASLibrary.core))
    } else if kernels {
      try compareKernels(threads)
    } else if sizes {
      try measureSizes(problem, threads)
    } else {
      try measureStep(problem, threads)
    }
  }

  private func write(_ object: JSONValue) throws(CommandFailure) {
    try StandardOutput.shared.writeLine(object.encoded())
  }

  private func compareKernels(_ threads: Int) throws(CommandFailure) {
    let progress = ProgressDisplay(isQuiet: json)
    defer { progress.finish() }
    let process = try BenchProcess(
      arguments: Program.words(for: "bench") + [
        "--batch-size", "\(shape.batchSize)", "--block-size", "\(shape.blockSize)", "--embedding",
        "\(shape.embedding)", "--hidden", "\(shape.hidden)", "--threads", "\(threads)",
      ])
    let report = KernelsReport.measure(process, seconds: seconds, progress: progress)
    try StandardOutput.shared.write(report.text, orJSON: report.json, if: json)
  }

  private func measureStep(_ problem: BenchProblem, _ threads: Int) throws(CommandFailure) {
    let report = StepReport(
      products: try ProductTiming.measure(problem.products, seconds: seconds),
      steps: try StepMeasurement.measure(problem, threads: threads, seconds: seconds))
    try StandardOutput.shared.write(report.text, orJSON: report.json, if: json)
  }

  private func measureSizes(_ problem: BenchProblem, _ threads: Int) throws(CommandFailure) {
    let progress = ProgressDisplay(isQuiet: json)
    defer { progress.finish() }
    let report = try SizesReport.measure(
      problem.parameters.shape, threads: threads, seconds: seconds, progress: progress)
    try StandardOutput.shared.write(report.text, orJSON: report.json, if: json)
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

/// The network's sizes.
struct ShapeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Windows in a minibatch; --sizes takes 1 to 2048.", valueName: "n"),
    in: 2...100_000)
  var batchSize = Recipe().batchSize
  @Option(help: ArgumentHelp("Characters of context.", valueName: "n"), in: 1...1000)
  var blockSize = Recipe().blockSize
  @Option(help: ArgumentHelp("Numbers per character.", valueName: "n"), in: 1...10_000)
  var embedding = Recipe().embedding
  @Option(help: ArgumentHelp("Units of the hidden layer.", valueName: "n"), in: 1...100_000)
  var hidden = Recipe().hidden
}

// MARK: - Memory, checked before any of it is taken

extension Bench {
  /// Refuses sizes that take too much memory together.
  ///
  /// Products of all sizes go up to the largest batch, and beside a hidden layer of their own.
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

  /// Two fused engines, the derivations of two more and of the products, and the parameters and
  /// products that are as large: those to begin with, those compared, gradients and results of
  /// either kind.
  private func byteCount(_ shape: ModelShape, batchSize: Int) -> Double? {
    let limit = threads ?? availableCores()
    guard let engine = FusedEngine.byteCount(shape, batchSize: batchSize, threads: limit) else {
      return nil
    }
    let derivations = 3 * shape.derivationBytes(batchSize: batchSize)
    return 2 * Double(engine) + derivations + 16 * shape.parameterBytes
  }
}
