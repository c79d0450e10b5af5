// What is written is read back, for every type and many shapes, and depends on nothing else.

import Testing

@testable import Safetensors

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

@Suite("Writing and reading back")
struct RoundTripTests {
  @Test("gives the same tensor", arguments: TypeAndShape.all)
  func tensor(_ sample: TypeAndShape) throws {
    var file = SafetensorsFile()
    file["x"] = Tensor(
      dataType: sample.dataType, shape: sample.shape, bytes: ascendingBytes(sample.byteCount))
    #expect(try SafetensorsFile(decoding: file.encoded()) == file)
  }

  @Test("gives the same file, whatever the order in which tensors were added")
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

  @Test("sorts metadata keys by their UTF-8 bytes")
  func metadataOrder() throws {
    let keys = ["b", "a", "ä", "", "B", "\u{ffff}", "😀"]
    let file = SafetensorsFile(metadata: .init(uniqueKeysWithValues: keys.map { ($0, "") }))
    let header = String(decoding: try file.encoded().dropFirst(8), as: UTF8.self)
    let expected =
      #"{"__metadata__":{"":"","B":"","a":"","b":"","ä":"","\#u{ffff}":"","😀":""}}"#
    #expect(header.prefix { $0 != " " } == expected)
  }

  @Test("aligns the data to eight bytes, whatever the header's length", arguments: 1...16)
  func alignment(nameLength: Int) throws {
    var file = SafetensorsFile()
    file[String(repeating: "n", count: nameLength)] = Tensor([Float(1)], shape: [])
    let bytes = try file.encoded()
    #expect(bytes[0].isMultiple(of: 8))
    #expect(bytes.count == 8 + Int(bytes[0]) + 4)
    #expect(bytes.suffix(4) == [0, 0, 0x80, 0x3F])
  }
}
