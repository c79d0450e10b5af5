// What a run starts from: a word list and flags, or where another run stopped.
//
// Everything that can be refused is refused here, before the first step. In order: the words, the
// memory that the sizes need, and last the directory, so that a refusal leaves nothing behind.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

/// A trainer, its data, and the directory that it has to itself.
struct RunStart {
  /// What messages call the data.
  let name: String
  /// Where the data came from, list by list.
  let paths: [String]
  /// The lists that were named; nil for a resumed run that uses its own.
  var source: WordLists?
  let dataset: Dataset
  let words: StoredWords
  let directory: RunDirectory
  let lock: RunLock
  let trainer: Trainer
  /// The steps taken before.
  let firstStep: Int
  /// The training time before, as far as metrics were recorded.
  var secondsBefore = 0.0
  /// What the recipe of a new run began with, in words; nil for a resumed run.
  var recipeTitle: String?
  /// The path of the network that a new run starts from.
  var startedFrom: String?
  /// The list's symbols that this network does not know.
  var newSymbols: [Unicode.Scalar] = []
  /// The former length of a resumed run that is given another one; nil otherwise.
  var formerSteps: Int?

  /// A start as the flags ask for it.
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
    let choice = try options.recipeChoice()
    let source = WordLists(options.lists)
    let data = try RunData(
      reading: source, choice, communicator,
      training: TrainingMemory(
        backward: options.trainerBackward, threads: options.availableThreads(communicator)))
    let recipe = data.recipe
    let place = try NewRun(out: options.output.out, stem: source.stem)
    let trainer: Trainer
    do throws(RecipeError) {
      trainer = try Trainer(
        recipe, data.dataset, from: choice.network, backward: options.trainerBackward,
        threads: options.availableThreads(communicator), communicator: communicator)
    } catch {
      throw error.commandFailure
    }
    self.init(
      name: source.name, paths: source.paths, data, place.directory, place.lock, trainer)
    self.source = source
    recipeTitle = choice.title
    startedFrom = choice.networkPath
    newSymbols = choice.network?.newSymbols(of: data.dataset.vocabulary) ?? []
  }

  private init(
    name: String, paths: [String], _ data: RunData, _ directory: RunDirectory, _ lock: RunLock,
    _ trainer: Trainer
  ) {
    (self.name, self.paths, dataset, words) = (name, paths, data.dataset, data.words)
    (self.directory, self.lock, self.trainer) = (directory, lock, trainer)
    firstStep = trainer.step
  }

  var isResumed: Bool { recipeTitle == nil }
}

extension Trainer.Backward {
  /// Refuses several ranks for a backward pass that cannot use them.
  func check(_ communicator: (any Communicator)?) throws(CommandFailure) {
    guard communicator != nil, self != .fused else { return }
    throw CommandFailure(
      .unavailable, "the backward pass \(name) cannot run on several ranks",
      advice: "Run it without mpirun, or use --backward fused.")
  }
}

/// What a run allocates besides its windows.
struct TrainingMemory {
  let backward: Trainer.Backward
  let threads: Int

  /// Refuses sizes for which the machine's memory could not suffice, before allocating any of it.
  func require(
    _ recipe: Recipe, windows: Int, vocabulary: Int
  ) throws(CommandFailure) {
    var total: Double?
    if let trainer = Trainer.byteCount(
      recipe, vocabulary: vocabulary, backward: backward, threads: threads),
      let windows = ContextWindows.byteCount(windows: windows, blockSize: recipe.blockSize)
    {
      // All windows, and the distinct ones among them, which an evaluation takes.
      total = Double(trainer) + 2 * Double(windows)
      // Words are drawn from a table with the first layer's sums for each character at each place.
      total! += 4 * Double(recipe.blockSize) * Double(vocabulary) * Double(recipe.hidden)
    }
    try Host.requireSizes(total)
  }
}

// MARK: - Resuming
//
// The run's directory is enough: flags about the network, the training or the words are not needed.
// If they are given anyway, they must match the run: another recipe or other words would be another
// run, and are refused (76).

