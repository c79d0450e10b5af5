// Going on with a run that was stopped, from its directory alone.
//
// Flags about the network, the training or the words are not needed. Where they are given all the same
// they must say what the run says: another recipe or other words are another run, and are refused (76).

import CharMLP
import CommandSupport

extension RunStart {
  /// The start of a run that goes on where its last checkpoint was saved.
  init(
    resuming path: String, _ options: Train, _ communicator: (any Communicator)?
  ) throws {
    let directory = try Self.directory(path)
    let lock = try RunLock(of: directory)
    let checkpoint = try Self.checkpoint(in: directory)
    try checkpoint.compare(with: options, directory)
    try checkpoint.backward.check(communicator)
    let data = try RunData(resuming: checkpoint, options, directory, communicator)
    try checkpoint.recipe.checkMemory(
      vocabulary: data.dataset.vocabulary.count, backward: checkpoint.backward)
    let source = options.data.map { WordListSource($0).path ?? "-" } ?? directory.modelPath
    self.init(
      name: directory.path, path: source, data, directory: directory, lock: lock,
      trainer: Trainer(
        resuming: checkpoint, data.dataset, threads: options.availableThreads(communicator),
        communicator: communicator))
    isResumed = true
    do throws(FileError) {
      try directory.removeTemporaries()
      let metrics = try directory.cutMetrics(after: checkpoint.training.step)
      secondsBefore = metrics.flatMap(Self.seconds) ?? 0
    } catch {
      throw CommandFailure(.inputOutput, "\(error)", advice: "The saved model is as it was.")
    }
  }

  private static func directory(_ path: String) throws(CommandFailure) -> RunDirectory {
    let directory: RunDirectory
    do throws(FileError) {
      directory = try RunDirectory(existing: path)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory.")
    }
    guard directory.hasModel else {
      throw CommandFailure(
        .noInput, "\(directory.path): there is no model.safetensors in it",
        advice: "Name a run directory, or start a new run.")
    }
    return directory
  }

  private static func checkpoint(in directory: RunDirectory) throws(CommandFailure) -> Checkpoint {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try Checkpoint.read(directory.modelPath, limit: Host.readableBytes)
    } catch {
      throw CommandFailure(.noInput, "\(error)")
    }
    do throws(ModelFileError) {
      return try Checkpoint(file: bytes)
    } catch {
      throw error.commandFailure(in: directory.modelPath)
    }
  }

  /// The training time that a line of metrics tells.
  private static func seconds(inMetrics line: String) -> Double? {
    guard let key = line.firstRange(of: "\"seconds\":") else { return nil }
    return Double(line[key.upperBound...].prefix { $0 != "," && $0 != "}" })
  }
}

extension RunData {
  /// The run's words: those that it carries, or the list that is named, which must be the same.
  ///
  /// What is stored of them stays as it is, so that a resumed run's files are the uninterrupted one's.
  fileprivate init(
    resuming checkpoint: Checkpoint, _ options: Train, _ directory: RunDirectory,
    _ ranks: (any Communicator)?
  ) throws {
    do {
      guard let name = options.data else {
        guard let list = try checkpoint.wordList() else {
          throw CommandFailure(
            .noInput, "\(directory.path): the run's list was too long to be stored with it",
            advice: "Name the list with --data.")
        }
        try self.init(list, checkpoint.words, checkpoint.recipe, ranks, name: directory.path)
        return
      }
      let source = WordListSource(name)
      if checkpoint.recipe.split == .hash {
        let list = try source.readByHash(checkpoint.recipe, ranks)
        try checkpoint.compare(
          try checkpoint.words.matches(list), list.vocabulary, source, directory)
        let data = try RunData(list, checkpoint.recipe, name: source.name)
        self.init(dataset: data.dataset, words: checkpoint.words)
      } else {
        let list = try source.read()
        try checkpoint.compare(
          try checkpoint.words.matches(list), Vocabulary(of: list), source, directory)
        try self.init(list, checkpoint.words, checkpoint.recipe, ranks, name: source.name)
      }
    } catch let error as ModelFileError {
      throw error.commandFailure(in: directory.modelPath)
    }
  }
}

extension Checkpoint {
  /// Refuses a list that is not the run's.
  fileprivate func compare(
    _ isSame: Bool, _ vocabulary: Vocabulary, _ source: WordListSource, _ directory: RunDirectory
  ) throws(CommandFailure) {
    guard isSame, vocabulary == model.vocabulary else {
      throw CommandFailure(
        .incompatible, "\(source.name): other words than those of the run in \(directory.path)",
        advice: "Leave --data out, or start a new run.")
    }
  }

  /// Refuses flags that ask for another network or another training than the run's.
  fileprivate func compare(with options: Train, _ directory: RunDirectory) throws(CommandFailure) {
    let asked = options.settings.applied(to: recipe)
    if let key = asked.differences(from: recipe).first {
      let flag = "--" + key.split(separator: "_").joined(separator: "-")
      throw incompatible(
        directory, asked: "\(flag) \(asked.text(of: key) ?? "")", is: recipe.text(of: key) ?? "")
    }
    if options.product != nil || options.backward != nil, options.trainerBackward != backward {
      throw incompatible(
        directory, asked: "the backward pass \(options.trainerBackward.name)", is: backward.name)
    }
  }

  private func incompatible(
    _ directory: RunDirectory, asked: String, is found: String
  ) -> CommandFailure {
    CommandFailure(
      .incompatible, "\(directory.path): \(asked) is asked for, but the run has \(found)",
      advice: "Leave the flag out, or start a new run.")
  }
}
