// `bench --kernels`: the step and the largest sgemm with every core type that OpenBLAS has kernels
// for and this processor can run, so that whoever has a new machine sees whether the choice is
// right.
//
// The library chooses its kernels when a process starts, so each core type is timed in a process of
// its own: this program again, with OPENBLAS_CORETYPE set.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

/// The times of the core types that can be compared here.
struct KernelsReport: BenchReport {
  /// A core type's times, or why there are none.
  struct Row {
    let core: String
    let result: Result<KernelTiming, KernelTiming.Failure>

    fileprivate var timing: KernelTiming? { try? result.get() }
  }

  let rows: [Row]
  /// The kernels in use.
  let kernels: KernelChoice
  /// Those that would be in use without `OPENBLAS_CORETYPE`; nil if that could not be found out.
  let unprompted: KernelChoice?

  /// Times each core type for an equal share of `seconds`.
  static func measure(
    _ process: BenchProcess, seconds: Double, progress: ProgressDisplay
  ) -> KernelsReport {
    let kernels = KernelChoice.here
    var cores = BLASLibrary.coreTypes.filter(\.runsHere).map(\.name)
    guard !cores.isEmpty else {
      return KernelsReport(rows: [], kernels: kernels, unprompted: kernels)
    }
    // A newer library may know core types that are not in our table.
    if !cores.contains(kernels.core) { cores.append(kernels.core) }
    let unprompted = kernels.isUsers ? process.unpromptedChoice() : kernels
    let share = max(seconds / Double(cores.count), 0.001)
    let rows = cores.enumerated().map { index, core in
      progress.update("bench: kernels for \(core), \(index + 1) of \(cores.count)")
      return Row(core: core, result: process.timing(of: core, seconds: share))
    }
    return KernelsReport(rows: rows, kernels: kernels, unprompted: unprompted)
  }

  /// Why nothing was compared, if so.
  private var obstacle: String? {
    guard rows.isEmpty else { return nil }
    #if arch(x86_64)
      return "this OpenBLAS has kernels for only one core type, so there is nothing to compare"
    #else
      return "kernels are compared only on x86-64"
    #endif
  }

  /// The core type whose step on one thread takes the shortest time.
  private var fastest: String? {
    rows.compactMap { row in row.timing.map { (row.core, $0.steps[0].seconds) } }
      .min { $0.1 < $1.1 }?.0
  }
}

// MARK: - One core type, in its own process

/// What is timed with the kernels of one core type.
struct KernelTiming: Equatable {
  /// The seconds of a fused step on some number of threads.
  struct Step: Equatable {
    let threads: Int
    let seconds: Double
  }

  /// Why there are no times, as it follows the core type's name.
  struct Failure: Error, Equatable {
    let reason: String
  }

  /// On one thread, and on all of them if the engine can use more than one.
  let steps: [Step]
  /// The rate of the largest sgemm on one thread, in 10⁹ operations a second.
  let peakGFLOPS: Double
}

extension KernelTiming {
  /// Compares the fused step with the derivation, then times it and the largest product.
  /// - Throws: `CommandFailure` if the two ways to take a step disagree.
  static func measure(
    _ problem: BenchProblem, threads: Int, seconds: Double
  ) throws(CommandFailure) -> KernelTiming {
    let variants = StepVariant.all(problem, threads: threads)
    try StepVariant.compare(variants, problem.minibatch)
    let fused = variants.filter { $0.path == "fused" }
    let interleaved = InterleavedTiming(
      fused.map { InterleavedTiming.turn($0.engine, problem.minibatch) }, seconds: seconds / 2)
    return KernelTiming(
      steps: fused.enumerated().map { index, variant in
        Step(threads: variant.threads, seconds: interleaved.median(index))
      }, peakGFLOPS: StepLimit.peak(seconds: seconds / 2))
  }

  /// What the process of one core type prints: `core`, `steps` and `peak_gflops`.
  func json(core: String) -> JSONValue {
    ["core": .string(core), "steps": stepsJSON, "peak_gflops": .number(peakGFLOPS)]
  }

  fileprivate var stepsJSON: JSONValue {
    .array(steps.map { ["threads": .integer($0.threads), "seconds": .number($0.seconds)] })
  }

