// Swift's preconditions, with messages that survive optimization.
//
// This module is optimized in debug builds too, and in optimized code Swift's own `precondition` stops the
// process without a word: "Illegal instruction". `fatalError` always speaks. These functions have the names of
// Swift's and stand before them in this module; a copy stands in each module that checks what users hand it,
// because a public one would take the place of Swift's in their code as well.

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
/// It is not inlined: the message is put together here, far from the loops that check.
@usableFromInline
@inline(never)
func preconditionFailure(
  _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message(), file: file, line: line)
}