extension RunStart {
  /// The start of a run that resumes from its last checkpoint.
  init(
    resuming path: String, _ options: Train, _ communicator: (any Communicator)?
  ) throws {
    let choice = try options.recipeChoice()
    let directory = try RunDirectory(toResume: path)
    let lock = try RunLock(of: directory)
    let saved = try directory.checkpoint()
    let checkpoint = try saved.continued(by: options, choice, directory)
    try checkpoint.backward.check(communicator)
    let data = try RunData(
      resuming: checkpoint, options, directory, communicator,
      training: TrainingMemory(
        backward: checkpoint.backward, threads: options.availableThreads(communicator)))
    let paths = options.lists.map { WordLists($0).paths } ?? [directory.modelPath]
    self.init(
      name: directory.path, paths: paths, data, directory, lock,
      try Trainer(
        resuming: checkpoint, data.dataset, threads: options.availableThreads(communicator),
        communicator: communicator))
    if checkpoint.recipe != saved.recipe { formerSteps = saved.recipe.steps }
    do throws(SystemError) {
      try directory.removeTemporaries()
      let metrics = try directory.cutMetrics(after: checkpoint.training.step)
      let last = metrics.flatMap { try? JSONValue(parsing: $0) }
      secondsBefore = last?["seconds"]?.double ?? 0
    } catch {
      throw CommandFailure(.inputOutput, "\(error)", advice: "The saved model is unchanged.")
    }
  }
}

extension RunDirectory {
  /// The directory of a run to resume.
  init(toResume path: String) throws(CommandFailure) {
    do throws(SystemError) { try self.init(existing: path) } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory.")
    }
    guard hasModel else {
      throw CommandFailure(
        .noInput, "\(self.path): there is no model.safetensors in it",
        advice: "Name a run directory, or start a new run.")
    }
  }

  /// The run's last state.
  func checkpoint() throws(CommandFailure) -> Checkpoint {
    try ModelSource.checkpoint(modelPath, allowingPipes: false, advice: nil)
  }
}

extension RunData {
  /// The run's words: those that it carries, or the list that is named, which must be the same.
  ///
  /// What is stored of them stays as it is, so that a resumed run's files equal those of an
  /// uninterrupted one.
  fileprivate init(
    resuming checkpoint: Checkpoint, _ options: Train, _ directory: RunDirectory,
    _ communicator: (any Communicator)?, training: TrainingMemory
  ) throws {
    do {
      let (list, name): (RunList, String)
      if let names = options.lists {
        let source = WordLists(names)
        (list, name) = (try RunList(source, checkpoint.recipe, communicator), source.name)
        guard try list.isThat(of: checkpoint) else {
          throw CommandFailure(
            .incompatible, "\(name): not the words of the run in \(directory.path)",
            advice: "Leave the list out, or start a new run.")
        }
      } else if let stored = try checkpoint.wordList() {
        (list, name) = (RunList(words: stored), directory.path)
      } else {
        throw CommandFailure(
          .noInput, "\(directory.path): the run's list was too long to be stored with it",
          advice: "Name the list:  "
            + Program.commandLine("train --resume \(shellWord(directory.path)) words.txt"))
      }
      try self.init(
        list, checkpoint.words, checkpoint.recipe, communicator, name: name, training: training)
    } catch let error as ModelFileError {
      throw error.commandFailure(in: directory.modelPath)
    }
  }
}

extension Checkpoint {
  /// The run with the length that flags give it. Flags that ask for another network or other
  /// training are refused.
  func continued(
    by options: Train, _ choice: RecipeChoice, _ directory: RunDirectory
  ) throws -> Checkpoint {
    guard !lineage.isImported else {
      throw CommandFailure(
        .incompatible,
        "\(directory.path): imported from a notebook, so there is no training to resume",
        advice: "Start from its network:  "
          + Program.commandLine("train --start-from \(shellWord(directory.path))"))
    }
    let ending = choice.ending(recipe)
    // Without the words it is not known what the preset would be.
    var base = ending
    if let preset = choice.preset, let list = try? wordList() {
      base = choice.ending(Recipe(preset, trainingWindows: list.trainingWindows))
    }
    let asked = choice.applied(to: base)
    if let field = asked.differences(from: ending).first {
      throw incompatible(
        directory, asked: choice.origin(of: field, field.text(in: asked)),
        is: field.text(in: ending))
    }
    if options.product != nil || options.backward != nil, options.trainerBackward != backward {
      throw incompatible(
        directory, asked: "the backward pass \(options.trainerBackward.name)", is: backward.name)
    }
    guard ending.steps >= training.step else {
      let taken = Format.count(training.step)
      throw CommandFailure(
        .usage, "--steps \(ending.steps): the run in \(directory.path) has taken \(taken) steps",
        advice: "Use --steps \(training.step) or more, or start a new run.")
    }
    return withEnd(of: ending)
  }

  private func incompatible(
    _ directory: RunDirectory, asked: String, is found: String
  ) -> CommandFailure {
    CommandFailure(
      .incompatible, "\(directory.path): \(asked) does not match the run, which has \(found)",
      advice: "Leave the flag out, or start a new run.")
  }
}

// MARK: - The words of a run

// A list that is shuffled is read as a whole, and rank 0 sends it to the others. One that is split
// by hash is read a piece at a time, by all ranks together; only the bundled list, and the words of
// a model file, are sent by rank 0.

/// What a run learns from, and what its files keep of it.
struct RunData {
  let dataset: Dataset
  let words: StoredWords
  let recipe: Recipe

