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
      train                                 on the bundled names
      train towns.txt                       on a list, a word a line
      train towns.txt rivers.txt -o runs/w  on two lists, in this place
      train towns.txt --hidden 99 -n 5000   with sizes of your own
      train towns.txt --recipe notebook     as in the lecture
      train towns.txt --describe            look at the list first
      train --resume runs/w                 continue an interrupted run
      train --resume runs/w --steps 80000   make a run longer
      train isles.txt --start-from runs/w   from a trained network
      """,
    discussion: """
      The run directory gets model.safetensors, the last state, and best.safetensors, the best by \
      validation. Ctrl-C saves a run; --help-hidden shows all flags.
      """,
    version: version
  ).asCalled

  @Argument(
    help: ArgumentHelp(
      "Word lists; - is standard input. (default: bundled)",
      valueName: "list"),
    completion: .file())
  var files: [String] = []

  @OptionGroup(title: "Run") var output: RunOptions
  @OptionGroup(title: "Run") var checkpoints: CheckpointOptions
  @OptionGroup(title: "Instead of training") var instead: InsteadOptions
  @OptionGroup var settings: RecipeOptions

  @Option(
    help: ArgumentHelp("The same as <list>.", valueName: "list", visibility: .hidden),
    completion: .file())
  var data: String?
  @Option(
    help: ArgumentHelp(
      "Matrix product; naive implies --backward derivation. (default: blas)",
      visibility: .rare))
  var product: MatrixProduct?
  @Option(help: ArgumentHelp("Backward pass. (default: fused)", visibility: .rare))
  var backward: BackwardName?
  @Flag(name: .shortAndLong, help: "Do not print progress.") var quiet = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  enum BackwardName: String, ExpressibleByArgument, CaseIterable { case fused, derivation }

  package init() {}

  package func validate() throws {
    if product == .naive, backward == .fused {
      throw ValidationError("--product naive cannot be used with --backward fused")
    }
    if data != nil, !files.isEmpty {
      throw ValidationError(
        "--data cannot be combined with \(files[0]): list all files without --data")
    }
    if files.contains("") || data == "" {
      throw ValidationError("the name of a list cannot be empty")
    }
    if files.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("standard input, -, cannot be read twice")
    }
    if instead.describe, instead.findLearningRate {
      throw ValidationError("--describe cannot be used with --find-learning-rate")
    }
    if instead.describe || instead.findLearningRate, checkpoints.resume != nil {
      let flag = instead.describe ? "--describe" : "--find-learning-rate"
      throw ValidationError("\(flag) cannot be used with --resume")
    }
    if output.out != nil, checkpoints.resume != nil {
      throw ValidationError("--out cannot be used with --resume: a run stays in its directory")
    }
    if instead.printRecipe, instead.describe || instead.findLearningRate {
      let other = instead.describe ? "--describe" : "--find-learning-rate"
      throw ValidationError("--print-recipe cannot be used with \(other)")
    }
    if output.out == "" { throw ValidationError("--out must name a directory") }
  }

  package func run() throws {
    if let threads = output.threads { AddressSpace.requireRoomForBLAS(callers: threads) }
    #if MPI
      if let communicator = MPICommunicator.joinJob() { return try run(on: communicator) }
    #endif
    try runAlone()
  }

  /// Runs in this process, without others.
  func runAlone() throws {
    if instead.printRecipe { return try showRecipe() }
    if instead.describe { return try describeData() }
    if instead.findLearningRate { return try showLearningRates() }
    try TrainingRun(self).run()
  }
}

extension MatrixProduct: ExpressibleByArgument {}

extension Train {
  /// The lists that are named, however they are; nil for the bundled one, or a resumed run's own.
  var lists: [String]? { data.map { [$0] } ?? (files.isEmpty ? nil : files) }

  /// The threads that a run may use.
  var availableThreads: Int { output.threads ?? availableCores() }

  /// The threads that a rank may use: several ranks share the cores of a machine.
  func availableThreads(_ communicator: (any Communicator)?) -> Int {
    communicator == nil ? availableThreads : output.threads ?? 1
  }

  var trainerBackward: Trainer.Backward {
    let product = product ?? .blas
    let isFused = product == .blas && backward != .derivation
    return isFused ? .fused : .derivation(product)
  }
}

// MARK: - What a run leaves, or what to do instead

/// Where a run goes, and what is printed of it.
struct RunOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Run directory. (default: next free runs/<list>-<k>)", valueName: "run"),
    completion: .directory)
  var out: String?
  @Option(
    help: ArgumentHelp("Words to print at the end.", valueName: "n"), in: 0...1_000_000)
  var samples = 20
  @Option(
    help: ArgumentHelp(
      "Words to print at every evaluation.", valueName: "n"), in: 0...1000)
  var samplesDuring = 0
  @Flag(help: "Write the run as one page, report.html, at the end.") var report = false
  @Option(
    help: ArgumentHelp(
      "Threads; the result stays the same. (default: all)", valueName: "n"),
    transform: threadCount)
  var threads: Int?
}

/// What to do with a list instead of training on it.
struct InsteadOptions: ParsableArguments {
  @Flag(help: "Describe the list: alphabet, lengths, warnings.")
  var describe = false
  @Flag(help: "Try growing learning rates on a copy, and suggest one.")
  var findLearningRate = false
  @Flag(help: "Print the recipe as a file for --recipe.") var printRecipe = false
}

// MARK: Saving and resuming

/// When a run is saved, and which one is resumed.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Resume a run; --steps changes its length.", valueName: "run"),
    completion: .runs)
  var resume: String?
  @Option(
    help: ArgumentHelp("Start from the network of a run or a model file.", valueName: "run"),
    completion: .models)
  var startFrom: String?
  @Option(
    help: ArgumentHelp(
      "Steps between two saves. (default: about 10 seconds of training)", valueName: "n",
      visibility: .rare),
    transform: wholeNumber(in: 1...1_000_000_000))
  var checkpointEvery: Int?

  func validate() throws {
    if resume == "" { throw ValidationError("--resume must name a run directory") }
    if startFrom == "" { throw ValidationError("--start-from must name a run or a model file") }
    if resume != nil, startFrom != nil {
      throw ValidationError("--start-from cannot be used with --resume, which has its own network")
    }
  }
}

// MARK: - Printing a recipe
//
// `train --print-recipe` makes no run directory.

extension Train {
  /// What the flags, a recipe file and a network to start from say about the recipe.
  /// - Throws: `CommandFailure` for a file that cannot be used, or sizes that are not the
  ///   network's.
  func recipeChoice() throws(CommandFailure) -> RecipeChoice {
    var choice = try settings.choice()
    guard let name = checkpoints.startFrom else { return choice }
    let path = try ModelSource(name).path
    let bytes = try ModelSource.bytes(of: path)
    let network: StartingNetwork
    do throws(ModelFileError) { network = try StartingNetwork(file: bytes) } catch {
      var failure = error.commandFailure(in: path, of: bytes)
      if error == .notAModel {
        failure.advice =
          "If a notebook saved it:  " + "charmlp import \(shellWord(path))"
      }
      throw failure
    }
    try choice.start(from: network, at: path)
    return choice
  }

  private func showRecipe() throws {
    let choice = try recipeChoice()
    let recipe: Recipe
    if let resumed = checkpoints.resume {
      let directory = try RunDirectory(toResume: resumed)
      recipe = try directory.checkpoint().continued(by: self, choice, directory).recipe
    } else {
      recipe = try RunData(reading: WordLists(lists), choice).recipe
    }
    try StandardOutput.shared.write(recipe.fileText, orJSON: recipe.flagJSON, if: json)
  }

  // MARK: - Describing a list
  //
  // `train --describe` makes no run directory.

  /// Reports on the list as this command line would train on it.
  func describeData() throws {
    let source = WordLists(lists)
    let report = DataReport(try RunData(reading: source, recipeChoice()).dataset)
    try StandardOutput.shared.write(
      report.text(of: source), orJSON: report.json(of: source), if: json)
  }

  // MARK: - Finding a learning rate
  //
  // `train --find-learning-rate` trains a copy and makes no run directory.

  /// Shows the loss at growing learning rates, and the rate to begin with.
  func showLearningRates() throws {
    let source = WordLists(lists)
    let memory = TrainingMemory(backward: trainerBackward, threads: availableThreads)
    let choice = try recipeChoice()
    let data = try RunData(reading: source, choice, training: memory)
    let (recipe, dataset) = (data.recipe, data.dataset)
    let search = try LearningRateSearch(
      recipe, dataset, from: choice.network, backward: trainerBackward, threads: availableThreads)
    try StandardOutput.shared.write(search.text, orJSON: search.json(of: source.name), if: json)
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

  /// About how many lines are shown.
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
      The loss is lowest at \(Format.scientific(Double(lowest.learningRate))); try a tenth of that:  \
      --learning-rate \(Format.scientific(Double(suggestion)))

      """
  }
}

