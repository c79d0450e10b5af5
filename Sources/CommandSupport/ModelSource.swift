// Where a model comes from: what `--model` may say.

public import CharMLP

/// A model file that a user named, or the newest there is.
public struct ModelSource: Sendable {
  /// The path of the file.
  public let path: String

  /// Where `train` puts its runs unless told otherwise.
  public static let runs = "runs"

  /// Finds the model of a run directory, a file, or, without a name, of the newest run.
  /// - Throws: `CommandFailure` (66) if there is none.
  public init(_ name: String?) throws(CommandFailure) {
    do throws(FileError) {
      path = try Self.find(name)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory or a model file.")
    }
    guard !path.isEmpty else {
      throw CommandFailure(
        .noInput, "no run in \(Self.runs)/", advice: "Train one first, or name one with --model.")
    }
  }

  /// The path of the model's file, empty if no name is given and there is no run.
  private static func find(_ name: String?) throws(FileError) -> String {
    if let name { return try RunDirectory.modelPath(named: name) }
    return try RunDirectory.newest(in: runs)?.preferredPath ?? ""
  }

  /// Reads the model; one whose training has not ended is told to be such.
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is none, 76 if it is too new.
  public func read() throws(CommandFailure) -> Model { try checkpoint().model }

  /// Reads all of the file, the word list still compressed; tells and throws as `read()`.
  public func checkpoint() throws(CommandFailure) -> Checkpoint {
    let checkpoint = try Self.checkpoint(path)
    tell(checkpoint)
    return checkpoint
  }

  /// Says which state of a run this is, unless it is its end.
  private func tell(_ checkpoint: Checkpoint) {
    guard !checkpoint.isFinished else { return }
    let (step, steps) = (checkpoint.training.step, checkpoint.recipe.steps)
    let place = "\(path): step \(Format.count(step)) of \(Format.count(steps))"
    if checkpoint.training.best?.step == step {
      StandardError.shared.note("\(place), the best by validation")
    } else {
      StandardError.shared.warn("\(place), not the end of its training")
    }
  }
}
