// What a run starts from: a word list and flags, or where another run stopped.
//
// Everything that can be refused is refused here, before the first step. In order: the words, the memory
// that the sizes need, and last the directory, so that nothing is left behind by what was refused.

import CharMLP
import CommandSupport
import LinearAlgebra

/// A trainer, its data, and the directory that it has to itself.
struct RunStart {
  /// What messages call the data.
  let name: String
  /// Where the data came from.
  let path: String
  let dataset: Dataset
  let words: StoredWords
  let directory: RunDirectory
  let lock: RunLock
  let trainer: Trainer
  /// The steps taken before.
  let firstStep: Int
  /// The training time before, as far as metrics were recorded.
  var secondsBefore = 0.0
  var isResumed = false

  /// A start as the flags ask for it.
  ///
  /// - Throws: `CommandFailure` for whatever stands in the way of training.
  init(_ options: Train, _ communicator: (any Communicator)?) throws {
    if let resumed = options.checkpoints.resume {
      try self.init(resuming: resumed, options, communicator)
    } else {
      try self.init(new: options, communicator)
    }
  }

  private init(
    new options: Train, _ communicator: (any Communicator)?
  ) throws(CommandFailure) {
    try options.trainerBackward.check(communicator)
    let source = WordListSource(options.data)
    let recipe = options.recipe
    let data = try RunData(reading: source, recipe, communicator)
    try recipe.checkMemory(
      vocabulary: data.dataset.vocabulary.count, backward: options.trainerBackward)
    let directory = try RunDirectory(options, source)
    let lock = try RunLock(of: directory)
    try directory.requireNoRun()
    self.init(
      name: source.name, path: source.path ?? "-", data, directory: directory,
      lock: lock,
      trainer: Trainer(
        recipe, data.dataset, backward: options.trainerBackward,
        threads: options.availableThreads(communicator), communicator: communicator))
  }

  init(
    name: String, path: String, _ data: RunData, directory: RunDirectory, lock: RunLock,
    trainer: Trainer
  ) {
    self.name = name
    self.path = path
    (dataset, words) = (data.dataset, data.words)
    self.directory = directory
    self.lock = lock
    self.trainer = trainer
    firstStep = trainer.step
  }
}

extension Trainer.Backward {
  /// Refuses ranks for a backward pass that knows nothing of them.
  func check(_ communicator: (any Communicator)?) throws(CommandFailure) {
    guard communicator != nil, self != .fused else { return }
    throw CommandFailure(
      .unavailable, "the backward pass \(name) cannot be shared out among ranks",
      advice: "Run it without mpirun, or use --backward fused.")
  }
}

extension Recipe {
  /// Refuses sizes for which the machine's memory could not suffice, before allocating any of it.
  func checkMemory(
    vocabulary: Int, backward: Trainer.Backward
  ) throws(CommandFailure) {
    try Host.require(
      Trainer.byteCount(self, vocabulary: vocabulary, backward: backward), for: "these sizes",
      advice: "Choose a smaller --hidden, --batch-size, --block-size or --embedding.")
  }
}

extension RunDirectory {
  /// The directory of a new run, named by `--out` or after its data.
  fileprivate init(_ options: Train, _ source: WordListSource) throws(CommandFailure) {
    do throws(FileError) {
      if let out = options.out {
        try self.init(creating: out)
      } else {
        try self.init(creatingNextIn: ModelSource.runs, name: source.stem)
      }
    } catch {
      let advice =
        error.isExisting
        ? "Nothing is overwritten: name another directory with --out."
        : "Name another directory with --out."
      throw CommandFailure(.cannotCreate, "\(error)", advice: advice)
    }
  }
}

extension RunDirectory {
  /// Refuses a directory in which another run began, and ended, between the look into it and its lock.
  fileprivate func requireNoRun() throws(CommandFailure) {
    guard hasModel else { return }
    throw CommandFailure(
      .cannotCreate, "\(path): another run was saved there just now",
      advice: "Nothing is overwritten: name another directory with --out.")
  }
}

extension RunLock {
  /// The lock of a directory, or the reason for which there is none, with its status.
  convenience init(of directory: RunDirectory) throws(CommandFailure) {
    do throws(RunLockError) {
      try self.init(directory)
    } catch {
      if case .held = error {
        throw CommandFailure(.locked, "\(error)", advice: "Wait for it, or stop it first.")
      }
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }
}
