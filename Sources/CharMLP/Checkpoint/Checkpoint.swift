// Everything needed to resume a run or to sample from it: what `model.safetensors` holds, and how a
// program reads and writes it by its path.
//
// A network alone, from a custom training loop, is saved without the rest: it predicts, and there
// is no run to resume. Times, paths, threads and the host are not here, so that two runs that
// learned the same have equal files. What can be wrong with a file is at the end; ModelFile has the
// bytes.

package import Posix
public import Safetensors

/// A network, the state of its training, and what it was trained on.
public struct Checkpoint: Equatable, Sendable {
  /// The network that predicts, with batch norm's statistics at this step.
  public let model: Model
  /// How it is trained.
  public let recipe: Recipe
  /// How its gradients are computed, on which every later bit depends.
  public let backward: Trainer.Backward
  /// The state of its training.
  package let training: TrainingState
  /// The network that the run started from, and the lengths that it was to have before.
  public let lineage: Lineage
  /// The words that it is trained on.
  package let words: StoredWords
  /// How the network is mixed with counts; nil if it stands alone.
  package var mixture: StoredMixture?

  /// Whether training has ended.
  public var isFinished: Bool {
    training.step >= recipe.steps || lineage.isImported
      || recipe.earlyStop(training.best, at: training.step, since: lineage.lastChangeStep) != nil
  }

  /// The words that the network is trained on, or nil if the list was too long to be stored.
  ///
  /// - Throws: `ModelFileError.words` if what is stored is not a word list, or has other symbols
  ///   than the network.
  public func wordList() throws(ModelFileError) -> WordList? {
    guard let list = try words.wordList() else { return nil }
    guard Vocabulary(of: list) == model.vocabulary else {
      throw .words("expected words of the network's \(model.vocabulary.symbols.count) symbols")
    }
    return list
  }

  /// This run with different steps, patience or target loss.
  ///
  /// The steps from here on are those of a run of the new length: their learning rates follow its
  /// formula. Evaluations stay as far apart as they were, and nothing else changes. Only
  /// evaluations from here on count for patience and for the target loss.
  ///
  /// - Precondition: `recipe` differs from the run's only in these, and has no fewer steps than
  ///   were taken.
  public func withEnd(of recipe: Recipe) -> Checkpoint {
    precondition(
      recipe.differences(from: self.recipe).allSatisfy { Recipe.endKeys.contains($0.key) }
        && recipe.steps >= training.step,
      "Checkpoint: a run at \(training.step) to end by \(recipe)")
    guard recipe != self.recipe else { return self }
    var (recipe, lineage, training) = (recipe, lineage, training)
    recipe.evaluateEvery = self.recipe.evaluationInterval
    // A length that is changed before it governed a step leaves no trace.
    if lineage.lastChangeStep != training.step {
      lineage.formerSchedules.append(
        Lineage.FormerSchedule(step: training.step, steps: self.recipe.steps))
    }
    // The sums up to here were reported when the run ended.
    if lineage.lastCompletedStep == training.step { training.lossSums = [] }
    return Checkpoint(
      model: model, recipe: recipe, backward: backward, training: training, lineage: lineage,
      words: words, mixture: mixture)
  }
}

extension Trainer {
  /// Resumes from a checkpoint, with the same bits as the run that it was taken from.
  ///
  /// The data set is that of the checkpoint's words and recipe.
  ///
  /// - Throws: `RecipeError` if the data set has other symbols, or windows of another block size.
  public convenience init(
    resuming checkpoint: Checkpoint, _ dataset: Dataset, threads: Int = 1
  ) throws(RecipeError) {
    try self.init(resuming: checkpoint, dataset, threads: threads, communicator: nil)
  }

