// Where a model comes from: what `--model` may say.

public import CharMLP
import Posix

/// A model file that a user named, or the newest there is.
public struct ModelSource: Sendable {
  /// The path of the file.
  public let path: String

  /// Where `train` puts its runs unless told otherwise.
  public static let runs = "runs"

  /// Finds the model of a run directory, a file, or, without a name, of the newest run.
  /// - Throws: `CommandFailure` (66) if there is none.
  public init(_ name: String?) throws(CommandFailure) {
    do throws(SystemError) {
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
  private static func find(_ name: String?) throws(SystemError) -> String {
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

// MARK: - The whole checkpoint behind `--model`, for a command that shows more of a run than its network

extension ModelSource {
  /// Reads a model file with all that it says about its training.
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is none, 76 if it is too new.
  public static func checkpoint(_ path: String) throws(CommandFailure) -> Checkpoint {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Checkpoint.read(path, limit: Host.readableBytes, allowingPipes: true)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory or a model file.")
    }
    do throws(ModelFileError) {
      return try Checkpoint(file: bytes)
    } catch {
      throw error.commandFailure(in: path)
    }
  }
}

// MARK: - Where a word list comes from: what `--data` may say

/// A word list as the user named it, and where it was found.
public struct WordListSource: Sendable {
  /// The path that is read, or nil for standard input.
  public let path: String?

  /// What messages call it: the name as it was given.
  public let name: String

  /// The command and the option that named it, as a line of shell ends with them.
  private let command: String

  /// What a run is called after: the file's name without its ending.
  public var stem: String {
    guard let path else { return "stdin" }
    let file = path.pieces(separatedBy: UInt8(ascii: "/")).last ?? "words"
    let stem = file.pieces(separatedBy: UInt8(ascii: ".")).first.map(String.init) ?? String(file)
    return stem.isEmpty ? "words" : stem
  }

  /// Finds the list that `--data` names.
  ///
  /// `-` is standard input. A bare name that is not in the working directory is looked for in `data/`
  /// there, then in `data/` of the package that the binary was built from. Without a name it is the
  /// bundled list.
  ///
  /// - Parameter command: The command and the option to which the name was given.
  public init(_ name: String?, for command: String = "train --data") {
    self.command = command
    self.name = name ?? Self.bundled
    path = name == "-" ? nil : Self.find(self.name)
    // Who names a file is told if it is another one that is read.
    if let name, let path, path != name {
      StandardError.shared.note("there is no \(name) here: reading \(path)")
    }
  }

  private static let bundled = "names.txt"

  private static func find(_ name: String) -> String {
    guard !name.has(UInt8(ascii: "/")), !name.isEmpty else { return name }
    let candidates = [name, "data/\(name)", "\(packageRoot)/data/\(name)"]
    return candidates.first(where: FileSystem.exists) ?? name
  }

  /// The package's directory on the machine that built it, two folders above this file's.
  private static let packageRoot = #filePath
    .pieces(separatedBy: UInt8(ascii: "/"), omittingEmpty: false)
    .dropLast(3).joined(separator: "/")

  /// Reads the list.
  /// - Throws: `CommandFailure` for a list that is not there or is none.
  public func read() throws(CommandFailure) -> WordList {
    do throws(WordListError) {
      guard let path else { return try WordList.standardInput() }
      return try WordList(contentsOf: path)
    } catch {
      throw failure(error)
    }
  }

  /// The failure to read the list, with the line of shell that reads it after all.
  public func failure(_ error: WordListError) -> CommandFailure {
    error.commandFailure(
      in: path == nil ? "stdin" : name, instead: error.remedy.flatMap { line(after: $0) })
  }

  /// A line of shell that hands the list to this command again, through a remedy; nil if there is
  /// none.
  public func line(after remedy: TextRemedy) -> String? {
    guard let path else {
      return remedy.command(for: nil).map { "… | \($0) | \(command) -" }
    }
    return path.shellWord.flatMap { remedy.command(for: $0) }.map { "\($0) | \(command) -" }
  }
}

extension String {
  /// This as one word of a POSIX shell that is no option; nil if it has characters that do not
  /// print.
  package var shellWord: String? {
    guard !unicodeScalars.contains(where: \.isHidden) else { return nil }
    return CommandSupport.shellWord(begins(with: "-") ? "./" + self : self)
  }
}