  /// Reads the list of a new run, and chooses the recipe for it.
  /// - Throws: `CommandFailure` for a list that is missing, not a list, too small or too large.
  /// - Parameter training: What it is to be trained with; nil if it is only looked at.
  init(
    reading source: WordLists, _ settings: RecipeChoice,
    _ communicator: (any Communicator)? = nil, training: TrainingMemory? = nil
  ) throws(CommandFailure) {
    // How words are split depends on the flags alone.
    let list = try RunList(source, settings.applied(to: Recipe()), communicator)
    try self.init(
      list, list.stored, settings.recipe(trainingWindows: list.trainingWindows), communicator,
      name: source.name, training: training)
  }

  /// Takes a list, and what the run's files keep of it.
  /// - Throws: `CommandFailure` for a list that is too small or too large; it calls the list
  ///   `name`.
  private init(
    _ list: RunList, _ words: StoredWords, _ recipe: Recipe, _ communicator: (any Communicator)?,
    name: String, training: TrainingMemory?
  ) throws(CommandFailure) {
    try training?.require(
      recipe, windows: list.words.characterCount + list.words.count,
      vocabulary: list.vocabulary.count)
    if let pieces = list.pieces {
      do throws(DatasetError) {
        dataset = try Dataset(
          pieces, blockSize: recipe.blockSize, memoryLimit: Host.availableMemory)
      } catch {
        throw error.commandFailure(in: name)
      }
    } else {
      if let communicator { list.words.send(communicator, recipe) }
      dataset = try Dataset(list.words, recipe, named: name, communicator: communicator)
    }
    (self.words, self.recipe) = (words, recipe)
  }
}

/// A list that was read as its recipe splits it.
private struct RunList {
  /// The words in memory.
  let words: WordList
  /// The list as it was split by hash; nil if it is to be shuffled, or a run's own file carries it.
  var pieces: HashSplitList?

  var vocabulary: Vocabulary { pieces?.vocabulary ?? Vocabulary(of: words) }
  var trainingWindows: Int { pieces?.text.windowCount ?? words.trainingWindows }
  /// What a run's files keep of it.
  var stored: StoredWords { pieces.map { StoredWords($0) } ?? StoredWords(words) }

  /// Whether a run has learned from it.
  func isThat(of checkpoint: Checkpoint) throws(ModelFileError) -> Bool {
    let isSame =
      if let pieces { try checkpoint.words.matches(pieces) } else {
        try checkpoint.words.matches(words)
      }
    return isSame && vocabulary == checkpoint.model.vocabulary
  }
}

extension RunList {
  init(
    _ source: WordLists, _ recipe: Recipe, _ communicator: (any Communicator)?
  ) throws(CommandFailure) {
    if recipe.split == .shuffle {
      self.init(words: try source.read())
    } else {
      let list = try source.readByHash(recipe, communicator)
      self.init(words: list.words, pieces: list)
    }
  }
}

extension WordList {
  /// Sends the other ranks the run to prepare for, then the words.
  fileprivate func send(_ communicator: any Communicator, _ recipe: Recipe) {
    RunAssignment(recipe, path: nil).send(communicator)
    var text = utf8
    communicator.broadcast(&text)
  }
}

extension WordLists {
  /// Reads the list a piece at a time, together with the other ranks.
  /// - Throws: `CommandFailure` for a list that is missing or is not a list.
  func readByHash(
    _ recipe: Recipe, _ communicator: (any Communicator)?
  ) throws(CommandFailure) -> HashSplitList {
    guard let source = only else {
      throw CommandFailure(
        .unavailable,
        "--split hash reads a single list piece by piece, and \(paths.count) were given",
        advice: "Join them:  \(joiningLine) | \(Program.commandLine("train --split hash -"))")
    }
    if source.place == .standardInput, communicator != nil {
      throw CommandFailure(
        .unavailable, "several ranks cannot share standard input",
        advice: "Name a file, or use --split shuffle.")
    }
    do throws(WordListError) {
      switch source.place {
      case .bundled:
        let list = WordListSource.bundledWords()
        if let communicator { list.send(communicator, recipe) }
        return HashSplitList(list, splitSeed: recipe.splitSeed, communicator: communicator)
      case .standardInput:
        return try HashSplitList.standardInput(
          splitSeed: recipe.splitSeed, memoryLimit: Host.availableMemory / 2)
      case .file(let path):
        if let communicator { RunAssignment(recipe, path: path).send(communicator) }
        return try HashSplitList(
          contentsOf: path, splitSeed: recipe.splitSeed, communicator: communicator,
          memoryLimit: Host.availableMemory / 2)
      }
    } catch {
      throw source.failure(error)
    }
  }
}
