// Everything that a run needs to go on, or to be sampled from: what `model.safetensors` holds.
//
// Times, paths, threads and the host are not here, so that two runs that learned the same have equal
// files. How it becomes bytes is the business of Checkpoint+Encoding and +Decoding.

/// A network, the state of its training, and what it was trained on.
public struct Checkpoint: Equatable, Sendable {
  /// The network that predicts, with batch norm's statistics at this step.
  public let model: Model
  /// How it is trained.
  public let recipe: Recipe
  /// How its gradients are computed: part of every later bit.
  public let backward: Trainer.Backward
  /// Where the training stands.
  public let training: TrainingState
  /// What it is trained on.
  public let words: StoredWords

  /// Whether training has come to its end.
  public var isFinished: Bool {
    training.step >= recipe.steps || recipe.isEnough(training.best, at: training.step)
  }

  init(
    model: Model, recipe: Recipe, backward: Trainer.Backward, training: TrainingState,
    words: StoredWords
  ) {
    self.model = model
    self.recipe = recipe
    self.backward = backward
    self.training = training
    self.words = words
  }

  /// Takes down where a trainer stands.
  ///
  /// - Parameter model: The trainer's model at this step, if it is at hand; otherwise it is made.
  public init(_ trainer: Trainer, _ model: Model? = nil, words: StoredWords) {
    self.init(
      model: model ?? trainer.model(), recipe: trainer.recipe, backward: trainer.backward,
      training: trainer.state, words: words)
  }

  /// The words that the network is trained on, or nil if the list was too long to be stored.
  ///
  /// - Throws: `ModelFileError.words` if what is stored is no word list, or has other symbols than
  ///   the network.
  public func wordList() throws(ModelFileError) -> WordList? {
    guard let list = try words.wordList() else { return nil }
    guard Vocabulary(of: list) == model.vocabulary else {
      throw .words("expected words of the network's \(model.vocabulary.symbols.count) symbols")
    }
    return list
  }
}

extension Trainer {
  /// Goes on from a checkpoint, with the same bits as the run that it was taken from.
  ///
  /// - Precondition: the data set is that of the checkpoint's words and recipe.
  public convenience init(
    resuming checkpoint: Checkpoint, _ dataset: Dataset, threads: Int = 1,
    communicator: (any Communicator)? = nil
  ) {
    do {
      try self.init(
        checkpoint.recipe, dataset, resuming: checkpoint.training, backward: checkpoint.backward,
        threads: threads, communicator: communicator)
    } catch {
      preconditionFailure("a checkpoint's generator was checked when it was read: \(error)")
    }
  }
}
