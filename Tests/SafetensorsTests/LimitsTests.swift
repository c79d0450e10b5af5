// The limits: what is exactly at one passes, what is one over is refused, both ways.

import Safetensors
import Testing

@Suite("A limit")
struct LimitsTests {
  private static func file(name: String = "name", rank: Int = 1) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: ["some key": String(repeating: "v", count: 999)])
    file[name] = Tensor([UInt8(1)], shape: Array(repeating: 1, count: rank))
    return file
  }

  @Test("holds for the length of a header")
  func headerLength() throws {
    let bytes = try Self.file().encoded()
    let length = bytes.count - 9
    let exact = SafetensorsFile.Limits(headerLength: length)
    #expect(try Self.file().encoded(limits: exact) == bytes)
    #expect(decodingError(bytes, limits: exact) == nil)

    let smaller = SafetensorsFile.Limits(headerLength: length - 1)
    let error = SafetensorsError.headerTooLong(length: UInt64(length), limit: length - 1)
    #expect(throws: error) { try Self.file().encoded(limits: smaller) }
    #expect(decodingError(bytes, limits: smaller) == error)
  }

  @Test("holds for the number of dimensions")
  func rank() throws {
    #expect(try SafetensorsFile(decoding: Self.file(rank: 64).encoded()) == Self.file(rank: 64))
    let error = SafetensorsError.rankTooHigh(tensor: "name", limit: 64)
    #expect(throws: error) { try Self.file(rank: 65).encoded() }
    let bytes = try Self.file(rank: 65).encoded(limits: .init(rank: 65))
    #expect(decodingError(bytes) == error)
  }

  @Test("holds for keys in UTF-8 bytes, not for values", arguments: ["n", "ä", "😀"])
  func keyLength(character: String) throws {
    let width = character.utf8.count
    let longest = String(repeating: character, count: 1024 / width)
    let file = Self.file(name: longest)
    #expect(try SafetensorsFile(decoding: file.encoded()) == file)

    let tooLong = longest + "n"
    #expect(throws: SafetensorsError.nameTooLong(name: tooLong, limit: 1024)) {
      try Self.file(name: tooLong).encoded()
    }
    #expect(throws: SafetensorsError.nameTooLong(name: tooLong, limit: 1024)) {
      try SafetensorsFile(metadata: [tooLong: ""]).encoded()
    }
    let limits = SafetensorsFile.Limits(keyLength: 1025)
    let bytes = try SafetensorsFile(metadata: [tooLong: ""]).encoded(limits: limits)
    #expect(decodingError(bytes, limits: limits) == nil)
    #expect(decodingError(bytes) == .keyTooLong(offset: 25, limit: 1024))
  }

  @Test("holds for strings that are compared: fields and types")
  func otherKeys() {
    let long = String(repeating: "\\u0301", count: 600)
    let field = decodingError(fileBytes(header: #"{"a":{"\#(long)":1}}"#))
    #expect(field == .keyTooLong(offset: 14, limit: 1024))
    let dataType = decodingError(fileBytes(header: #"{"a":{"dtype":"\#(long)"}}"#))
    #expect(dataType == .keyTooLong(offset: 22, limit: 1024))
  }
}
