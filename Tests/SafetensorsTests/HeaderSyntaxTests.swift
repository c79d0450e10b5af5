// Headers that are not the JSON they must be, each with the place and the mistake.
//
// Offsets count from the start of the file: the header's first byte is byte 8.

import Safetensors
import Testing

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

@Suite("A malformed header")
struct HeaderSyntaxTests {
  @Test("is refused where it stops being JSON", arguments: malformedObjects)
  func objects(refused: RefusedHeader) {
    #expect(decodingError(fileBytes(header: refused.header)) == refused.error)
  }

  @Test("is refused when a string is malformed", arguments: malformedStrings)
  func strings(refused: RefusedHeader) {
    #expect(decodingError(fileBytes(header: refused.header)) == refused.error)
  }

  @Test("is refused when a shape is malformed", arguments: malformedShapes)
  func shapes(shape: String, error: SafetensorsError) {
    let header = #"{"a":{"shape":\#(shape),"dtype":"U8","data_offsets":[0,0]}}"#
    #expect(decodingError(fileBytes(header: header)) == error)
  }

  @Test(
    "is refused when it is not UTF-8",
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

  @Test("is refused at its first bracket, however deep it nests")
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
