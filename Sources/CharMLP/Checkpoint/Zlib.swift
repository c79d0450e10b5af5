// zlib, as far as a model file needs it: a checksum, and a way to keep a word list small.
//
// Every pointer that zlib gets is made here. What is inflated has a known length: more than that is
// never allocated, whatever the compressed bytes say. Nothing is streamed.

import CZlib

enum Zlib {
  /// The CRC-32 (ISO 3309) of bytes, or of what had the CRC-32 `first` followed by them.
  static func crc32(_ bytes: ArraySlice<UInt8>, continuing first: UInt32 = 0) -> UInt32 {
    let sum = unsafe bytes.withUnsafeBytes { buffer in
      unsafe crc32_z(
        uLong(first), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    // For a null pointer zlib gives the initial value instead of the one to continue.
    return bytes.isEmpty ? first : UInt32(truncatingIfNeeded: sum)
  }

  /// The bytes in zlib's format (RFC 1950), at its fastest level: words become a tenth longer than
  /// at the default, in a third of the time.
  ///
  /// The same bytes and the same zlib give the same result.
  static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe compress2(
          target.baseAddress, &count, source.baseAddress, uLong(source.count),
          Z_BEST_SPEED)
      }
    }
    precondition(status == Z_OK, "zlib could not compress \(bytes.count) bytes: \(status)")
    return Array(result.prefix(Int(count)))
  }

  /// What was compressed, or nil unless it is sound and exactly `count` bytes long.
  static func inflated(_ bytes: [UInt8], count expected: Int) -> [UInt8]? {
    var count = uLong(expected)
    var result = [UInt8](repeating: 0, count: expected)
    var consumed = uLong(bytes.count)
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe uncompress2(target.baseAddress, &count, source.baseAddress, &consumed)
      }
    }
    guard status == Z_OK, count == expected, consumed == bytes.count else { return nil }
    return result
  }
}

// MARK: - The checksum of a model file
//
// Safetensors has none, and a flipped bit in a weight still is a weight. The metadata's field
// "crc32" holds eight lower-case hexadecimal digits: the CRC-32 of the whole file, from the
// header's length to the last weight, taken with 0s in place of those digits. CRC-32 finds every
// change of up to 32 bits in a row, so every single bit. It is not a signature: anyone can
// recompute it.
//
// The field is found in the text as `"crc32":"`. Inside a JSON string its quotation marks would be
// escaped, so the text can stand nowhere but at a key.

enum FileChecksum {
  static let key = "crc32"
  static let zero = "00000000"
  private static let opening = Array("\"\(key)\":\"".utf8)

  /// A file whose checksum is still zero, with the right one.
  static func sealed(_ file: consuming [UInt8]) -> [UInt8] {
    guard let place = place(in: file) else { preconditionFailure("a file without a checksum") }
    let sum = sum(of: file, digitsAt: place)
    file.replaceSubrange(place, with: sum.utf8)
    return file
  }

  /// The checksum that a file has, and the one that it should have; nil if it has none.
  static func read(_ file: [UInt8]) -> (found: String, expected: String)? {
    guard let place = place(in: file) else { return nil }
    let found = String(decoding: file[place], as: UTF8.self)
    return (found, sum(of: file, digitsAt: place))
  }

  private static func sum(of file: [UInt8], digitsAt place: Range<Int>) -> String {
    var sum = Zlib.crc32(file[..<place.lowerBound])
    sum = Zlib.crc32(Array(zero.utf8)[...], continuing: sum)
    let digits = String(Zlib.crc32(file[place.upperBound...], continuing: sum), radix: 16)
    return zero.dropLast(digits.count) + digits
  }

  /// Where the digits stand in a file that was decoded without an error.
  private static func place(in file: [UInt8]) -> Range<Int>? {
    var length = 0
    for byte in file.prefix(8).reversed() { length = length << 8 | Int(byte) }
    guard let key = file[..<(8 + length)].firstRange(of: opening),
      key.upperBound + zero.utf8.count <= 8 + length
    else { return nil }
    return key.upperBound..<key.upperBound + zero.utf8.count
  }
}
