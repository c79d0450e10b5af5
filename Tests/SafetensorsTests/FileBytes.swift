// Files for tests, put together from a header and data without the writer that is being tested.

import Testing

@testable import Safetensors

/// The bytes of a file with a header, exactly as given, and data.
func fileBytes(header: [UInt8], data: [UInt8] = []) -> [UInt8] {
  let length = UInt64(header.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + data
}

/// The bytes of a file with a header, exactly as given, and data.
func fileBytes(header: String, data: [UInt8] = []) -> [UInt8] {
  fileBytes(header: Array(header.utf8), data: data)
}

/// The bytes of a file with this header and as many data bytes: 0, 1, 2, …
func fileBytes(header: String, dataLength: Int) -> [UInt8] {
  fileBytes(header: header, data: ascendingBytes(dataLength))
}

/// 0, 1, 2, …, starting again after 255.
func ascendingBytes(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0) }
}

/// The error of reading some bytes, or nil if they are read.
func decodingError(
  _ bytes: [UInt8], limits: SafetensorsFile.Limits = .init()
) -> SafetensorsError? {
  do throws(SafetensorsError) {
    _ = try SafetensorsFile(decoding: bytes, limits: limits)
    return nil
  } catch {
    return error
  }
}

/// A header and the error it must be refused with.
struct RefusedHeader: Sendable, CustomTestStringConvertible {
  let header: String
  let dataLength: Int
  let error: SafetensorsError

  init(_ header: String, dataLength: Int = 0, _ error: SafetensorsError) {
    self.header = header
    self.dataLength = dataLength
    self.error = error
  }

  var testDescription: String { "\(header) + \(dataLength) bytes" }
}
