// The lists that a run learns from: one, or several that are read one after another as if they were one.
//
// Each is read and refused on its own, so that an error names its file and the line there.

public import CharMLP
import Posix

/// Word lists as the user named them.
public struct WordLists: Sendable {
  private let sources: [WordListSource]

  /// Finds the lists of such names; without any it is the bundled one.
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
  /// - Throws: `CommandFailure` for one that is not there or is none.
  public func read() throws(CommandFailure) -> WordList {
    if let only { return try only.read() }
    var lists: [WordList] = []
    for source in sources { lists.append(try source.read()) }
    do throws(WordListError) {
      return try WordList(joining: lists)
    } catch {
      throw error.commandFailure(in: name)
    }
  }

  /// A line of shell that hands the words to `train` again, through a remedy; nil if there is none.
  public func line(after remedy: TextRemedy) -> String? {
    if let only { return only.line(after: remedy) }
    return remedy.command(for: nil).map { "\(joiningLine) | \($0) | \(Program.called("train -"))" }
  }

  /// A line of shell that prints them as one; unlike cat, awk ends every last line.
  public var joiningLine: String {
    (["awk", "1"] + paths.map { $0 == "-" ? $0 : $0.shellWord ?? CommandSupport.shellWord($0) })
      .joined(separator: " ")
  }
}