  /// The same among ranks; without a communicator, for this process alone.
  package convenience init(
    resuming checkpoint: Checkpoint, _ dataset: Dataset, threads: Int = 1,
    communicator: (any Communicator)?
  ) throws(RecipeError) {
    do {
      try self.init(
        checkpoint.recipe, dataset, resuming: checkpoint.training, lineage: checkpoint.lineage,
        backward: checkpoint.backward, threads: threads, communicator: communicator)
    } catch let error as RecipeError {
      throw error
    } catch {
      preconditionFailure("a checkpoint's generator was checked when it was read: \(error)")
    }
  }
}

// MARK: - By their paths

extension Checkpoint {
  /// Reads the model file at a path, or the best model in the directory of a run.
  ///
  /// - Throws: `ModelFileError`: why it cannot be read, or what is wrong with it.
  public init(contentsOf path: String) throws(ModelFileError) {
    try self.init(file: readModelFile(path))
  }

  /// Captures the state of a trainer, but for the mixture.
  ///
  /// - Parameter model: The trainer's model at this step; nil to compute it.
  package init(_ trainer: Trainer, _ model: Model? = nil, words: StoredWords) {
    self.init(
      model: model ?? trainer.model(), recipe: trainer.recipe, backward: trainer.backward,
      training: trainer.state, lineage: trainer.lineage, words: words)
  }

  /// Captures a trainer, with all that resuming needs.
  ///
  /// - Parameters:
  ///   - trainer: The run.
  ///   - words: The list that the trainer's data set was made of; up to 16 MB of it are stored.
  public init(_ trainer: Trainer, words: WordList) {
    let (model, words) = (trainer.model(), StoredWords(words))
    self.init(trainer, model, words: words)
    mixture = StoredMixture(trainer, model, words)
  }

  /// Writes the model file, as a whole or not at all, replacing one that is there.
  ///
  /// - Throws: `ModelFileError.file` if it cannot be written.
  public func write(to path: String) throws(ModelFileError) {
    try writeModelFile(path) { () throws(SafetensorsError) in try encoded() }
  }

  /// The number of steps taken.
  public var step: Int { training.step }

  /// The bytes of the model file at a path, up to the length that its header gives.
  ///
  /// That is known as soon as the header is there, so hardly more is read than the file should
  /// have.
  ///
  /// - Parameters:
  ///   - limit: The most bytes that a file may have.
  ///   - allowingPipes: Whether the path may lead to a pipe; opening one can wait for its writer.
  package static func read(
    _ path: String, limit: Int = .max, allowingPipes: Bool = false
  ) throws(SystemError) -> [UInt8] {
    var length: Int?
    return try FileSystem.read(path, allowingPipes: allowingPipes) { bytes throws(SystemError) in
      if let length { return length }
      switch try? SafetensorsFile.length(ofFileBeginning: bytes) {
      case .atLeast(let count): return count
      case .exactly(let count):
        guard count <= limit else { throw .tooLarge(path, limit: limit) }
        length = count
        return count
      // Enough bytes to see that it is not a model file; decoding says why.
      case nil: return 0
      }
    }
  }
}

extension Model {
  /// Reads the network of the model file at a path, or of the best model in the directory of a run.
  ///
  /// - Throws: `ModelFileError`: why it cannot be read, or what is wrong with it.
  public init(contentsOf path: String) throws(ModelFileError) {
    try self.init(file: readModelFile(path))
  }

  /// Writes the network alone, as a whole or not at all, replacing a file that is there.
  ///
  /// - Throws: `ModelFileError.file` if it cannot be written.
  public func write(to path: String) throws(ModelFileError) {
    try writeModelFile(path) { () throws(SafetensorsError) in try encoded() }
  }

  /// The network as a file: the same bytes for the same network.
  ///
  /// - Throws: `SafetensorsError` if the vocabulary is too long for a header.
  public func encoded() throws(SafetensorsError) -> [UInt8] {
    FileChecksum.sealed(try SafetensorsFile(of: self).encoded())
  }
}

