// The header's characters: a cursor over valid UTF-8 that knows the punctuation of JSON (RFC 8259)
// and its white space, and reports where it stopped.
//
// It accepts only what a header's grammar asks for next, so it holds no general JSON value and
// cannot be sent into the depths. Offsets are bytes of the file, as a hex dump counts them.

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
