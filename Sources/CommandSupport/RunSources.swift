// The runs that users name: models as `--model` does, the place of a new run as `--out`.
//
// `train` and `import` make runs; both refuse a place that is taken, and overwrite nothing.

public import ArgumentParser
public import CharMLP
import Posix

/// A model file that a user named, or the newest there is.
public struct ModelSource: Sendable {
  /// The path of the file.
  public let path: String
  /// Whether it was found rather than named.
  private let isNewest: Bool

  /// Where `train` puts its runs by default.
  public static let runs = "runs"

  /// Finds the model of a run directory, a file, or, without a name, of the newest run.
  /// - Throws: `CommandFailure` (66) if there is none.
  public init(_ name: String?) throws(CommandFailure) {
    isNewest = name == nil
    do throws(SystemError) {
      if let name {
        path = try RunDirectory.modelPath(named: name)
      } else {
        path = try RunDirectory.newest(in: Self.runs)?.preferredPath ?? ""
      }
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory or a model file.")
    }
    guard !path.isEmpty else {
      throw CommandFailure(
        .noInput, "no run in \(Self.runs)/", advice: "Train one first, or name one with --model.")
    }
  }

  /// Reads all of the file, the word list still compressed, and says which state of a run it is
  /// unless it is the final one.
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is not a model, 76 if it is too new.
  public func checkpoint() throws(CommandFailure) -> Checkpoint {
    let checkpoint = try Self.checkpoint(path)
    if !checkpoint.isFinished {
      let place = place(of: checkpoint)
      if checkpoint.training.best?.step == checkpoint.training.step {
        StandardError.shared.note("\(place), the best by validation")
      } else {
        StandardError.shared.warn("\(place), not the end of its training")
      }
    }
    return checkpoint
  }

  /// Names the final state of a run that was found rather than named.
  public func announceNewest(_ checkpoint: Checkpoint) {
    guard isNewest, checkpoint.isFinished else { return }
    StandardError.shared.note(
      checkpoint.lineage.isImported ? "\(path): imported" : place(of: checkpoint))
  }

  private func place(of checkpoint: Checkpoint) -> String {
    let (step, steps) = (checkpoint.training.step, checkpoint.recipe.steps)
    return "\(path): step \(Format.count(step)) of \(Format.count(steps))"
  }
}

extension CompletionKind {
  /// Run directories, those in `runs/` and in the working directory, the newest first as far as a
  /// shell shows them in that order.
  public static var runs: CompletionKind { listing(runsLine) }

  /// Run directories and model files.
  public static var models: CompletionKind {
    listing("\(runsLine); ls -dt -- \(ModelSource.runs)/*/*.safetensors *.safetensors")
  }

  private static var runsLine: String {
    "ls -dt -- \(ModelSource.runs)/*; ls -dt -- */model.safetensors | sed s,/model.safetensors,,"
  }

  /// The names that a line of POSIX shell prints, in which a pattern without a match harms nothing.
  ///
  /// Names that hold control characters or begin like a flag are left out. The line itself must not
  /// hold what is special between double quotes in any of the shells, nor a colon (zsh).
  public static func listing(_ line: String) -> CompletionKind {
    let names = "sh -c \"\(line)\" 2>/dev/null | LC_ALL=C grep -Ev \"^-|[[:cntrl:]]\""
    return switch CompletionShell.requesting {
    // bash expands what it is offered, so a name could run as a command.
    case .bash: .shellCommand(names + #" | sed "s/./\\\\&/g""#)
    case .zsh: .shellCommand(names.replacing(":", with: #"\:"#))
    default: .shellCommand(names)
    }
  }
}

// MARK: - Checkpoints
//
// For a command that shows more of a run than its network.

extension ModelSource {
  /// Reads a model file with all that it says about its training.
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is not a model, 76 if it is too new.
  public static func checkpoint(
    _ path: String, allowingPipes: Bool = true,
    advice: String? = "Name a run directory or a model file."
  ) throws(CommandFailure) -> Checkpoint {
    let bytes = try bytes(of: path, allowingPipes: allowingPipes, advice: advice)
    do throws(ModelFileError) { return try Checkpoint(file: bytes) } catch {
      var failure = error.commandFailure(in: path, of: bytes)
      let directory = RunDirectory(ofModel: path)
      if path == directory.bestPath, directory.hasModel {
        failure.advice = "The run's last state is \(directory.modelPath.shownPath)."
      }
      throw failure
    }
  }

  /// The bytes of a model file, or of another safetensors file, if there is memory for them.
  /// - Throws: `CommandFailure` (66).
  package static func bytes(
    of path: String, allowingPipes: Bool = true,
    advice: String? = "Name a run directory or a model file."
  ) throws(CommandFailure) -> [UInt8] {
    do throws(SystemError) {
      return try Checkpoint.read(path, limit: Host.readableBytes, allowingPipes: allowingPipes)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: advice)
    }
  }
}

extension Checkpoint {
  /// The words that the file carries; nil if there are none.
  /// - Throws: `CommandFailure` (65) if they are damaged.
  package func storedWords(_ path: String) throws(CommandFailure) -> WordList? {
    do throws(ModelFileError) { return try wordList() } catch {
      throw error.commandFailure(in: path)
    }
  }
}

// MARK: - The place of a new run

/// The directory of a new run, locked.
package struct NewRun {
  package let directory: RunDirectory
  package let lock: RunLock

  /// Makes and locks the directory that `--out` names, or the next free `runs/<stem>-<k>`.
  /// - Throws: `CommandFailure`: 73 if it cannot be made or is taken, 75 if another process holds
  ///   it.
  package init(out: String?, stem: String) throws(CommandFailure) {
    do throws(SystemError) {
      if let out {
        directory = try RunDirectory(creating: out)
      } else {
        directory = try RunDirectory(creatingNextIn: ModelSource.runs, name: stem)
      }
    } catch {
      guard let out, error.isExisting, (try? RunDirectory(existing: out))?.hasModel == true else {
        let advice = error.isExisting ? Self.advice : "Name another directory with --out."
        throw CommandFailure(.cannotCreate, "\(error)", advice: advice)
      }
      throw CommandFailure(
        .cannotCreate, "\(out): already holds a run",
        advice: "Name another directory with --out, or continue it with --resume.")
    }
    lock = try RunLock(of: directory)
    // Another run may have started and ended between our check and our lock.
    guard !directory.hasModel else {
      throw CommandFailure(
        .cannotCreate, "\(directory.path): another run has just been saved there",
        advice: Self.advice)
    }
  }

  private static let advice = "Nothing is overwritten: name another directory with --out."
}

extension RunLock {
  /// Locks a directory.
  /// - Throws: `CommandFailure`: 75 if another process holds the lock, 73 if it cannot be made.
  package convenience init(of directory: RunDirectory) throws(CommandFailure) {
    do throws(RunLockError) { try self.init(directory) } catch {
      if case .held = error {
        throw CommandFailure(.locked, "\(error)", advice: "Wait for it, or stop it first.")
      }
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }
}

extension String {
  /// What a run is called after a file: the file's name up to its first full stop.
  package func fileStem(or other: String) -> String {
    guard let file = pieces(separatedBy: UInt8(ascii: "/")).last else { return other }
    let stem = file.pieces(separatedBy: UInt8(ascii: ".")).first.map(String.init) ?? String(file)
    return stem.isEmpty ? other : stem
  }
}
