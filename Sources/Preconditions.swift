// Swift's preconditions, with messages that survive optimization.
//
// Every module is optimized in debug builds too, and in optimized code Swift's own `precondition`
// stops the process without a word: "Illegal instruction". `fatalError` keeps its message. These
// functions shadow Swift's of the same names. Each module has its own symbolic link to this file,
// because public functions would shadow Swift's in users' code too. A module with only one or two
// checks calls `fatalError` directly.

/// Stops the process with a message unless a condition holds, in every build.
@inlinable
@inline(__always)
func precondition(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  guard condition() else { preconditionFailure(message(), file: file, line: line) }
}

/// Stops the process with a message, in every build.
///
/// It is not inlined, so that messages are composed far from the loops that check.
@usableFromInline
@inline(never)
func preconditionFailure(
  _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message(), file: file, line: line)
}
