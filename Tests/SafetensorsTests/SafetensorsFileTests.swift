// A file as a collection of named tensors, and what is promised of its bytes: they are read back
// for every type and many shapes, depend on nothing but the content, keep the limits, and tell
// their length.

import Testing

@testable import Safetensors

@Suite("Safetensors: files in memory")
struct SafetensorsFileTests {
  private func tensor(_ value: Float) -> Tensor { Tensor([value], shape: []) }

  private var abc: SafetensorsFile {
    var file = SafetensorsFile()
    file["b"] = tensor(1)
    file["a"] = tensor(2)
    file["c"] = tensor(3)
    return file
  }

  @Test("A SafetensorsFile keeps tensors in the order in which they were added")
  func order() {
    #expect(abc.tensors.map(\.name) == ["b", "a", "c"])
  }

  @Test("Setting a known name replaces the tensor in place")
  func replacement() {
    var file = abc
    file["a"] = tensor(9)
    #expect(file.tensors.map(\.name) == ["b", "a", "c"])
    #expect(file["a"] == tensor(9))
  }

  @Test("Setting a tensor to nil removes it and no other")
  func removal() {
    var file = abc
    file["b"] = nil
    file["nobody"] = nil
    #expect(file.tensors.map(\.name) == ["a", "c"])
    #expect(file["b"] == nil)
    #expect(file["a"] == tensor(2))
    #expect(file["c"] == tensor(3))
    file["b"] = tensor(4)
    #expect(file.tensors.map(\.name) == ["a", "c", "b"])
  }

  @Test("Asking for a missing tensor, or one of another type, throws its name")
  func requests() throws {
    #expect(try abc.tensor(named: "a") == tensor(2))
    #expect(try abc.elements(named: "a", as: Float.self) == [2])
    #expect(throws: SafetensorsError.tensorNotFound(name: "d")) { try abc.tensor(named: "d") }
    #expect(throws: SafetensorsError.tensorNotFound(name: "d")) {
      try abc.elements(named: "d", as: Float.self)
    }
    let mismatch = SafetensorsError.dataTypeMismatch(
      tensor: "a", expected: .float64, found: .float32)
    #expect(throws: mismatch) { try abc.elements(named: "a", as: Double.self) }
  }

  @Test("Names that differ only in Unicode normalization are the same")
  func normalization() {
    var file = SafetensorsFile()
    file["\u{e9}"] = tensor(1)
    file["e\u{301}"] = tensor(2)
    #expect(file.tensors.count == 1)
    #expect(file["\u{e9}"] == tensor(2))
  }

  @Test("A tensor with the reserved name is not written")
  func reservedName() {
    var file = abc
    file[SafetensorsFile.metadataKey] = tensor(0)
    #expect(throws: SafetensorsError.reservedName) { try file.encoded() }
  }
}

// MARK: - Round trips

struct TypeAndShape: Sendable, CustomTestStringConvertible {
  let dataType: DataType
  let shape: [Int]
  let byteCount: Int

  var testDescription: String { "\(dataType.rawValue) \(shape)" }

  /// Every type with every shape of whole bytes.
  static let all = DataType.allCases.flatMap { dataType in
    let shapes = [[], [0], [1], [4], [2, 4], [3, 0, 2], [2, 1, 2, 3, 1, 2], [1 << 40, 0]]
    return shapes.compactMap { shape -> TypeAndShape? in
      guard let byteCount = try? dataType.byteCount(shape: shape) else { return nil }
      return TypeAndShape(dataType: dataType, shape: shape, byteCount: byteCount)
    }
  }
}

@Suite("Safetensors: round trips")
struct RoundTripTests {
  @Test(
    "A tensor of any type and shape is read back as it was written", arguments: TypeAndShape.all)
  func tensor(_ sample: TypeAndShape) throws {
    var file = SafetensorsFile()
    file["x"] = Tensor(
      dataType: sample.dataType, shape: sample.shape, bytes: ascendingBytes(sample.byteCount))
    #expect(try SafetensorsFile(decoding: file.encoded()) == file)
  }

