// Where a word list comes from: what `--data` may say.
//
// A run reads one list, or several one after another as if they were one; each is refused on its
// own, so that an error names its file and the line there.

public import CharMLP
import Posix

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

  /// The command and the option that named it: the end of a shell command that reads it again.
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
    self.command = Program.commandLine(command)
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
          "\(name): there is memory only for a list of \(Format.count(limit >> 20)) MiB",
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
  /// This as one word of a POSIX shell, which no command takes for an option; nil if it has
  /// characters that do not print.
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
    return remedy.command(for: nil).map {
      "\(joiningLine) | \($0) | \(Program.commandLine("train -"))"
    }
  }

  /// A shell command that prints them as one; unlike cat, awk ends every last line.
  public var joiningLine: String {
    (["awk", "1"] + paths.map { $0 == "-" ? $0 : $0.shellWord ?? CommandSupport.shellWord($0) })
      .joined(separator: " ")
  }
}
