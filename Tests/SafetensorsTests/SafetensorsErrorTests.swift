// What an error says: one line, whatever a hostile file put into a name.

import Safetensors
import Testing

private let hostileName = "a\n\r\"\\\u{1b}[31m\u{85}\u{9b}\u{2028}\u{202e}b"
private let shownName = #""a\u{a}\u{d}\"\\\u{1b}[31m\u{85}\u{9b}\u{2028}\u{202e}b""#

private let errors: [SafetensorsError] = [
  .fileTooShort(byteCount: 3), .headerTooLong(length: .max, limit: 5),
  .headerTruncated(length: 9, available: 1), .headerNotUTF8(offset: 9),
  .unexpected(offset: 9, expected: "'{'", found: "'x'"), .loneSurrogate(offset: 9),
  .integerTooLarge(offset: 9), .keyTooLong(offset: 9, limit: 5),
  .duplicateKey(offset: 9, key: hostileName),
  .unknownField(offset: 9, tensor: hostileName, field: hostileName),
  .missingField(tensor: hostileName, field: "dtype"),
  .unknownDataType(offset: 9, tensor: hostileName, found: hostileName),
  .rankTooHigh(tensor: hostileName, limit: 64), .offsetCountNotTwo(tensor: hostileName),
  .shapeOverflow(tensor: hostileName, dataType: .float32, shape: [.max, 2]),
  .partialByte(tensor: hostileName, dataType: .float4, shape: [3]),
  .offsetsReversed(tensor: hostileName, start: 2, end: 1),
  .offsetBeyondData(tensor: hostileName, end: 2, dataLength: 1),
  .byteCountMismatch(tensor: hostileName, expected: 2, found: 1),
  .overlap(tensor: hostileName, start: 1, covered: 2),
  .hole(tensor: hostileName, start: 2, covered: 1), .trailingBytes(covered: 1, dataLength: 2),
  .reservedName, .nameTooLong(name: hostileName, limit: 2), .tensorNotFound(name: hostileName),
  .dataTypeMismatch(tensor: hostileName, expected: .float32, found: .float64),
  .dataTypeMismatch(tensor: nil, expected: .float32, found: .float64),
]

@Suite("Safetensors: error messages")
struct SafetensorsErrorTests {
  @Test("An error's description is one line without control characters", arguments: errors)
  func oneLine(error: SafetensorsError) {
    let unwanted: [Unicode.GeneralCategory] = [
      .control, .format, .lineSeparator, .paragraphSeparator,
    ]
    for scalar in error.description.unicodeScalars {
      #expect(!unwanted.contains(scalar.properties.generalCategory))
    }
    #expect(error.description.contains("expected"))
    #expect(error.description.contains("found"))
  }

  @Test("An error's description quotes names and escapes what cannot be printed")
  func quotation() {
    let error = SafetensorsError.tensorNotFound(name: hostileName)
    #expect(error.description == "expected a tensor \(shownName), found none")
    let visible = SafetensorsError.duplicateKey(offset: 17, key: "größe 模型")
    #expect(visible.description == "byte 17: expected every key once, found \"größe 模型\" again")
  }

  @Test("An error's description cuts long names", arguments: [(64, ""), (65, "…"), (100_000, "…")])
  func cutting(length: Int, ellipsis: String) {
    let name = String(repeating: "n", count: length)
    let shown = String(repeating: "n", count: 64)
    let error = SafetensorsError.tensorNotFound(name: name)
    #expect(error.description == "expected a tensor \"\(shown)\"\(ellipsis), found none")
  }

  @Test("An error's description says where, what was expected, and what was found")
  func content() {
    let mismatch = SafetensorsError.byteCountMismatch(tensor: "W1", expected: 24, found: 20)
    #expect(
      mismatch.description
        == "tensor \"W1\": expected 24 bytes for its dtype and shape, found offsets that span 20")
    let syntax = decodingError(fileBytes(header: "{} x"))
    #expect(
      syntax?.description
        == "byte 11: expected only spaces after the header's last brace, found 'x'"
    )
  }
}
