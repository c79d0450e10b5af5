// Objects, arrays and the integers in them. What a member is, the caller says with a closure, so
// the nesting of a header is the nesting of the calls: fixed, and three deep.
//
// Numbers are non-negative integers without sign, fraction, exponent or leading zero. JSON has
// more; a shape has not.

extension HeaderScanner {
  /// Reads `{ key : member, … }`; the closure reads each member.
  mutating func scanObject(
    expecting opening: StaticString,
    member: (inout HeaderScanner, HeaderString) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    skipWhiteSpace()
    try require(.openBrace, expecting: opening)
    skipWhiteSpace()
    if skip(UInt8(ascii: "}")) { return }
    repeat {
      let key = try scanKey(expecting: "'\"' opening a key")
      skipWhiteSpace()
      try require(UInt8(ascii: ":"), expecting: "':' after a key")
      try member(&self, key)
      skipWhiteSpace()
    } while skip(UInt8(ascii: ","))
    try require(UInt8(ascii: "}"), expecting: "',' or '}' in an object")
  }

  /// Reads `[ element, … ]`; the closure reads each element.
  mutating func scanArray(
    expecting opening: StaticString,
    element: (inout HeaderScanner) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    skipWhiteSpace()
    try require(UInt8(ascii: "["), expecting: opening)
    skipWhiteSpace()
    if skip(UInt8(ascii: "]")) { return }
    repeat {
      try element(&self)
      skipWhiteSpace()
    } while skip(UInt8(ascii: ","))
    try require(UInt8(ascii: "]"), expecting: "',' or ']' after an integer")
  }

  /// Reads a non-negative integer.
  mutating func scanInteger(expecting expected: StaticString) throws(SafetensorsError) -> Int {
    skipWhiteSpace()
    let start = position
    guard var value = scanDigit() else { throw unexpected(expecting: expected) }
    if value == 0 { return 0 }  // A digit after it is then not the ',' or ']' that must follow.
    while let digit = scanDigit() {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(digit)
      guard !overflow && !carry else { throw .integerTooLarge(offset: start) }
      value = sum
    }
    return value
  }

  private mutating func scanDigit() -> Int? {
    guard let byte = current, byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else {
      return nil
    }
    position += 1
    return Int(byte - UInt8(ascii: "0"))
  }
}
