// The eight bytes of length, and what a file that is too short or too long is refused with.

import Safetensors
import Testing

@Suite("The frame of a file")
struct FrameTests {
  private static let header =
    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
    + #""b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}  "#
  private static let whole = fileBytes(header: header, dataLength: 5)

  @Test("is refused when cut anywhere", arguments: 0..<whole.count)
  func truncation(length: Int) {
    let headerLength = Self.header.utf8.count
    let headerEnd = 8 + headerLength
    let expected: SafetensorsError =
      switch length {
      case ..<8: .fileTooShort(byteCount: length)
      case ..<headerEnd: .headerTruncated(length: UInt64(headerLength), available: length - 8)
      case ..<(headerEnd + 2):
        .offsetBeyondData(tensor: "a", end: 2, dataLength: length - headerEnd)
      default: .offsetBeyondData(tensor: "b", end: 5, dataLength: length - headerEnd)
      }
    #expect(decodingError(Array(Self.whole.prefix(length))) == expected)
  }

  @Test("is refused when bytes follow the data", arguments: [1, 2, 1000])
  func trailingBytes(count: Int) {
    let bytes = Self.whole + ascendingBytes(count)
    #expect(decodingError(bytes) == .trailingBytes(covered: 5, dataLength: 5 + count))
  }

  @Test("is refused when the data follow no tensor")
  func dataWithoutTensors() {
    let bytes = fileBytes(header: "{}", dataLength: 1)
    #expect(decodingError(bytes) == .trailingBytes(covered: 0, dataLength: 1))
  }

  @Test(
    "is refused when the header's length is absurd",
    arguments: [100_000_001, UInt64(Int.max), 1 << 63, UInt64.max - 7, UInt64.max])
  func absurdLength(length: UInt64) {
    var bytes = Self.whole
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    #expect(decodingError(bytes) == .headerTooLong(length: length, limit: 100_000_000))
    let limits = SafetensorsFile.Limits(headerLength: .max)
    let lenient = decodingError(bytes, limits: limits)
    if length <= Int.max {
      #expect(lenient == .headerTruncated(length: length, available: bytes.count - 8))
    } else {
      #expect(lenient == .headerTooLong(length: length, limit: .max))
    }
  }

  @Test("is refused when it has no header")
  func emptyHeader() {
    let error = SafetensorsError.unexpected(
      offset: 8, expected: "'{' as the first byte", found: "the end of the header")
    #expect(decodingError(fileBytes(header: "")) == error)
  }
}