  /// Reads what the process of one core type has printed.
  fileprivate init(_ json: JSONValue, of core: String) throws(Failure) {
    let unreadable = Failure(reason: "printed no times")
    guard let used = json["core"]?.text else { throw unreadable }
    guard used == core else { throw Failure(reason: "rejected: the library used \(used)") }
    guard let peak = json["peak_gflops"]?.double, let elements = json["steps"]?.elements,
      !elements.isEmpty
    else { throw unreadable }
    var steps: [Step] = []
    for element in elements {
      guard let threads = element["threads"]?.whole(as: Int.self),
        let seconds = element["seconds"]?.double
      else { throw unreadable }
      steps.append(Step(threads: threads, seconds: seconds))
    }
    self.init(steps: steps, peakGFLOPS: peak)
  }
}

/// This program, to be run again with other kernels.
struct BenchProcess {
  let executable: String
  let arguments: [String]
  /// The seconds after which it is given up, beyond those that it is to time.
  private static let patience = 3600.0
  /// The most bytes that it may print.
  private static let outputLimit = 1 << 20
}

extension BenchProcess {
  /// The running program.
  /// - Throws: `CommandFailure` (69) if the system does not know its path.
  init(arguments: [String]) throws(CommandFailure) {
    guard let path = executablePath() else {
      throw CommandFailure(
        .unavailable, "bench cannot start itself again: /proc/self/exe cannot be read",
        advice:
          "Set OPENBLAS_CORETYPE and run \(Program.commandLine("bench")) for one core type after "
          + "another.")
    }
    self.init(executable: path, arguments: arguments)
  }

  /// Times the step and the largest product with the kernels of a core type.
  func timing(
    of core: String, seconds: Double
  ) -> Result<KernelTiming, KernelTiming.Failure> {
    Result { () throws(KernelTiming.Failure) in
      let output = try run(
        core: core, ["--one-core", "times", "--seconds", "\(seconds)"], seconds: seconds)
      return try KernelTiming(output, of: core)
    }
  }

  /// The kernels that would be in use without `OPENBLAS_CORETYPE`.
  func unpromptedChoice() -> KernelChoice? {
    (try? run(core: nil, ["--one-core", "name"])).flatMap(KernelChoice.init)
  }

  /// Runs the program, and reads the object that it prints as its last line.
  private func run(
    core: String?, _ options: [String], seconds: Double = 0
  ) throws(KernelTiming.Failure) -> JSONValue {
    let choice = "OPENBLAS_CORETYPE="
    var variables = environmentVariables().filter { !$0.begins(with: choice) }
    if let core { variables.append(choice + core) }
    let end: ChildProcess.Outcome
    let output: String
    let messages: String
    do {
      (end, output, messages) = try Interruption.deferring {
        let directory = try TemporaryDirectory()
        let end = try ChildProcess(
          executable: executable, arguments: arguments + options,
          environment: variables,
          output: directory.path("output"), messages: directory.path("messages"),
          fileLimit: Self.outputLimit
        ).run(seconds: Self.patience + seconds) { Interruption.pending != nil }
        return (
          end, try directory.read("output", limit: Self.outputLimit),
          try directory.read("messages", limit: Self.outputLimit)
        )
      }
    } catch {
      throw KernelTiming.Failure(reason: "not started: \(error)")
    }
    let message = messages.pieces(separatedBy: UInt8(ascii: "\n")).first
    let reason: String? =
      switch end {
      case .timedOut, .cancelled: "did not end"
      case .status(0): nil
      case .status(132): "needs instructions that this processor lacks"
      case .status(let status) where status > 128: "died of signal \(status - 128)"
      case .status(let status): "failed: \(message ?? "ended with status \(status)")"
      }
    if let reason { throw KernelTiming.Failure(reason: reason) }
    guard let line = output.pieces(separatedBy: UInt8(ascii: "\n")).last,
      let object = try? JSONValue(parsing: String(line))
    else { throw KernelTiming.Failure(reason: "printed no times") }
    return object
  }
}

// MARK: - The choice

