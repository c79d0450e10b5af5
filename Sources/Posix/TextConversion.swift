// The system's converter between character encodings, iconv(3), for guesses about a text that is not
// in UTF-8: what it accepts here, the command of the same name accepts on this machine.

import Glibc

/// Conversion to UTF-8.
public enum TextConversion {
  /// The text in UTF-8, or nil if the bytes are none in this encoding or the system does not know
  /// it. A character that is cut off at the end is left out.
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
        return unsafe iconv(converter, &from, &left, &to, &room)
      }
    }
    let isCutOff = status == -1 && errno == EINVAL
    guard status != -1 || isCutOff else { return nil }
    output.removeLast(room)
    return output
  }
}
