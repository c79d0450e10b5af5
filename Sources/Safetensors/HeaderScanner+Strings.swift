// Strings: RFC 8259 section 7 to the letter. Control characters must be escaped, escapes must be
// known, and \u escapes must add up to Unicode scalars: half a surrogate pair is refused, because
// no Swift string could hold it and every replacement would be a different key.
//
// The header was validated as UTF-8 before, so what is not an escape is copied as it stands.

extension HeaderScanner {
  /// Reads a string of any length.
  mutating func scanString(expecting expected: StaticString) throws(SafetensorsError)
    -> HeaderString
  {
    try scanString(expecting: expected, lengthLimit: .max)
  }

  /// Reads a string that will be compared or hashed, which is why its length is bounded.
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

  /// Reads `\uXXXX`, whose first two characters are known to be there.
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
