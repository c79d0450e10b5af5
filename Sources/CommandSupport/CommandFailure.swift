// What a command throws when it cannot go on: a status for scripts and one or two lines for people.
//
// The first line says what was expected and what was found, the second what to do about it. The
// command's name is not part of it; whoever prints the failure puts that in front. A wrong flag
// that only shows when flags are compared is ArgumentParser's ValidationError, not this.

/// A failure in words for people, with the status to exit with.
public struct CommandFailure: Error, Equatable, CustomStringConvertible {
  /// The status the process exits with.
  public var status: ExitStatus
  /// What went wrong, beginning with the file or the flag it is about: `names.txt:17: …`.
  public var message: String
  /// What to do about it, as a sentence of its own.
  public var advice: String?

  /// Creates a failure; line ends in `message` or `advice` become blanks when it is printed.
  public init(_ status: ExitStatus, _ message: String, advice: String? = nil) {
    self.status = status
    self.message = message
    self.advice = advice
  }

  public var description: String { message }
}

/// An error that knows how it should be reported.
///
/// The library's errors know nothing of exit statuses; a command says here which one they mean:
/// `extension WordListError: @retroactive CommandFailureConvertible { … }`.
public protocol CommandFailureConvertible: Error {
  var commandFailure: CommandFailure { get }
}

extension CommandFailure: CommandFailureConvertible {
  public var commandFailure: CommandFailure { self }
}
