// The header's characters: a cursor over valid UTF-8 that knows the punctuation of JSON (RFC 8259)
// and its white space, and reports where it stopped.
//
// It accepts only what a header's grammar allows next, so it never holds a general JSON value and
// cannot be made to recurse. Offsets are bytes of the file, as a hex dump counts them.

struct HeaderScanner {
  let bytes: [UInt8]
  let end: Int
  let keyLengthLimit: Int
  var position: Int

  /// A scanner of a range of bytes, which must be valid UTF-8.
  init(_ bytes: [UInt8], in range: Range<Int>, keyLengthLimit: Int) {
    self.bytes = bytes
    self.end = range.upperBound
    self.keyLengthLimit = keyLengthLimit
    self.position = range.lowerBound
  }

  /// The byte at the cursor, or nil at the end of the header.
  var current: UInt8? { position < end ? bytes[position] : nil }

  /// The error of not finding what was expected at the cursor.
  func unexpected(expecting expected: StaticString) -> SafetensorsError {
    .unexpected(offset: position, expected: "\(expected)", found: describeCurrent())
  }

  /// Moves past a byte if it is the one at the cursor.
  mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  /// Moves past a byte that must be at the cursor.
  mutating func require(
    _ byte: UInt8, expecting expected: StaticString
  ) throws(SafetensorsError) {
    guard skip(byte) else { throw unexpected(expecting: expected) }
  }

  /// Moves past white space, as RFC 8259 section 2 defines it.
  mutating func skipWhiteSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Checks that the header begins with its brace; the format allows nothing before it.
  func requireObjectStart() throws(SafetensorsError) {
    guard current == .openBrace else { throw unexpected(expecting: "'{' as the first byte") }
  }

  /// Checks that nothing but padding is left; the format allows no other white space there.
  mutating func requirePaddingToEnd() throws(SafetensorsError) {
    while skip(.space) {}
    guard position == end else {
      throw unexpected(expecting: "only spaces after the header's last brace")
    }
  }

  private func describeCurrent() -> String {
    guard let byte = current else { return "the end of the header" }
    guard byte >= 0x20 && byte < 0x7F else { return "byte 0x" + String(byte, radix: 16) }
    return "'\(Character(Unicode.Scalar(byte)))'"
  }
}

extension UInt8 {
  static var space: UInt8 { UInt8(ascii: " ") }
  static var openBrace: UInt8 { UInt8(ascii: "{") }
  static var quotationMark: UInt8 { UInt8(ascii: "\"") }
  static var backslash: UInt8 { UInt8(ascii: "\\") }
}

// MARK: - Objects, arrays and integers

// The caller reads each member in a closure, so a header nests as deep as the calls do: three
// levels. Numbers are non-negative integers without sign, fraction, exponent or leading zero;
// shapes and offsets need no others.

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

// MARK: - Strings

// RFC 8259 section 7 to the letter: control characters must be escaped, escapes must be known, and
// \u escapes must form Unicode scalars. Half a surrogate pair is refused, because no Swift string
// can hold it and any replacement would be a different key. The header has been validated as UTF-8,
// so everything but an escape is copied as it stands.

extension HeaderScanner {
  /// Reads a string of any length.
  mutating func scanString(
    expecting expected: StaticString
  ) throws(SafetensorsError) -> HeaderString {
    try scanString(expecting: expected, lengthLimit: .max)
  }

  /// Reads a string that will be compared or hashed, so its length is bounded.
  mutating func scanKey(expecting expected: StaticString) throws(SafetensorsError) -> HeaderString {
    try scanString(expecting: expected, lengthLimit: keyLengthLimit)
  }

  private mutating func scanString(
    expecting expected: StaticString, lengthLimit: Int
  ) throws(SafetensorsError) -> HeaderString {
    skipWhiteSpace()
    let start = position
    try require(.quotationMark, expecting: expected)
    var text: [UInt8] = []
    while !skip(.quotationMark) {
      if current == .backslash {
        try scanEscape(into: &text)
      } else {
        try scanPlainRun(into: &text)
      }
      guard text.count <= lengthLimit else {
        throw .keyTooLong(offset: start, limit: lengthLimit)
      }
    }
    return HeaderString(text: String(decoding: text, as: UTF8.self), offset: start)
  }

  /// Copies everything up to the next quotation mark or escape.
  private mutating func scanPlainRun(into text: inout [UInt8]) throws(SafetensorsError) {
    let start = position
    while let byte = current, byte != .quotationMark, byte != .backslash, byte >= 0x20 {
      position += 1
    }
    guard current == .quotationMark || current == .backslash else {
      throw unexpected(expecting: "a character of a string, or '\"' ending it")
    }
    text.append(contentsOf: bytes[start..<position])
  }

  private mutating func scanEscape(into text: inout [UInt8]) throws(SafetensorsError) {
    let start = position
    position += 1
    switch current {
    case .quotationMark, .backslash, UInt8(ascii: "/"): text.append(bytes[position])
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      position = start
      text.append(contentsOf: try scanUnicodeEscape().utf8)
      return
    default: throw unexpected(expecting: "one of \"\\/bfnrtu after a backslash")
    }
    position += 1
  }

  /// Reads `\uXXXX`, or two of them that form a surrogate pair.
  private mutating func scanUnicodeEscape() throws(SafetensorsError) -> String {
    let start = position
    let first = try scanCodeUnit()
    if let scalar = Unicode.Scalar(first) { return String(Character(scalar)) }
    guard UTF16.isLeadSurrogate(first), isAtUnicodeEscape else {
      throw .loneSurrogate(offset: start)
    }
    let second = try scanCodeUnit()
    guard UTF16.isTrailSurrogate(second) else { throw .loneSurrogate(offset: start) }
    return String(decoding: [first, second], as: UTF16.self)
  }

  private var isAtUnicodeEscape: Bool {
    position + 1 < end && bytes[position] == .backslash && bytes[position + 1] == UInt8(ascii: "u")
  }

  /// Reads `\uXXXX`, whose first two characters have been seen.
  private mutating func scanCodeUnit() throws(SafetensorsError) -> UInt16 {
    position += 2
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected(expecting: "four hexadecimal digits after \\u")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}