  @Test("The order in which tensors were added does not change the bytes of a file")
  func order() throws {
    let samples = TypeAndShape.all.enumerated().map { index, sample in
      (
        "tensor \(index)",
        Tensor(
          dataType: sample.dataType, shape: sample.shape, bytes: ascendingBytes(sample.byteCount))
      )
    }
    var forward = SafetensorsFile(metadata: ["b": "1", "a": "2", "ä": "3", "": "4"])
    for (name, tensor) in samples { forward[name] = tensor }
    var backward = SafetensorsFile(metadata: ["": "4", "ä": "3", "a": "2", "b": "1"])
    for (name, tensor) in samples.reversed() { backward[name] = tensor }

    let bytes = try forward.encoded()
    #expect(try backward.encoded() == bytes)
    let file = try SafetensorsFile(decoding: bytes)
    #expect(file.metadata == forward.metadata)
    #expect(file.tensors.count == samples.count)
    for (name, tensor) in samples { #expect(file[name] == tensor) }
  }

  @Test("Metadata keys are sorted by their UTF-8 bytes")
  func metadataOrder() throws {
    let keys = ["b", "a", "ä", "", "B", "\u{ffff}", "😀"]
    let file = SafetensorsFile(metadata: .init(uniqueKeysWithValues: keys.map { ($0, "") }))
    let header = String(decoding: try file.encoded().dropFirst(8), as: UTF8.self)
    let expected =
      #"{"__metadata__":{"":"","B":"","a":"","b":"","ä":"","\#u{ffff}":"","😀":""}}"#
    #expect(header.prefix { $0 != " " } == expected)
  }

  @Test("Data are aligned to eight bytes, whatever the header's length", arguments: 1...16)
  func alignment(nameLength: Int) throws {
    var file = SafetensorsFile()
    file[String(repeating: "n", count: nameLength)] = Tensor([Float(1)], shape: [])
    let bytes = try file.encoded()
    #expect(bytes[0].isMultiple(of: 8))
    #expect(bytes.count == 8 + Int(bytes[0]) + 4)
    #expect(bytes.suffix(4) == [0, 0, 0x80, 0x3F])
  }
}

// MARK: - Limits: what is exactly at one passes, what is one over is refused

@Suite("Safetensors: limits")
struct LimitsTests {
  private static func file(name: String = "name", rank: Int = 1) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: ["some key": String(repeating: "v", count: 999)])
    file[name] = Tensor([UInt8(1)], shape: Array(repeating: 1, count: rank))
    return file
  }

  @Test("The limit on the header's length holds for reading and writing")
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

  @Test("The limit on dimensions holds for reading and writing")
  func rank() throws {
    #expect(try SafetensorsFile(decoding: Self.file(rank: 64).encoded()) == Self.file(rank: 64))
    let error = SafetensorsError.rankTooHigh(tensor: "name", limit: 64)
    #expect(throws: error) { try Self.file(rank: 65).encoded() }
    let bytes = try Self.file(rank: 65).encoded(limits: .init(rank: 65))
    #expect(decodingError(bytes) == error)
  }

  @Test(
    "The limit on keys counts UTF-8 bytes, and does not apply to values",
    arguments: ["n", "ä", "😀"])
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

  @Test("The limit on keys applies to the names of fields and types")
  func otherKeys() {
    let long = String(repeating: "\\u0301", count: 600)
    let field = decodingError(fileBytes(header: #"{"a":{"\#(long)":1}}"#))
    #expect(field == .keyTooLong(offset: 14, limit: 1024))
    let dataType = decodingError(fileBytes(header: #"{"a":{"dtype":"\#(long)"}}"#))
    #expect(dataType == .keyTooLong(offset: 22, limit: 1024))
  }
}

// MARK: - The length, from a beginning

@Suite("Safetensors: the length of a file")
struct LengthTests {
  private func file() throws -> [UInt8] {
    var file = SafetensorsFile(metadata: ["k": "v"])
    file["a"] = Tensor([1, 2, 3] as [Float], shape: [3])
    file["b"] = Tensor([7] as [UInt8], shape: [])
    return try file.encoded()
  }

  @Test("A file's length is known from its header on, and from any shorter beginning a lower bound")
  func everyBeginning() throws {
    let bytes = try file()
    let headerEnd = bytes.count - 13
    for count in 0...bytes.count {
      let expected: SafetensorsFile.Length =
        count < 8 ? .atLeast(8) : count < headerEnd ? .atLeast(headerEnd) : .exactly(bytes.count)
      #expect(try SafetensorsFile.length(ofFileBeginning: Array(bytes[..<count])) == expected)
    }
  }

  @Test("A header that promises more than a file can hold gives the largest length")
  func endless() throws {
    let text = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,9223372036854775807]}}"#
    let bytes = [UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8)
    #expect(try SafetensorsFile.length(ofFileBeginning: bytes) == .exactly(.max))
  }

  @Test(
    "The length of what is no file is the error of reading it",
    arguments: [0, 0x7F, 0xFF] as [UInt8])
  func none(byte: UInt8) throws {
    let bytes = [UInt8](repeating: byte, count: 300)
    let error = try #require(throws: SafetensorsError.self) {
      try SafetensorsFile(decoding: bytes)
    }
    #expect(throws: error) { try SafetensorsFile.length(ofFileBeginning: bytes) }
  }
}
