// Entries that are JSON and not a tensor, and entries that do not fit the data or each other.

import Safetensors
import Testing

/// A header of entries with shapes [length] and type U8, named a, b, c, … in order.
private func header(_ ranges: (Int, Int)...) -> String {
  let entries = zip("abcdefgh", ranges).map { name, range in
    #""\#(name)":{"dtype":"U8","shape":[\#(abs(range.1 - range.0))],"#
      + #""data_offsets":[\#(range.0),\#(range.1)]}"#
  }
  return "{" + entries.joined(separator: ",") + "}"
}

/// A header of one tensor named a.
private func header(_ dataType: String, _ shape: String, _ end: Int) -> String {
  #"{"a":{"dtype":"\#(dataType)","shape":\#(shape),"data_offsets":[0,\#(end)]}}"#
}

private let wrongFields = [
  RefusedHeader(#"{"a":{}}"#, .missingField(tensor: "a", field: "dtype")),
  RefusedHeader(
    #"{"a":{"shape":[],"data_offsets":[0,0]}}"#, .missingField(tensor: "a", field: "dtype")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#, .missingField(tensor: "a", field: "shape")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","shape":[]}}"#, .missingField(tensor: "a", field: "data_offsets")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","strides":[1]}}"#,
    .unknownField(offset: 27, tensor: "a", field: "strides")),
  RefusedHeader(
    #"{"a":{"Dtype":"U8"}}"#, .unknownField(offset: 14, tensor: "a", field: "Dtype")),
  RefusedHeader(#"{"a":{"":1}}"#, .unknownField(offset: 14, tensor: "a", field: "")),
  RefusedHeader(
    header("f32", "[]", 4), .unknownDataType(offset: 22, tensor: "a", found: "f32")),
  RefusedHeader(header("", "[]", 4), .unknownDataType(offset: 22, tensor: "a", found: "")),
  RefusedHeader(
    header("F32 ", "[]", 4), .unknownDataType(offset: 22, tensor: "a", found: "F32 ")),
  RefusedHeader(
    #"{"a":{"dtype":8}}"#,
    .unexpected(offset: 22, expected: "a string, the dtype", found: "'8'")),
  RefusedHeader(#"{"a":{"data_offsets":[]}}"#, .offsetCountNotTwo(tensor: "a")),
  RefusedHeader(#"{"a":{"data_offsets":[0]}}"#, .offsetCountNotTwo(tensor: "a")),
  RefusedHeader(#"{"a":{"data_offsets":[0,0,0]}}"#, .offsetCountNotTwo(tensor: "a")),
  RefusedHeader(
    #"{"a":{"data_offsets":{}}}"#,
    .unexpected(offset: 29, expected: "'[' opening the data offsets", found: "'{'")),
  RefusedHeader(
    #"{"a":{"data_offsets":[-1,0]}}"#,
    .unexpected(offset: 30, expected: "an offset, an integer of at least 0", found: "'-'")),
]

private let repeatedKeys = [
  RefusedHeader(
    #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
      + #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, dataLength: 1,
    .duplicateKey(offset: 61, key: "a")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
      + #""a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
    .duplicateKey(offset: 61, key: "a")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"#
      + #""\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, dataLength: 1,
    .duplicateKey(offset: 61, key: "a")),
  RefusedHeader(
    "{\"\u{e9}\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
      + "\"e\\u0301\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
    .duplicateKey(offset: 62, key: "\u{e9}")),
  RefusedHeader(
    #"{"a":{"dtype":"U8","dtype":"U8"}}"#, .duplicateKey(offset: 27, key: "dtype")),
  RefusedHeader(
    #"{"a":{"shape":[],"sh\u0061pe":[]}}"#, .duplicateKey(offset: 25, key: "shape")),
  RefusedHeader(
    #"{"a":{"data_offsets":[0,0],"data\u005foffsets":[0,0]}}"#,
    .duplicateKey(offset: 35, key: "data_offsets")),
  RefusedHeader(
    #"{"__metadata__":{"k":"1","l":"2","k":"1"}}"#, .duplicateKey(offset: 41, key: "k")),
  RefusedHeader(
    #"{"__metadata__":{"/":"1","\/":"1"}}"#, .duplicateKey(offset: 33, key: "/")),
  RefusedHeader(
    #"{"__metadata__":{},"\u005f_metadata__":{}}"#,
    .duplicateKey(offset: 27, key: "__metadata__")),
]

private let wrongSizes = [
  RefusedHeader(
    header("F32", "[2,3]", 20), dataLength: 20,
    .byteCountMismatch(tensor: "a", expected: 24, found: 20)),
  RefusedHeader(
    header("F64", "[]", 4), dataLength: 4,
    .byteCountMismatch(tensor: "a", expected: 8, found: 4)),
  RefusedHeader(
    header("F32", "[0]", 4), dataLength: 4,
    .byteCountMismatch(tensor: "a", expected: 0, found: 4)),
  RefusedHeader(header("F32", "[1]", 0), .byteCountMismatch(tensor: "a", expected: 4, found: 0)),
  RefusedHeader(
    header("F4", "[3]", 2), dataLength: 2,
    .partialByte(tensor: "a", dataType: .float4, shape: [3])),
  RefusedHeader(
    header("U8", "[9223372036854775807]", 0),
    .shapeOverflow(tensor: "a", dataType: .uint8, shape: [.max])),
  RefusedHeader(
    header("U8", "[4294967296,4294967296]", 0),
    .shapeOverflow(tensor: "a", dataType: .uint8, shape: [1 << 32, 1 << 32])),
  RefusedHeader(
    header("U8", "[0,4294967296,4294967296]", 0),
    .shapeOverflow(tensor: "a", dataType: .uint8, shape: [0, 1 << 32, 1 << 32])),
  RefusedHeader(
    header("F64", "[2305843009213693952]", 0),
    .shapeOverflow(tensor: "a", dataType: .float64, shape: [1 << 61])),
]

private let wrongOffsets = [
  RefusedHeader(
    header((2, 1)), dataLength: 2, .offsetsReversed(tensor: "a", start: 2, end: 1)),
  RefusedHeader(
    header((.max, 0)), dataLength: 2, .offsetsReversed(tensor: "a", start: .max, end: 0)),
  RefusedHeader(
    header((0, 3)), dataLength: 2, .offsetBeyondData(tensor: "a", end: 3, dataLength: 2)),
  RefusedHeader(
    header((.max, .max)), dataLength: 2,
    .offsetBeyondData(tensor: "a", end: .max, dataLength: 2)),
  RefusedHeader(header((1, 2)), dataLength: 2, .hole(tensor: "a", start: 1, covered: 0)),
  RefusedHeader(
    header((0, 1), (2, 4)), dataLength: 4, .hole(tensor: "b", start: 2, covered: 1)),
  RefusedHeader(
    header((3, 4), (0, 2)), dataLength: 4, .hole(tensor: "a", start: 3, covered: 2)),
  RefusedHeader(header((1, 1)), dataLength: 1, .hole(tensor: "a", start: 1, covered: 0)),
  RefusedHeader(
    header((0, 3), (2, 4)), dataLength: 4, .overlap(tensor: "b", start: 2, covered: 3)),
  RefusedHeader(
    header((0, 4), (0, 4)), dataLength: 4, .overlap(tensor: "b", start: 0, covered: 4)),
  RefusedHeader(
    header((0, 4), (1, 2)), dataLength: 4, .overlap(tensor: "b", start: 1, covered: 4)),
  RefusedHeader(
    header((0, 4), (2, 2)), dataLength: 4, .overlap(tensor: "b", start: 2, covered: 4)),
  RefusedHeader(
    header((0, 2), (2, 3)), dataLength: 4, .trailingBytes(covered: 3, dataLength: 4)),
]

@Suite("A tensor's entry")
struct TensorEntryTests {
  @Test("has the format's fields and no others", arguments: wrongFields)
  func fields(refused: RefusedHeader) { expectRefusal(refused) }

  @Test("has every key once, escaped or not, and so has the header", arguments: repeatedKeys)
  func keys(refused: RefusedHeader) { expectRefusal(refused) }

  @Test("spans the bytes its type and shape ask for", arguments: wrongSizes)
  func sizes(refused: RefusedHeader) { expectRefusal(refused) }

  @Test("covers its part of the data, so that all together cover it once", arguments: wrongOffsets)
  func offsets(refused: RefusedHeader) { expectRefusal(refused) }

  private func expectRefusal(_ refused: RefusedHeader) {
    let bytes = fileBytes(header: refused.header, dataLength: refused.dataLength)
    #expect(decodingError(bytes) == refused.error)
  }
}
