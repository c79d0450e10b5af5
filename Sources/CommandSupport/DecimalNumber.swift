// Options that take a decimal number: finite, in decimal notation, within limits.
//
// Swift's own parsing, and with it ArgumentParser's, accepts `nan`, `inf` and `0x1p3` and turns
// 1e999 into infinity. Here a number is `0.1`, `.5`, `3` or `1e-3`, and every option says how large
// it may be.

/// A parser for numbers with `lowest <= number <= highest`, as the `transform` of an `@Option`.
///
/// The parser throws an error that says "must be a decimal number from … to …". A negative zero is
/// read as zero.
public func decimalNumber<Value>(
  from lowest: Value, upTo highest: Value
) -> @Sendable (String) throws -> Value
where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
  parser(reason: "from \(plain(lowest)) to \(plain(highest))") { lowest <= $0 && $0 <= highest }
}

/// A parser for numbers with `bound < number <= highest`, as the `transform` of an `@Option`.
///
/// The parser throws an error that says "must be a decimal number above … and at most …"; a number
/// so small that `Value` rounds it to the bound is refused.
public func decimalNumber<Value>(
  above bound: Value, upTo highest: Value
) -> @Sendable (String) throws -> Value
where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
  parser(reason: "above \(plain(bound)) and at most \(plain(highest))") {
    bound < $0 && $0 <= highest
  }
}

private func parser<Value>(
  reason: String, _ isAllowed: @escaping @Sendable (Value) -> Bool
) -> @Sendable (String) throws -> Value
where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
  return { text in
    guard text.isDecimalNotation, let value = Value(text), value.isFinite, isAllowed(value) else {
      throw OptionValueError(description: "must be a decimal number \(reason)")
    }
    return value + 0
  }
}

/// A number as people write it: 100, not 100.0.
func plain<Value: BinaryFloatingPoint & LosslessStringConvertible>(
  _ value: Value
) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

extension String {
  /// Whether this is `[-]digits[.digits][e[±]digits]`; of the digits around a point, either may be
  /// missing, but not both.
  fileprivate var isDecimalNotation: Bool {
    var rest = utf8[...]
    rest.skip(oneOf: "-")
    let whole = rest.skipDigits()
    let fraction = rest.skip(oneOf: ".") ? rest.skipDigits() : 0
    guard whole + fraction > 0 else { return false }
    if rest.skip(oneOf: "eE") {
      rest.skip(oneOf: "+-")
      guard rest.skipDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}

extension Substring.UTF8View {
  @discardableResult
  fileprivate mutating func skip(oneOf characters: StaticString) -> Bool {
    guard let first, characters.description.utf8.contains(first) else { return false }
    removeFirst()
    return true
  }

  fileprivate mutating func skipDigits() -> Int {
    let start = count
    self = drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return start - count
  }
}
