// Recognizes text that was saved as UTF-16 or UTF-32.
//
// Such a file would be refused in any case, for its NULs or for its byte order mark, but "control
// character in line 1" helps nobody who has just exported a list from a spreadsheet. So the first bytes
// are looked at once, and the message can name the encoding and the cure.
//
// Not a detector of encodings in general: Latin-1 and its like show up as invalid UTF-8.

/// An encoding that a word list must be converted from.
public enum ForeignEncoding: String, Sendable {
  case utf16 = "UTF-16"
  case utf32 = "UTF-32"

  /// The encoding that the first bytes speak for, if it is a foreign one.
  ///
  /// The evidence is a byte order mark, or NULs in exactly every second byte of the first 64 (Latin
  /// text in UTF-16 without a mark); a text must have at least four bytes for the latter.
  init?(ofTextStartingWith bytes: Span<UInt8>) {
    guard bytes.count >= 2 else { return nil }
    let zeroes = bytes.count >= 4 && bytes[2] == 0 && bytes[3] == 0
    switch (bytes[0], bytes[1]) {
    case (0xFF, 0xFE): self = zeroes ? .utf32 : .utf16
    case (0xFE, 0xFF): self = .utf16
    case (0, 0) where bytes.count >= 4 && bytes[2] == 0xFE && bytes[3] == 0xFF: self = .utf32
    default:
      guard Self.everySecondByteIsNUL(bytes) else { return nil }
      self = .utf16
    }
  }

  private static func everySecondByteIsNUL(_ bytes: Span<UInt8>) -> Bool {
    let pairs = min(bytes.count, 64) / 2
    guard pairs >= 2 else { return false }
    let zeroAt = bytes[0] == 0 ? 0 : 1
    return (0..<pairs).allSatisfy {
      bytes[2 * $0 + zeroAt] == 0 && bytes[2 * $0 + 1 - zeroAt] != 0
    }
  }
}
