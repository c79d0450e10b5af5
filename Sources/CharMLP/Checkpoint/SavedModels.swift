// Model files by their paths: what a program reads and writes.
//
// A run's file holds everything that going on takes (see Checkpoint). A network alone, from a loop of one's own,
// is saved without the rest; it predicts, and there is no run to go on with. Both are safetensors files with the
// same names and the same checks.

internal import Posix
public import Safetensors

extension Checkpoint {
  /// Reads the model file at a path, or the best model in the directory of a run.
  ///
  /// - Throws: `ModelFileError`: why it cannot be read, or what is wrong with it.
  public init(contentsOf path: String) throws(ModelFileError) {
    try self.init(file: readModelFile(path))
  }

  /// Captures a trainer, with all that going on takes.
  ///
  /// - Parameter words: The list that the trainer's data set was made of; up to 16 MB of it are stored.
  public init(_ trainer: Trainer, words: WordList) {
    let (model, words) = (trainer.model(), StoredWords(words))
    self.init(trainer, model, words: words)
    mixture = StoredMixture(trainer, model, words)
  }

  /// Writes the model file, as a whole or not at all, in the place of one that is there.
  ///
  /// - Throws: `ModelFileError.file` if it cannot be written.
  public func write(to path: String) throws(ModelFileError) {
    try writeModelFile(path) { () throws(SafetensorsError) in try encoded() }
  }

  /// The number of steps taken.
  public var step: Int { training.step }
}

extension Model {
  /// Reads the network of the model file at a path, or of the best model in the directory of a run.
  ///
  /// - Throws: `ModelFileError`: why it cannot be read, or what is wrong with it.
  public init(contentsOf path: String) throws(ModelFileError) {
    try self.init(file: readModelFile(path))
  }

  /// Writes the network alone, as a whole or not at all, in the place of a file that is there.
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
  /// Reads the model file at a path, or the best model in the directory of a run: the network, together with
  /// counts if the run mixed them.
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
