// The writer and the reader against the reference implementation, byte for byte.
//
// The content of every golden file stands here a second time, written by hand.

import Safetensors
import Testing

struct GoldenCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]
  let content: SafetensorsFile

  init(_ name: String, _ golden: GoldenFile, metadata: [String: String] = [:], _ tensors: Tensors) {
    testDescription = name
    bytes = hexadecimal(golden.length) + Array(golden.header.utf8) + hexadecimal(golden.data)
    var file = SafetensorsFile(metadata: metadata)
    for (name, tensor) in tensors { file[name] = tensor }
    content = file
  }

  typealias Tensors = KeyValuePairs<String, Tensor>
}

private func hexadecimal(_ digits: String) -> [UInt8] {
  let values = digits.map { UInt8($0.hexDigitValue!) }
  return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}

private let goldenCases = [
  GoldenCase("empty", .empty, [:]),
  GoldenCase(
    "numbers", .numbers,
    [
      "weights": Tensor([1, -2, 0.5, 3.25, -0.0, Float.infinity], shape: [2, 3]),
      "scalar": Tensor([Float(-1.5)], shape: []),
      "precise": Tensor([0.1, -1e300], shape: [2]),
      "counts": Tensor([-1, 0, Int64(1) << 62], shape: [3]),
      "nothing": Tensor([Int64](), shape: [0, 3]),
      "bytes": Tensor([0, 127, UInt8(255)], shape: [3]),
    ]),
  GoldenCase("names", .names, namedBytes),
  GoldenCase(
    "metadata", .metadata, metadata: ["format\n\"": "näme\\\t\u{1}"],
    ["x": Tensor([Float(1)], shape: [1])]),
  GoldenCase("metadata alone", .metadataAlone, metadata: ["format": "pt"], [:]),
  GoldenCase("types", .types, oneOfEachType),
]

private let namedBytes: GoldenCase.Tensors = [
  "": byte(0), "quote\" backslash\\ slash/": byte(1),
  "\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}": byte(2), "na\u{ef}ve": byte(3), "e\u{301}": byte(4),
  "模型.权重": byte(5), "😀": byte(6), "\u{ffff}": byte(7), "\u{2028}": byte(8),
  "a": byte(9), "A": byte(10),
]

private func byte(_ value: UInt8) -> Tensor { Tensor([value], shape: []) }

/// The types the reference's Python package can write, in its order, each named by a letter.
private let oneOfEachType: GoldenCase.Tensors = [
  "a": tensor(.bool, 0), "b": tensor(.float4, 1, shape: [2]), "c": tensor(.uint8, 2),
  "d": tensor(.int8, 3), "e": tensor(.float8E5M2, 4), "f": tensor(.float8E4M3, 5),
  "g": tensor(.float8E8M0, 6), "h": tensor(.float8E4M3FNUZ, 7), "i": tensor(.float8E5M2FNUZ, 8),
  "j": tensor(.int16, 9), "k": tensor(.uint16, 10), "l": tensor(.float16, 11),
  "m": tensor(.bfloat16, 12), "n": tensor(.int32, 13), "o": tensor(.uint32, 14),
  "p": tensor(.float32, 15), "q": tensor(.complex64, 16), "r": tensor(.float64, 17),
  "s": tensor(.int64, 18), "t": tensor(.uint64, 19),
]

private func tensor(_ dataType: DataType, _ index: UInt8, shape: [Int] = [1]) -> Tensor {
  let width = UInt8(max(1, dataType.bitWidth / 8))
  return Tensor(dataType: dataType, shape: shape, bytes: (0..<width).map { $0 + 8 * index })
}

@Suite("Safetensors: golden files")
struct GoldenFileTests {
  @Test(
    "Golden files of the reference implementation are written byte for byte", arguments: goldenCases
  )
  func writing(golden: GoldenCase) throws {
    #expect(try golden.content.encoded() == golden.bytes)
  }

  @Test(
    "Golden files of the reference implementation are read as what they were made of",
    arguments: goldenCases)
  func reading(golden: GoldenCase) throws {
    let file = try SafetensorsFile(decoding: golden.bytes)
    #expect(file.metadata == golden.content.metadata)
    #expect(file.tensors.count == golden.content.tensors.count)
    for expected in golden.content.tensors {
      #expect(file[expected.name] == expected.tensor)
    }
  }

  @Test(
    "Golden files of the reference implementation are unchanged by reading and writing",
    arguments: goldenCases)
  func rewriting(golden: GoldenCase) throws {
    #expect(try SafetensorsFile(decoding: golden.bytes).encoded() == golden.bytes)
  }
}