extension Predictor {
  /// Reads the model file at a path, or the best model in the directory of a run: the network,
  /// together with counts if the run mixed them.
  ///
  /// - Throws: `ModelFileError`: why it cannot be read, or what is wrong with it.
  public init(contentsOf path: String) throws(ModelFileError) {
    let bytes = try readModelFile(path)
    do throws(ModelFileError) {
      self = try Checkpoint(file: bytes).predictor()
    } catch .networkAlone {
      self.init(try Model(file: bytes))
    }
  }
}

/// The bytes of a model file, or of the best one in a run's directory.
private func readModelFile(_ path: String) throws(ModelFileError) -> [UInt8] {
  do throws(SystemError) {
    return try Checkpoint.read(RunDirectory.modelPath(named: path))
  } catch {
    throw .file("\(error)")
  }
}

private func writeModelFile(
  _ path: String, _ encoded: () throws(SafetensorsError) -> [UInt8]
) throws(ModelFileError) {
  let bytes: [UInt8]
  do throws(SafetensorsError) { bytes = try encoded() } catch { throw .notSafetensors(error) }
  do throws(SystemError) { try FileSystem.replace(path, with: bytes) } catch {
    throw .file("\(error)")
  }
}

// MARK: - Errors
//
// Callers distinguish a file that is damaged or forged from one that is sound but meant for another
// program or a newer version of this one.

/// Why a file is not a model that can be used.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not a safetensors file.
  case notSafetensors(SafetensorsError)
  /// It is one, but not a model of this project, or older than version 3.
  case notAModel
  /// It does not say what its checksum is.
  case noChecksum
  /// Its bytes are not those that were written.
  case wrongChecksum(found: String, expected: String)
  /// A newer version of this project wrote it.
  case newerVersion(Int)
  /// It is a network of another kind.
  case otherArchitecture(String)
  /// It was trained in a way that this version does not know.
  case unknownBackward(String)
  /// Its recipe cannot be read.
  case recipe(RecipeError)
  /// Its vocabulary is not valid.
  case vocabulary(VocabularyError)
  /// A tensor is missing, has another type or shape, or holds a value that is not finite.
  case tensor(String, expected: String)
  /// A number that training relies on is missing or impossible.
  case training(String, expected: String)
  /// Its word list is not valid, or not that of the network.
  case words(String)
  /// It is a network without the run that trained it: it predicts, but there is nothing to resume.
  case networkAlone
  /// It cannot be opened, read or written; the system's message, with the path.
  case file(String)

  /// Whether the file is sound, but not for this version of the program.
  public var isIncompatible: Bool {
    switch self {
    case .newerVersion, .otherArchitecture, .unknownBackward: true
    case .recipe(let error): error.isUnknownSetting
    default: false
    }
  }

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .notSafetensors(let error): "not a model file: \(error)"
    case .notAModel: "a safetensors file, but not a CharMLP model"
    case .noChecksum: "expected a checksum in the model file, found none"
    case .wrongChecksum(let found, let expected):
      "damaged: its bytes have the checksum \(expected), it says \(found)"
    case .newerVersion(let version):
      "version \(version) of the model file; this program reads up to \(Checkpoint.fileVersion)"
    case .otherArchitecture(let name): "a network of another architecture (\(name))"
    case .unknownBackward(let name): "trained with an unknown backward pass (\(name))"
    case .recipe(let error): "recipe: \(error)"
    case .vocabulary(let error): "vocabulary: \(error)"
    case .tensor(let name, let expected): "tensor \(name): expected finite F32 of shape \(expected)"
    case .training(let name, let expected): "\(name): expected \(expected)"
    case .words(let reason): "words: \(reason)"
    case .networkAlone: "a network alone, without the run that trained it"
    case .file(let message): message
    }
  }
}

extension SafetensorsError {
  /// What is wrong with a file that could not be read and begins like a file of `kind`: it is
  /// damaged, or something else than what was expected.
  package func problem(of expected: String, in kind: String) -> String {
    kind == FileFormat.safetensors ? "damaged: \(self)" : "not \(expected), but \(kind)"
  }
}
