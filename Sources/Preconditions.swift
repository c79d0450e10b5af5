// Swift's preconditions, with messages that survive optimization.
//
// Every module is optimized in debug builds too, and in optimized code Swift's own `precondition`
// stops the process without a word: "Illegal instruction". `fatalError` always speaks. These
// functions have the names of Swift's and take their place in a module. A module has its own through
// a link to this file, because public ones would take the place of Swift's in a user's code as well;
// where one or two are all there are, they are a `fatalError`.

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
