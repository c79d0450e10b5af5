// Options that take a whole number: decimal digits and nothing else, within limits.
//
// ArgumentParser's own integers reject a number that is too large or negative with a message that
// does not say what would be right, and know no limits.

/// Why a value of an option was refused: what it must be.
struct OptionValueError: Error, Equatable, CustomStringConvertible {
  let description: String
}

/// A parser for whole numbers within `range`, as the `transform` of an `@Option`; without a range,
/// for every number from 0 that `Value` holds, as a seed needs.
///
/// The parser takes ASCII digits only: no sign, no separators, no other base. It throws an error
/// that says "must be a whole number from … to …".
/// - Precondition: the range starts at 0 or above.
public func wholeNumber<Value: FixedWidthInteger & Sendable>(
  in range: ClosedRange<Value> = 0...Value.max
) -> @Sendable (String) throws -> Value {
  precondition(range.lowerBound >= 0, "wholeNumber: the range \(range) has negative numbers")
  return { text in
    // `Value(_:)` is nil for what overflows, and accepts a leading "+", which is checked before.
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = Value(text), range.contains(value)
    else {
      throw OptionValueError(
        description: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
