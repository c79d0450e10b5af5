// Which exit status the library's errors mean.
//
// The library knows nothing of exit statuses; all commands read them here, so that one mistake has one
// status whichever command meets it.

public import CharMLP

extension WordListError {
  /// The failure as it is reported for a list that came from `source`.
  public func commandFailure(in source: String) -> CommandFailure {
    let status: ExitStatus =
      switch kind {
      case .noInput: .noInput
      case .badData: .badData
      case .inputOutput: .inputOutput
      }
    return CommandFailure(status, message(in: source))
  }
}

extension DatasetError {
  /// The failure as it is reported for a list that came from `source`.
  public func commandFailure(in source: String) -> CommandFailure {
    switch self {
    case .tooFewWords, .emptyPart: CommandFailure(.badData, "\(source): \(self)")
    case .tooLarge: CommandFailure(.resources, "\(source): \(self)")
    }
  }
}

extension ModelFileError {
  /// The failure as it is reported for a model that came from `path`.
  public func commandFailure(in path: String) -> CommandFailure {
    CommandFailure(isIncompatible ? .incompatible : .badData, "\(path): \(self)")
  }
}

extension Divergence: CommandFailureConvertible {
  public var commandFailure: CommandFailure { CommandFailure(.diverged, description) }
}

extension SamplingError: CommandFailureConvertible {
  public var commandFailure: CommandFailure { CommandFailure(.unavailable, description) }
}
