// The runs and word lists that users name: models as `--model` does, the place of a new run as
// `--out`, and word lists as `--data`.
//
// `train` and `import` make runs; both refuse a place that is taken, and overwrite nothing. A run
// reads one list, or several one after another as if they were one; each is refused on its own, so
// that an error names its file and the line there.

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
    // It expands what it is offered, so that a name could run what it says.
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
      throw error.commandFailure(in: path, of: bytes)
    }
  }

  /// The bytes of a model file, or of another safetensors file, as many as the memory takes.
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
        .cannotCreate, "\(out): a run is there",
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

// MARK: - Where a word list comes from: what `--data` may say

/// A word list as the user named it, and where it was found.
public struct WordListSource: Sendable {
  /// Where the words of a list are.
  public enum Place: Equatable, Sendable {
    /// In this program: data/names.txt of the package, as it was when the program was built.
    case bundled
    case standardInput
    case file(String)
  }

  public let place: Place

  /// What messages call it: the path that is read, `-`, or "the bundled list of names".
  public let name: String

  /// The command and the option that named it, as a shell command ends with them.
  private let command: String

  /// The path that is read, if it is a file's.
  public var path: String? {
    if case .file(let path) = place { path } else { nil }
  }

  /// What a run is called after: the file's name without its ending.
  public var stem: String {
    switch place {
    case .bundled: return "names"
    case .standardInput: return "stdin"
    case .file(let path): return path.fileStem(or: "words")
    }
  }

  /// Finds the list that `--data` names.
  ///
  /// `-` is standard input. A bare name that is not in the working directory is looked for in
  /// `data/` there, and nowhere else. Without a name it is the bundled list.
  /// - Parameter command: The command and the option to which the name was given.
  public init(_ name: String?, for command: String = "train --data") {
    self.command = Program.called(command)
    switch name {
    case nil: (place, self.name) = (.bundled, "the bundled list of names")
    case "-": (place, self.name) = (.standardInput, "-")
    case let name?:
      let path = Self.find(name)
      (place, self.name) = (.file(path), path)
      // Tell the user if another file is read than the one they named.
      if path != name { StandardError.shared.note("there is no \(name) here: reading \(path)") }
    }
  }

  private static func find(_ name: String) -> String {
    guard !name.contains(byte: UInt8(ascii: "/")), !name.isEmpty, !FileSystem.exists(name)
    else { return name }
    let nearby = "data/\(name)"
    return FileSystem.exists(nearby) ? nearby : name
  }

  /// The bundled list.
  public static func bundledWords() -> WordList {
    do throws(WordListError) {
      return try WordList(utf8: Array(embeddedFile("names.txt").utf8))
    } catch {
      preconditionFailure("the bundled list: \(error)")
    }
  }

  /// Reads the list.
  /// - Throws: `CommandFailure` for a list that is missing or is not a list.
  public func read() throws(CommandFailure) -> WordList {
    do throws(WordListError) {
      switch place {
      case .bundled: return Self.bundledWords()
      case .standardInput: return try WordList.standardInput(limit: Host.readableListBytes)
      case .file(let path): return try WordList(contentsOf: path, limit: Host.readableListBytes)
      }
    } catch {
      if case .tooLarge(_, let limit) = error, limit < WordList.defaultReadLimit {
        throw CommandFailure(
          .resources,
          "\(name): there is memory for a list of \(Format.count(limit >> 20)) MiB only",
          advice: "Train with --split hash, which reads a list a piece at a time.")
      }
      throw failure(error)
    }
  }

  /// The failure to read the list, with the shell command that reads it after all.
  public func failure(_ error: WordListError) -> CommandFailure {
    error.commandFailure(
      in: place == .standardInput ? "stdin" : name,
      instead: error.remedy.flatMap { line(after: $0) })
  }

  /// A shell command that hands the list to this command again, through a remedy; nil if there is
  /// none.
  public func line(after remedy: TextRemedy) -> String? {
    switch place {
    case .bundled: nil
    case .standardInput: remedy.command(for: nil).map { "… | \($0) | \(command) -" }
    case .file(let path):
      path.shellWord.flatMap { remedy.command(for: $0) }.map { "\($0) | \(command) -" }
    }
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

// MARK: - Several lists that are read as one

/// Word lists as the user named them.
public struct WordLists: Sendable {
  private let sources: [WordListSource]

  /// Finds the lists with these names; without any, the bundled one.
  public init(_ names: [String]?) {
    sources = names.map { $0.map { WordListSource($0) } } ?? [WordListSource(nil)]
  }

  /// The only list, if there is one.
  public var only: WordListSource? { sources.count == 1 ? sources[0] : nil }

  /// What messages call them.
  public var name: String {
    sources.count > 3
      ? "\(sources[0].name) and \(Format.count(sources.count - 1)) more lists"
      : sources.map(\.name).joined(separator: ", ")
  }

  /// What a run is called after: the first list.
  public var stem: String { sources[0].stem }

  /// Where the words are, list by list; `-` is standard input.
  public var paths: [String] { sources.map { $0.path ?? $0.name } }

  /// Reads all of them.
  /// - Throws: `CommandFailure` for one that is missing or is not a list.
  public func read() throws(CommandFailure) -> WordList {
    if let only {
      let list = try only.read()
      if let separation = list.separationOnFewLines { throw only.failure(.onOneLine(separation)) }
      return list
    }
    var lists: [WordList] = []
    for source in sources { lists.append(try source.read()) }
    do throws(WordListError) { return try WordList(joining: lists) } catch {
      throw error.commandFailure(in: name)
    }
  }

  /// A shell command that hands the words to `train` again, through a remedy; nil if there is none.
  public func line(after remedy: TextRemedy) -> String? {
    if let only { return only.line(after: remedy) }
    return remedy.command(for: nil).map { "\(joiningLine) | \($0) | \(Program.called("train -"))" }
  }

  /// A shell command that prints them as one; unlike cat, awk ends every last line.
  public var joiningLine: String {
    (["awk", "1"] + paths.map { $0 == "-" ? $0 : $0.shellWord ?? CommandSupport.shellWord($0) })
      .joined(separator: " ")
  }
}
