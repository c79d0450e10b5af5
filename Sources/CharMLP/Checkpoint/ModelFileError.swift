// What can be wrong with a model file.
//
// Callers distinguish a file that is damaged or forged from one that is sound but meant for another
// program or a newer version of this one.

public import Safetensors

/// Why a file is not a model that can be used.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not a safetensors file.
  case notSafetensors(SafetensorsError)
  /// It is one, but nothing that this project wrote, or nothing since version 2.
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
    case .unknownBackward(let name): "trained by a backward pass that is not known here (\(name))"
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