// MARK: - Ranks
//
// Under mpirun rank 0 does what `train` does alone, and the others take every step with it.
//
// Only rank 0 prints and saves. The others get from it the words and a checkpoint, whether a run
// begins or is resumed: so they need neither the list nor the run directory on their machines, and
// any number of ranks can resume a run. Only a list that is split by hash is read by all, each its
// own part. An error that rank 0 alone sees aborts the job.

#if MPI
  extension Train {
    func run(on communicator: MPICommunicator) throws {
      let isAlone =
        communicator.count == 1 || instead.describe || instead.findLearningRate
        || instead.printRecipe
      if isAlone { communicator.leave() }
      if communicator.rank == 0 {
        try isAlone ? runAlone() : lead(communicator)
      } else if !isAlone {
        follow(communicator)
      }
    }

    private func lead(_ communicator: MPICommunicator) throws {
      let run: TrainingRun
      do {
        run = try TrainingRun(self, communicator)
        try run.start.share(communicator)
      } catch {
        RunAssignment.cancel(communicator)
        communicator.leave()
        throw error
      }
      do {
        try run.run()
      } catch {
        let trainer = run.start.trainer
        let isKnownToAll = trainer.isStopped || trainer.isFinished || error is Divergence
        if !isKnownToAll { abort(error, communicator) }
        communicator.leave()
        throw error
      }
      communicator.leave()
    }

    /// Says what went wrong, and ends the job: the other ranks wait for a step that will not come.
    private func abort(_ error: any Error, _ communicator: MPICommunicator) -> Never {
      let failure = (error as? any CommandFailureConvertible)?.commandFailure
      StandardError.shared.note(failure?.message ?? "\(error)")
      if let advice = failure?.advice { StandardError.shared.writeLine(advice) }
      communicator.abort(status: (failure?.status ?? .failure).rawValue)
    }

    private func follow(_ communicator: MPICommunicator) {
      Interruption.startCatching()
      // Rank 0 reports divergence.
      if let trainer = Trainer(following: communicator, threads: output.threads ?? 1) {
        trainer.stop { Interruption.pending != nil }
        try? trainer.follow()
      }
      communicator.leave()
    }
  }

  extension RunStart {
    /// Gives the other ranks what they start from.
    fileprivate func share(_ communicator: MPICommunicator) throws {
      var checkpoint = try Checkpoint(trainer, words: words).encoded()
      communicator.broadcast(&checkpoint)
    }
  }

  extension Trainer {
    /// Starts where rank 0 does; nil if rank 0 has failed and reported it.
    fileprivate convenience init?(following communicator: MPICommunicator, threads: Int) {
      guard let assignment = RunAssignment.received(communicator) else { return nil }
      // All ranks know what is wrong with the list, and rank 0 reports it.
      let data = try? FollowerData(assignment, communicator)
      var file: [UInt8] = []
      communicator.broadcast(&file)
      guard let data, !file.isEmpty else { return nil }
      do {
        let checkpoint = try Checkpoint(file: file)
        try self.init(
          resuming: checkpoint, data.dataset(checkpoint.recipe), threads: threads,
          communicator: communicator)
      } catch {
        StandardError.shared.note("rank \(communicator.rank): \(error)")
        communicator.abort(status: ExitStatus.failure.rawValue)
      }
    }
  }

  /// What a rank that follows trains on: its part of a list that all ranks read, or rank 0's words.
  private enum FollowerData {
    case part(HashSplitList)
    case whole(Dataset)

    init(_ assignment: RunAssignment, _ communicator: MPICommunicator) throws {
      if let path = assignment.path {
        self = .part(
          try HashSplitList(
            contentsOf: path, splitSeed: assignment.recipe.splitSeed, communicator: communicator))
      } else {
        var text: [UInt8] = []
        communicator.broadcast(&text)
        let (list, recipe) = (try WordList(utf8: text), assignment.recipe)
        self =
          recipe.split == .hash
          ? .part(HashSplitList(list, splitSeed: recipe.splitSeed, communicator: communicator))
          : .whole(try Dataset(list, recipe))
      }
    }

    /// The data set for the run's recipe, which is known only after all ranks have read a list.
    func dataset(_ recipe: Recipe) throws -> Dataset {
      switch self {
      case .part(let list): try Dataset(list, blockSize: recipe.blockSize)
      case .whole(let dataset): dataset
      }
    }
  }
#endif