/// Which kernels are in use, and who chose them.
struct KernelChoice: Equatable {
  /// The core type in use.
  let core: String
  /// The library's own pick; nil where `OPENBLAS_CORETYPE` takes its place.
  let picked: String?
}

extension KernelChoice {
  /// The choice of this process.
  static var here: KernelChoice {
    KernelChoice(
      core: BLASLibrary.core, picked: BLASLibrary.isUsersChoice ? nil : BLASLibrary.picked)
  }

  /// Reads what `json` wrote.
  fileprivate init?(_ object: JSONValue) {
    guard let core = object["core"]?.text else { return nil }
    self.init(core: core, picked: object["core_picked"]?.text)
  }

  /// Whether the user made it.
  var isUsers: Bool { picked == nil }

  /// The choice in words: `core SkylakeX instead of Haswell, which the library picked`.
  var text: String {
    switch picked {
    case nil: "core \(core), chosen by OPENBLAS_CORETYPE"
    case core: "core \(core), picked by the library"
    case let picked?: "core \(core) instead of \(picked), which the library picked"
    }
  }

  /// `core`, `core_picked` (null where the user chose) and `core_chosen_by`.
  var json: [(key: String, value: JSONValue)] {
    let chooser = isUsers ? "user" : core == picked ? "library" : "charmlp"
    return [
      ("core", .string(core)), ("core_picked", picked.map { .string($0) } ?? .null),
      ("core_chosen_by", .string(chooser)),
    ]
  }
}

// MARK: - Text

extension KernelsReport {
  var text: String {
    guard obstacle == nil else {
      return StepReport.library + "\nThe kernels were not compared: \(obstacle ?? "").\n"
    }
    return StepReport.library + "\n" + table + "\n" + notes
  }

  private var threads: [Int] {
    rows.lazy.compactMap(\.timing).first.map { $0.steps.map(\.threads) } ?? [1]
  }

  private var table: String {
    let counts = threads
    var table = Table(
      ["core type"] + counts.map { "µs, \(Format.counted($0, "thread"))" } + ["GFLOP/s", ""],
      leftAligned: [0, counts.count + 2])
    for row in rows {
      let cells =
        row.timing.map { timing in
          timing.steps.map { Format.fixed($0.seconds * 1e6, decimals: 1) }
            + [Format.fixed(timing.peakGFLOPS, decimals: 1)]
        } ?? Array(repeating: "–", count: counts.count + 1)
      table.add([row.core] + cells + [remarks(row).joined(separator: ", ")])
    }
    return table.text
  }

  private func remarks(_ row: Row) -> [String] {
    var remarks: [String] = []
    if row.core == unprompted?.picked { remarks.append("picked by the library") }
    if row.core == kernels.core { remarks.append("in use") }
    if row.core == fastest { remarks.append("fastest") }
    if case .failure(let failure) = row.result { remarks.append(failure.reason) }
    return remarks
  }

  private var notes: String {
    let size = StepLimit.peakSize
    let measured = """
      The fused step, and sgemm of \(size) × \(size) on 1 thread; fastest is the shortest step on 1 thread.

      """
    guard kernels.isUsers, let unprompted else { return measured }
    return measured + "Without OPENBLAS_CORETYPE \(unprompted.core) would be in use.\n"
  }

  // MARK: JSON

  /// `blas`, `core`, `core_picked`, `core_chosen_by`, `build`, `kernels` and `obstacle`.
  var json: JSONValue {
    .object(
      StepReport.libraryJSON + [
        ("kernels", .array(rows.map(json))),
        ("obstacle", obstacle.map { .string($0) } ?? .null),
      ])
  }

  private func json(_ row: Row) -> JSONValue {
    let timing = row.timing
    var failure: JSONValue = .null
    if case .failure(let cause) = row.result { failure = .string(cause.reason) }
    return [
      "core": .string(row.core),
      "steps": timing?.stepsJSON ?? .array([]),
      "peak_gflops": timing.map { .number($0.peakGFLOPS) } ?? .null,
      "is_picked": .bool(row.core == unprompted?.picked),
      "is_in_use": .bool(row.core == kernels.core),
      "is_fastest": .bool(row.core == fastest),
      "failure": failure,
    ]
  }
}
