// zlib, as far as a model file needs it: a checksum, and a way to keep a word list small.
//
// Every pointer that zlib is handed is made here. What is inflated has a known length: more than that is
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

  /// The bytes in zlib's format (RFC 1950), at its fastest level: words become a tenth longer than at
  /// the default, in a third of the time.
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
