// The command `train`: its flags, and what they mean for a run.

import ArgumentParser
import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

package struct Train: Command {
  package static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a character-level MLP on a list of words.",
    usage: """
      train                                  train on the bundled list of names
      train --data towns.txt                 train on a list of your own, one word a line
      train --data towns.txt --hidden 100 --steps 50000 --out runs/towns
      train --recipe notebook                the lecture's network and training
      train --data towns.txt --describe      look at the list before training on it
      train --resume runs/towns              go on with a run that was stopped
      """,
    discussion: """
      The network is that of the lecture; the default recipe fits it to the list. Progress goes to stderr, \
      results to stdout. The run directory holds model.safetensors, the last state, best.safetensors, \
      the best by validation, metrics.jsonl and run.json. \
      After SIGINT (Ctrl-C) or SIGTERM a run is saved where it is, and --resume goes on with it.
      """,
    version: version
  ).asCalled

  @Option(
    help: "Word list: a path, a name in data/, or - for standard input. (default: bundled names)",
    completion: .file())
  var data: String?

  @OptionGroup var settings: RecipeOptions

  @Option(
    help: "Run directory. (default: the next free runs/<data>-<k>)", completion: .directory)
  var out: String?
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

  package init() {}

  package func validate() throws {
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
    let given = settings.applied(to: Recipe())
    if given.split == .hash, given.deduplicate {
      throw ValidationError(
        "--deduplicate cannot be used with --split hash, which gives equal words the same part")
    }
    if out == "" { throw ValidationError("--out must name a directory") }
  }

  package func run() throws {
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

// MARK: - `train --describe`: the data report alone. No run directory is made

extension Train {
  /// Reports on the list as this command line would train on it.
  func describeData() throws {
    let source = WordListSource(data)
    let report = DataReport(try RunData(reading: source, settings).dataset)
    try StandardOutput.shared.write(
      json ? report.json(of: source).encoded() + "\n" : report.text(of: source))
  }
}

// MARK: - `train --find-learning-rate`: the range test alone. A copy is trained; no run directory is made

extension Train {
  /// Shows the loss at growing learning rates, and the rate to begin with.
  func showLearningRates() throws {
    let source = WordListSource(data)
    let memory = TrainingMemory(backward: trainerBackward, threads: availableThreads)
    let data = try RunData(reading: source, settings, training: memory)
    let (recipe, dataset) = (data.recipe, data.dataset)
    let search = try LearningRateSearch(
      recipe, dataset, backward: trainerBackward, threads: availableThreads)
    try StandardOutput.shared.write(
      json ? search.json(of: source.name).encoded() + "\n" : search.text)
  }
}

extension LearningRateSearch {
  fileprivate func json(of name: String) -> JSONValue {
    [
      "data": .string(name),
      "points": .array(
        points.map { ["learning_rate": .number($0.learningRate), "loss": .number($0.loss)] }),
      "lowest": lowest.map { .number($0.learningRate) } ?? .null,
      "suggestion": suggestion.map { .number($0) } ?? .null,
    ]
  }

  /// About so many lines are shown.
  private static let lines = 25

  fileprivate var text: String {
    var table = Table(["learning rate", "loss", ""], leftAligned: [2])
    let losses = points.map(\.loss)
    let (smallest, largest) = (losses.min() ?? 0, losses.max() ?? 0)
    let interval = max(1, points.count / Self.lines)
    for index in stride(from: interval - 1, to: points.count, by: interval) {
      let share = (points[index].loss - smallest) / max(largest - smallest, 1e-9)
      table.add([
        Format.scientific(Double(points[index].learningRate)),
        Format.fixed(points[index].loss, decimals: 4),
        String(repeating: "▪", count: Int(share * 40) + 1),
      ])
    }
    guard let lowest, let suggestion else { return table.text }
    return table.text + """
      lowest at \(Format.scientific(Double(lowest.learningRate))); a tenth of it is a rate to begin with:  \
      --learning-rate \(Format.scientific(Double(suggestion)))

      """
  }
}

// MARK: - `train` under mpirun: rank 0 does what `train` does alone, and the others take every step with it

// Only rank 0 prints and saves. The others get from it the words and a checkpoint, whether a run begins or
// goes on: so they need neither the list nor the run directory on their machines, and any number of ranks
// can go on with a run. Only a list that is split by hash is read by all, each its own part. What rank 0
// alone has met with ends the whole job.

#if MPI
  import CharMLP
  import CommandSupport

  extension Train {
    func run(on ranks: MPICommunicator) throws {
      let isAlone = ranks.count == 1 || describe || findLearningRate
      if isAlone { ranks.leave() }
      if ranks.rank == 0 {
        try isAlone ? runAlone() : lead(ranks)
      } else if !isAlone {
        follow(ranks)
      }
    }

    private func lead(_ ranks: MPICommunicator) throws {
      let run: TrainingRun
      do {
        run = try TrainingRun(self, ranks)
        try run.start.share(ranks)
      } catch {
        RunAssignment.cancel(ranks)
        ranks.leave()
        throw error
      }
      do {
        try run.run()
      } catch {
        let trainer = run.start.trainer
        let isKnownToAll = trainer.isStopped || trainer.isFinished || error is Divergence
        if !isKnownToAll { abort(error, ranks) }
        ranks.leave()
        throw error
      }
      ranks.leave()
    }

    /// Says what went wrong, and ends the job: the other ranks wait for a step that will not come.
    private func abort(_ error: any Error, _ ranks: MPICommunicator) -> Never {
      let failure = (error as? any CommandFailureConvertible)?.commandFailure
      StandardError.shared.note(failure?.message ?? "\(error)")
      if let advice = failure?.advice { StandardError.shared.writeLine(advice) }
      ranks.abort(status: (failure?.status ?? .failure).rawValue)
    }

    private func follow(_ ranks: MPICommunicator) {
      Interruption.startCatching()
      // Rank 0 reports a training that falls apart.
      if let trainer = Trainer(following: ranks, threads: threads ?? 1) {
        trainer.stop { Interruption.pending != nil }
        try? trainer.follow()
      }
      ranks.leave()
    }
  }

  extension RunStart {
    /// Gives the other ranks, which have prepared the same data, what they start from.
    fileprivate func share(_ ranks: MPICommunicator) throws {
      var checkpoint = try Checkpoint(trainer, words: words).encoded()
      ranks.broadcast(&checkpoint)
    }
  }

  extension Trainer {
    /// Starts where rank 0 does; nil if that has failed, and said so.
    fileprivate convenience init?(following ranks: MPICommunicator, threads: Int) {
      guard let assignment = RunAssignment.received(ranks) else { return nil }
      // What is wrong with the list is known to all ranks, and rank 0 tells it.
      let data = try? FollowerData(assignment, ranks)
      var file: [UInt8] = []
      ranks.broadcast(&file)
      guard let data, !file.isEmpty else { return nil }
      do {
        let checkpoint = try Checkpoint(file: file)
        try self.init(
          resuming: checkpoint, data.dataset(checkpoint.recipe), threads: threads,
          communicator: ranks)
      } catch {
        StandardError.shared.note("rank \(ranks.rank): \(error)")
        ranks.abort(status: ExitStatus.failure.rawValue)
      }
    }
  }

  /// What a rank that follows trains on: its part of a list that all ranks read, or rank 0's words.
  private enum FollowerData {
    case part(HashSplitList)
    case whole(Dataset)

    init(_ assignment: RunAssignment, _ ranks: MPICommunicator) throws {
      if let path = assignment.path {
        self = .part(
          try HashSplitList(
            contentsOf: path, splitSeed: assignment.recipe.splitSeed, communicator: ranks))
      } else {
        var text: [UInt8] = []
        ranks.broadcast(&text)
        let (list, recipe) = (try WordList(utf8: text), assignment.recipe)
        self =
          recipe.split == .hash
          ? .part(HashSplitList(list, splitSeed: recipe.splitSeed, communicator: ranks))
          : .whole(try Dataset(list, recipe))
      }
    }

    /// The data set for the run's recipe, which for a list that all read is known only afterwards.
    func dataset(_ recipe: Recipe) throws -> Dataset {
      switch self {
      case .part(let list): try Dataset(list, blockSize: recipe.blockSize)
      case .whole(let dataset): dataset
      }
    }
  }
#endif
