// The command `train`: its flags, and what they mean for a run.

import ArgumentParser
import CharMLP
import CommandSupport
import LinearAlgebra

@main
struct Train: Command {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a character-level MLP on a list of words.",
    usage: """
      train                                  train on the bundled list of names
      train --data towns.txt                 train on a list of your own, one word a line
      train --data towns.txt --hidden 100 --steps 50000 --out runs/towns
      train --data towns.txt --recipe best   the strongest network that we know of
      train --data towns.txt --describe      look at the list before training on it
      train --resume runs/towns              go on with a run that was stopped
      """,
    discussion: """
      The network and the default recipe are those of the lecture's notebook. Progress goes to stderr, \
      results to stdout. The run directory holds model.safetensors, the last state, best.safetensors, \
      the best by validation, metrics.jsonl and run.json. \
      After SIGINT (Ctrl-C) or SIGTERM a run is saved where it is, and --resume goes on with it.
      """,
    version: version)

  @Option(help: "Word list: a path, a name in data/, or - for standard input. (default: names.txt)")
  var data: String?

  @OptionGroup var settings: RecipeOptions

  @Option(help: "Run directory. (default: the next free runs/<data>-<k>)") var out: String?
  @Option(help: "Words to print at the end.", in: 0...1_000_000) var samples = 20

  @Option(
    help: "Threads; the result does not depend on them. (default: the cores available)",
    transform: wholeNumber(in: 1...1024))
  var threads: Int?
  @OptionGroup var checkpoints: CheckpointOptions

  @Option(
    help: "Matrix product: blas or naive. naive implies --backward derivation. (default: blas)")
  var product: MatrixProduct?
  @Option(help: "Backward pass: fused or derivation. (default: fused)") var backward: BackwardName?

  @Flag(help: "Describe the list instead of training: duplicates, alphabet, lengths, warnings.")
  var describe = false
  @Flag(help: "Try growing learning rates on a copy instead of training, and suggest one.")
  var findLearningRate = false
  @Flag(help: "Write report.html into the run directory at the end: the run as one page.")
  var report = false
  @Flag(help: "Print no progress.") var quiet = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  enum BackwardName: String, ExpressibleByArgument, CaseIterable { case fused, derivation }

  func validate() throws {
    if product == .naive, backward == .fused {
      throw ValidationError("--product naive cannot be used with --backward fused")
    }
    if describe, findLearningRate {
      throw ValidationError("--describe cannot be used with --find-learning-rate")
    }
    if findLearningRate, checkpoints.resume != nil {
      throw ValidationError("--find-learning-rate cannot be used with --resume")
    }
    if out != nil, checkpoints.resume != nil {
      throw ValidationError("--out cannot be used with --resume: a run goes on where it is")
    }
    if settings.split == .hash, settings.deduplicate {
      throw ValidationError(
        "--deduplicate cannot be used with --split hash, which gives equal words the same part")
    }
    if out == "" { throw ValidationError("--out must name a directory") }
  }

  func run() throws {
    if let threads { AddressSpace.requireRoomForBLAS(callers: threads) }
    #if MPI
      if let ranks = MPICommunicator.joinJob() { return try run(on: ranks) }
    #endif
    try runAlone()
  }

  /// Runs in this process, without others.
  func runAlone() throws {
    if describe { return try describeData() }
    if findLearningRate { return try showLearningRates() }
    try TrainingRun(self).run()
  }
}

extension MatrixProduct: ExpressibleByArgument {}

extension Train {
  /// The recipe of a new run.
  var recipe: Recipe { settings.applied(to: Recipe()) }

  /// The threads that a run may use.
  var availableThreads: Int { threads ?? availableCores() }

  /// The threads that a rank may use: several ranks share the cores of a machine.
  func availableThreads(_ communicator: (any Communicator)?) -> Int {
    communicator == nil ? availableThreads : threads ?? 1
  }

  var trainerBackward: Trainer.Backward {
    let product = product ?? .blas
    let isFused = product == .blas && backward != .derivation
    return isFused ? .fused : .derivation(product)
  }
}
