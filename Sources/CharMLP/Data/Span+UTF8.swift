// One UTF-8 sequence, decoded strictly.
//
// Everything in this folder that leaves ASCII comes here, so that there is one decision about what is
// well-formed: shortest form only, no surrogates, nothing above U+10FFFF (Unicode Standard, table 3-7).
// ASCII is handled by the callers, in their own loops, because debug builds of this module do not
// inline from file to file and a call for every byte would be felt.
//
// Not a general decoder: there is no replacement character and no recovery.

extension Span<UInt8> {
  /// The scalar whose UTF-8 sequence starts at `index`, and the length of the sequence in bytes
  /// (1 to 4), or nil where the bytes are not well-formed.
  func scalar(at index: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    let lead = UInt32(self[index])
    let length: Int
    let smallest: UInt32  // anything below fits a shorter sequence
    var value: UInt32
    switch lead {
    case 0x00...0x7F: (length, smallest, value) = (1, 0, lead)
    case 0xC2...0xDF: (length, smallest, value) = (2, 0x80, lead & 0x1F)
    case 0xE0...0xEF: (length, smallest, value) = (3, 0x800, lead & 0x0F)
    case 0xF0...0xF4: (length, smallest, value) = (4, 0x1_0000, lead & 0x07)
    default: return nil  // a continuation byte, or a byte that UTF-8 never uses
    }
    guard length <= count - index else { return nil }
    for offset in 1..<Swift.max(length, 1) {
      let byte = UInt32(self[index + offset])
      guard byte & 0xC0 == 0x80 else { return nil }
      value = value << 6 | byte & 0x3F
    }
    // `Unicode.Scalar(_:)` refuses surrogates and what lies above U+10FFFF.
    guard value >= smallest, let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, length)
  }
}
