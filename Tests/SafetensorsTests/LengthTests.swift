// The length of a file, read off its beginning.

import Testing

@testable import Safetensors

@Suite("The length of a file that begins with")
struct LengthTests {
  private func file() throws -> [UInt8] {
    var file = SafetensorsFile(metadata: ["k": "v"])
    file["a"] = Tensor([1, 2, 3] as [Float], shape: [3])
    file["b"] = Tensor([7] as [UInt8], shape: [])
    return try file.encoded()
  }

  @Test("any number of a file's bytes is at least its header's, then the file's")
  func everyBeginning() throws {
    let bytes = try file()
    let headerEnd = bytes.count - 13
    for count in 0...bytes.count {
      let expected: SafetensorsFile.Length =
        count < 8 ? .atLeast(8) : count < headerEnd ? .atLeast(headerEnd) : .exactly(bytes.count)
      #expect(try SafetensorsFile.length(ofFileBeginning: Array(bytes[..<count])) == expected)
    }
  }

  @Test("a header that promises more than a file can have is the largest there is")
  func endless() throws {
    let text = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,9223372036854775807]}}"#
    let bytes = [UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8)
    #expect(try SafetensorsFile.length(ofFileBeginning: bytes) == .exactly(.max))
  }

  @Test(
    "what no file begins with is the error of reading it", arguments: [0, 0x7F, 0xFF] as [UInt8])
  func none(byte: UInt8) throws {
    let bytes = [UInt8](repeating: byte, count: 300)
    let error = try #require(throws: SafetensorsError.self) {
      try SafetensorsFile(decoding: bytes)
    }
    #expect(throws: error) { try SafetensorsFile.length(ofFileBeginning: bytes) }
  }
}
