// Splitting, and prefix and suffix tests, by byte.
//
// A Character is a letter with all marks that follow it, so a comparison by Character does not see
// a slash or a quotation mark that a combining mark follows. Paths, command lines and file formats
// are sequences of bytes, and in UTF-8 an ASCII byte is never part of another character.

import Glibc

extension StringProtocol {
  /// The pieces between an ASCII delimiter, wherever it stands.
  public func pieces(
    separatedBy delimiter: UInt8, maxSplits: Int = .max, omittingEmpty: Bool = true
  ) -> [SubSequence] {
    precondition(delimiter < 0x80, "pieces: \(delimiter) is not an ASCII character")
    return utf8.split(
      separator: delimiter, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty
    ).map { self[$0.startIndex..<$0.endIndex] }
  }

  /// The pieces between blanks and line ends of ASCII.
  var asciiWords: [SubSequence] {
    utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
      .map { self[$0.startIndex..<$0.endIndex] }
  }

  /// Whether the first bytes are those of `start`.
  public func begins(with start: String) -> Bool { utf8.starts(with: start.utf8) }

  /// Whether the last bytes are those of `end`.
  public func ends(with end: String) -> Bool { utf8.reversed().starts(with: end.utf8.reversed()) }

  /// Whether an ASCII byte occurs anywhere.
  public func has(_ byte: UInt8) -> Bool { utf8.contains(byte) }
}

extension String {
  /// What follows the first bytes; nil if they are not those of `start`.
  public func remainder(after start: String) -> Substring? {
    guard begins(with: start) else { return nil }
    return self[utf8.index(startIndex, offsetBy: start.utf8.count)...]
  }
}

// MARK: - Character encodings
//
// The system's converter, iconv(3), for guesses about a text that is not in UTF-8: what it accepts
// here, the command of the same name accepts on this machine.

/// Conversion to UTF-8.
public enum TextConversion {
  /// The text in UTF-8; nil if the bytes are invalid in the encoding, or the encoding is unknown. A
  /// character that is cut off at the end is left out.
  public static func utf8(_ bytes: [UInt8], from encoding: String) -> [UInt8]? {
    guard let converter = unsafe iconv_open("UTF-8", encoding),
      Int(bitPattern: converter) != -1
    else { return nil }
    defer { unsafe iconv_close(converter) }
    // No encoding has more than four bytes of UTF-8 for one of its own, marks included.
    var input = bytes.map { CChar(bitPattern: $0) }
    var output = [UInt8](repeating: 0, count: 4 * bytes.count + 16)
    var (left, room) = (input.count, output.count)
    let status = unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBytes { target in
        var from = source.baseAddress
        var to = unsafe target.bindMemory(to: CChar.self).baseAddress
        // A character that is cut off is no error.
        if unsafe iconv(converter, &from, &left, &to, &room) == -1, errno != EINVAL { return -1 }
        // Some converters hold back a last letter, since a mark might follow that belongs to it.
        return unsafe iconv(converter, nil, nil, &to, &room)
      }
    }
    guard status != -1 else { return nil }
    output.removeLast(room)
    return output
  }
}
