// Where a word list comes from: what `--data` may say.

public import CharMLP

/// A word list as the user named it, and where it was found.
public struct WordListSource: Sendable {
  /// The path that is read, or nil for standard input.
  public let path: String?

  /// What messages call it: the name as it was given.
  public let name: String

  /// What a run is called after: the file's name without its ending.
  public var stem: String {
    guard let path else { return "stdin" }
    let file = path.split(separator: "/").last.map(String.init) ?? "words"
    let stem = file.split(separator: ".").first.map(String.init) ?? file
    return stem.isEmpty ? "words" : stem
  }

  /// Finds the list that `--data` names.
  ///
  /// `-` is standard input. A bare name that is not in the working directory is looked for in `data/`
  /// there, then in `data/` of the package that the binary was built from. Without a name it is the
  /// bundled list.
  public init(_ name: String?) {
    self.name = name ?? Self.bundled
    path = name == "-" ? nil : Self.find(self.name)
  }

  private static let bundled = "names.txt"

  private static func find(_ name: String) -> String {
    guard !name.contains("/"), !name.isEmpty else { return name }
    let candidates = [name, "data/\(name)", "\(packageRoot)/data/\(name)"]
    return candidates.first(where: OperatingSystem.exists) ?? name
  }

  /// The package's directory on the machine that built it, two folders above this file's.
  private static let packageRoot = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(3).joined(separator: "/")

  /// Reads the list.
  /// - Throws: `CommandFailure` for a list that is not there or is none.
  public func read() throws(CommandFailure) -> WordList {
    do throws(WordListError) {
      guard let path else { return try WordList.standardInput() }
      return try WordList(contentsOf: path)
    } catch {
      throw error.commandFailure(in: path == nil ? "stdin" : name)
    }
  }
}
