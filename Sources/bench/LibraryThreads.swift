// Threads of BLAS' own: the batch at which they begin to help, or to hurt.
//
// CharMLP asks BLAS for one thread a call and owns its threads. This shows what the other way
// would have cost: the six products of a step back to back, on one thread and on several of the library's.

import CharMLP
import CommandSupport
import LinearAlgebra

/// The six products of a step at one batch size, on one thread and on several of BLAS' own.
struct LibraryThreadsTiming {
  let hidden: Int
  let batchSize: Int
  let oneThreadSeconds: Double
  let seconds: Double

  /// One thread's time over that of several.
  var ratio: Double { oneThreadSeconds / seconds }
  var effect: Effect { Effect(ratio: ratio) }

  /// What several threads do to the time, if it changes by more than a twentieth.
  enum Effect: String {
    case hurt, none, help

    /// - Parameter ratio: One thread's time over that of several.
    init(ratio: Double) { self = ratio > 1.05 ? .help : ratio < 1 / 1.05 ? .hurt : .none }
  }
}

/// What BLAS' own threads bring, at all sizes.
struct LibraryThreads {
  /// How many threads the library was given.
  let count: Int
  /// Why there is nothing to compare, if so.
  let obstacle: String?
  private(set) var timings: [LibraryThreadsTiming] = []

  /// Times the six products at each batch size and each of the hidden layers.
  ///
  /// The library is left at one thread a call.
  static func measure(
    _ shapes: [ModelShape], threads: Int, seconds: Double, progress: ProgressDisplay
  ) -> LibraryThreads {
    let granted = granted(threads)
    var result = LibraryThreads(
      count: granted, obstacle: obstacle(asked: threads, granted: granted))
    guard result.obstacle == nil else { return result }
    let share = seconds / Double(shapes.count * SizeTiming.sizes.count)
    for shape in shapes {
      for batchSize in SizeTiming.sizes {
        progress.update("bench: threads of BLAS' own, hidden \(shape.hidden), batch \(batchSize)")
        result.timings.append(measure(shape, batchSize, threads: granted, seconds: share))
      }
    }
    return result
  }

  private static func measure(
    _ shape: ModelShape, _ batchSize: Int, threads: Int, seconds: Double
  ) -> LibraryThreadsTiming {
    let work = SizedProduct.step(shape, batchSize: batchSize).backToBack()
    let one = Alternation.turn(work)
    let several = onThreads(threads) { Alternation.turn(work) }
    let alternation = Alternation([one, { onThreads(threads, several) }], seconds: seconds)
    return LibraryThreadsTiming(
      hidden: shape.hidden, batchSize: batchSize, oneThreadSeconds: alternation.median(0),
      seconds: alternation.median(1))
  }

  /// Does something while a call may use `threads` threads; afterwards it is one again.
  private static func onThreads<Result>(_ threads: Int, _ body: () -> Result) -> Result {
    BLASLibrary.threads = threads
    defer { BLASLibrary.threads = 1 }
    return body()
  }

  /// How many threads the library says it uses if it is asked for `threads`.
  private static func granted(_ threads: Int) -> Int { onThreads(threads) { BLASLibrary.threads } }

  private static func obstacle(asked: Int, granted: Int) -> String? {
    if BLASLibrary.configuration.contains("USE_OPENMP") {
      return "takes its threads from OMP_NUM_THREADS alone and ignores what is set"
    }
    if asked == 1 { return "is given one thread, by --threads or for want of cores" }
    return granted == 1 ? "ignores the number of threads that is set" : nil
  }
}
