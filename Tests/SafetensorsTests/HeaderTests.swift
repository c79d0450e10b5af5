// Headers that look unusual and are correct, and headers that are refused, each with its place and
// its mistake. Offsets count from the start of the file: the header's first byte is byte 8.

import Safetensors
import Testing

// MARK: - Accepted

@Suite("Safetensors: unusual headers")
struct HeaderAcceptanceTests {
  @Test(
    "A header may have white space between tokens, and no padding",
    arguments: [
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}       "#,
      "{ \"a\" : { \"dtype\" :\t\"U8\" ,\r\n\"shape\":[ 2 ] , \"data_offsets\": [0 , 2 ] } }",
      #"{"a":{"data_offsets":[0,2],"shape":[2],"dtype":"U8"}}"#,
      #"{"__metadata__": { } ,"a":{"shape":[2],"dtype":"U8","data_offsets":[0,2]}}"#,
      #"{"\u0061":{"\u0064type":"\u00558","shape":[2],"data_offsets":[0,2]}}"#,
    ])
  func layout(header: String) throws {
    var expected = SafetensorsFile()
    expected["a"] = Tensor([UInt8(0), 1], shape: [2])
    #expect(try SafetensorsFile(decoding: fileBytes(header: header, dataLength: 2)) == expected)
  }

  @Test("A header may list tensors in another order than their data")
  func dataOrder() throws {
    let header =
      #"{"c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"#
      + #""e2":{"dtype":"F64","shape":[0],"data_offsets":[2,2]},"#
      + #""a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
      + #""e1":{"dtype":"U8","shape":[4,0],"data_offsets":[2,2]},"#
      + #""e0":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}}"#
    let file = try SafetensorsFile(decoding: fileBytes(header: header, dataLength: 3))
    #expect(file.tensors.map(\.name) == ["a", "e2", "e1", "c", "e0"])
    #expect(file["a"]?.bytes == [0, 1])
    #expect(file["c"]?.bytes == [2])
    #expect(file["e1"] == Tensor([UInt8](), shape: [4, 0]))
    #expect(file["e2"] == Tensor([Double](), shape: [0]))
  }

  @Test("A header may have metadata after the tensors, with any values")
  func metadata() throws {
    let header =
      #"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"#
      + #""__metadata__":{"":"","k":"{\"json\": [1]}","long":"\#(String(repeating: "x", count: 9999))"}}"#
    let file = try SafetensorsFile(decoding: fileBytes(header: header, dataLength: 1))
    #expect(
      file.metadata == [
        "": "", "k": #"{"json": [1]}"#, "long": String(repeating: "x", count: 9999),
      ])
  }

  @Test(
    "A header may use every escape of JSON",
    arguments: [
      (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
      (#"\u0000\u001f\u007F\u00e9\u00E9"#, "\0\u{1f}\u{7f}éé"),
      (#"\u2028\uFFFF\ud7ff\ue000"#, "\u{2028}\u{ffff}\u{d7ff}\u{e000}"),
      (#"\ud83d\ude00\uDBFF\uDFFF\ud800\udc00"#, "😀\u{10ffff}\u{10000}"),
      ("é模😀\u{7f}\u{10ffff}", "é模😀\u{7f}\u{10ffff}"),
      (#"\\u0041"#, #"\u0041"#),
    ])
  func escapes(escaped: String, text: String) throws {
    let header =
      #"{"\#(escaped)":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"#
      + #""__metadata__":{"\#(escaped)":"\#(escaped)"}}"#
    let file = try SafetensorsFile(decoding: fileBytes(header: header, dataLength: 1))
    #expect(file.tensors.map { Array($0.name.unicodeScalars) } == [Array(text.unicodeScalars)])
    #expect(file.metadata == [text: text])
    #expect(Array(file.metadata[text, default: ""].unicodeScalars) == Array(text.unicodeScalars))
  }
}

// MARK: - Not the JSON of a header

private func unexpected(
  _ offset: Int, _ expected: String, _ found: String
) -> SafetensorsError {
  .unexpected(offset: offset, expected: expected, found: found)
}

private let theEnd = "the end of the header"
private let first = "'{' as the first byte"
private let aKey = "'\"' opening a key"
private let objectNext = "',' or '}' in an object"
private let arrayNext = "',' or ']' after an integer"
private let dimension = "a dimension, an integer of at least 0"
private let padding = "only spaces after the header's last brace"
private let character = "a character of a string, or '\"' ending it"
private let escape = "one of \"\\/bfnrtu after a backslash"
private let fourDigits = "four hexadecimal digits after \\u"

private let malformedObjects = [
  RefusedHeader(" {}", unexpected(8, first, "' '")),
  RefusedHeader("\u{feff}{}", unexpected(8, first, "byte 0xef")),
  RefusedHeader("[]", unexpected(8, first, "'['")),
  RefusedHeader("null", unexpected(8, first, "'n'")),
  RefusedHeader("{", unexpected(9, aKey, theEnd)),
  RefusedHeader("{,}", unexpected(9, aKey, "','")),
  RefusedHeader("{a:{}}", unexpected(9, aKey, "'a'")),
  RefusedHeader("{1:{}}", unexpected(9, aKey, "'1'")),
  RefusedHeader("{'a':{}}", unexpected(9, aKey, "'''")),
  RefusedHeader("{\u{b}}", unexpected(9, aKey, "byte 0xb")),
  RefusedHeader("{\u{a0}}", unexpected(9, aKey, "byte 0xc2")),
  RefusedHeader("{/**/}", unexpected(9, aKey, "'/'")),
  RefusedHeader("{\"a\"", unexpected(12, "':' after a key", theEnd)),
  RefusedHeader("{\"a\",", unexpected(12, "':' after a key", "','")),
  RefusedHeader("{\"a\":", unexpected(13, "'{' opening a tensor's entry", theEnd)),
  RefusedHeader("{\"a\":null}", unexpected(13, "'{' opening a tensor's entry", "'n'")),
  RefusedHeader("{\"a\":\"b\"}", unexpected(13, "'{' opening a tensor's entry", "'\"'")),
  RefusedHeader("{\"a\":[[[", unexpected(13, "'{' opening a tensor's entry", "'['")),
  RefusedHeader("{\"__metadata__\":{}", unexpected(26, objectNext, theEnd)),
  RefusedHeader("{\"__metadata__\":{};}", unexpected(26, objectNext, "';'")),
  RefusedHeader("{\"__metadata__\":{},}", unexpected(27, aKey, "'}'")),
  RefusedHeader("{\"__metadata__\":null}", unexpected(24, "'{' opening the metadata", "'n'")),
  RefusedHeader("{\"__metadata__\":[]}", unexpected(24, "'{' opening the metadata", "'['")),
  RefusedHeader(
    "{\"__metadata__\":{\"k\":1}}", unexpected(29, "a string, a metadata value", "'1'")),
  RefusedHeader(
    "{\"__metadata__\":{\"k\":{}}}", unexpected(29, "a string, a metadata value", "'{'")),
  RefusedHeader(
    "{\"__metadata__\":{\"k\":null}}", unexpected(29, "a string, a metadata value", "'n'")),
  RefusedHeader("{}\n", unexpected(10, padding, "byte 0xa")),
  RefusedHeader("{} \t", unexpected(11, padding, "byte 0x9")),
  RefusedHeader("{}\0", unexpected(10, padding, "byte 0x0")),
  RefusedHeader("{}{}", unexpected(10, padding, "'{'")),
  RefusedHeader("{} x", unexpected(11, padding, "'x'")),
]

private let malformedStrings = [
  RefusedHeader("{\"", unexpected(10, character, theEnd)),
  RefusedHeader("{\"a", unexpected(11, character, theEnd)),
  RefusedHeader("{\"a\nb\":", unexpected(11, character, "byte 0xa")),
  RefusedHeader("{\"a\u{1f}b\":", unexpected(11, character, "byte 0x1f")),
  RefusedHeader("{\"a\0b\":", unexpected(11, character, "byte 0x0")),
  RefusedHeader("{\"\\", unexpected(11, escape, theEnd)),
  RefusedHeader("{\"\\x41\"", unexpected(11, escape, "'x'")),
  RefusedHeader("{\"\\'\"", unexpected(11, escape, "'''")),
  RefusedHeader("{\"\\U0041\"", unexpected(11, escape, "'U'")),
  RefusedHeader("{\"\\u\"", unexpected(12, fourDigits, "'\"'")),
  RefusedHeader("{\"\\u004\"", unexpected(15, fourDigits, "'\"'")),
  RefusedHeader("{\"\\u00g0\"", unexpected(14, fourDigits, "'g'")),
  RefusedHeader("{\"\\u+041\"", unexpected(12, fourDigits, "'+'")),
  RefusedHeader("{\"\\u00\u{ff11}1\"", unexpected(14, fourDigits, "byte 0xef")),
  RefusedHeader("{\"\\u00", unexpected(14, fourDigits, theEnd)),
  RefusedHeader("{\"\\ud83d\\u", unexpected(18, fourDigits, theEnd)),
  RefusedHeader("{\"\\ud83d\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ud83d", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ud83d\\", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"a\\ud83dx\"", .loneSurrogate(offset: 11)),
  RefusedHeader("{\"\\ud83d\\n\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ud83d\\u0041\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ud83d\\ud83d\\ude00\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ude00\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ude00\\ude00\"", .loneSurrogate(offset: 10)),
  RefusedHeader("{\"\\ude00\\ud83d\"", .loneSurrogate(offset: 10)),
]

/// What is wrong with a shape whose text is put in; the text starts at byte 22.
private let malformedShapes: [(String, SafetensorsError)] = [
  ("2", unexpected(22, "'[' opening the shape", "'2'")),
  ("null", unexpected(22, "'[' opening the shape", "'n'")),
  ("{}", unexpected(22, "'[' opening the shape", "'{'")),
  ("\"\"", unexpected(22, "'[' opening the shape", "'\"'")),
  ("[,]", unexpected(23, dimension, "','")),
  ("[-1]", unexpected(23, dimension, "'-'")),
  ("[-0]", unexpected(23, dimension, "'-'")),
  ("[+1]", unexpected(23, dimension, "'+'")),
  ("[.5]", unexpected(23, dimension, "'.'")),
  ("[NaN]", unexpected(23, dimension, "'N'")),
  ("[true]", unexpected(23, dimension, "'t'")),
  ("[\"1\"]", unexpected(23, dimension, "'\"'")),
  ("[[1]]", unexpected(23, dimension, "'['")),
  ("[\u{661}]", unexpected(23, dimension, "byte 0xd9")),
  ("[1,]", unexpected(25, dimension, "']'")),
  ("[1 2]", unexpected(25, arrayNext, "'2'")),
  ("[1.0]", unexpected(24, arrayNext, "'.'")),
  ("[1e2]", unexpected(24, arrayNext, "'e'")),
  ("[0x1]", unexpected(24, arrayNext, "'x'")),
  ("[01]", unexpected(24, arrayNext, "'1'")),
  ("[00]", unexpected(24, arrayNext, "'0'")),
  ("[1}", unexpected(24, arrayNext, "'}'")),
  ("[9223372036854775808]", .integerTooLarge(offset: 23)),
  ("[18446744073709551616]", .integerTooLarge(offset: 23)),
  ("[1,  99999999999999999999999]", .integerTooLarge(offset: 27)),
]

@Suite("Safetensors: malformed headers")
struct HeaderSyntaxTests {
  @Test("A header that is not JSON is refused at the first wrong byte", arguments: malformedObjects)
  func objects(refused: RefusedHeader) {
    #expect(decodingError(fileBytes(header: refused.header)) == refused.error)
  }

  @Test("A header with a malformed string is refused", arguments: malformedStrings)
  func strings(refused: RefusedHeader) {
    #expect(decodingError(fileBytes(header: refused.header)) == refused.error)
  }

  @Test("A header with a malformed shape is refused", arguments: malformedShapes)
  func shapes(shape: String, error: SafetensorsError) {
    let header = #"{"a":{"shape":\#(shape),"dtype":"U8","data_offsets":[0,0]}}"#
    #expect(decodingError(fileBytes(header: header)) == error)
  }

  @Test(
    "A header that is not UTF-8 is refused",
    arguments: [
      [0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
      [0xE2, 0x82], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func encoding(sequence: [UInt8]) {
    let header = Array("{\"a".utf8) + sequence + Array("\":{}}".utf8)
    #expect(decodingError(fileBytes(header: header)) == .headerNotUTF8(offset: 11))
    let cut = Array("{\"a".utf8) + sequence
    #expect(decodingError(fileBytes(header: cut)) == .headerNotUTF8(offset: 11))
  }

  @Test("A header that nests too deep is refused at its first bracket, however deep it goes")
  func nesting() {
    let deep = String(repeating: "[", count: 1_000_000)
    let entry = decodingError(fileBytes(header: "{\"a\":" + deep))
    #expect(entry == unexpected(13, "'{' opening a tensor's entry", "'['"))
    let shape = decodingError(fileBytes(header: "{\"a\":{\"shape\":" + deep))
    #expect(shape == unexpected(23, dimension, "'['"))
    let objects = String(repeating: "{\"a\":", count: 1_000_000)
    let error = SafetensorsError.unknownField(offset: 14, tensor: "a", field: "a")
    #expect(decodingError(fileBytes(header: objects)) == error)
  }
}

// MARK: - Entries that are no tensors, or do not fit the data

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

@Suite("Safetensors: tensor entries")
struct TensorEntryTests {
  @Test("A tensor's entry with missing, wrong or unknown fields is refused", arguments: wrongFields)
  func fields(refused: RefusedHeader) { expectRefusal(refused) }

  @Test(
    "A key given twice is refused, in an entry and in the header, escaped or not",
    arguments: repeatedKeys)
  func keys(refused: RefusedHeader) { expectRefusal(refused) }

  @Test(
    "A tensor's entry whose offsets do not fit its type and shape is refused", arguments: wrongSizes
  )
  func sizes(refused: RefusedHeader) { expectRefusal(refused) }

  @Test("Entries that overlap, leave holes or leave the data are refused", arguments: wrongOffsets)
  func offsets(refused: RefusedHeader) { expectRefusal(refused) }

  private func expectRefusal(_ refused: RefusedHeader) {
    let bytes = fileBytes(header: refused.header, dataLength: refused.dataLength)
    #expect(decodingError(bytes) == refused.error)
  }
}
