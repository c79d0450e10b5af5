// Headers that look unusual and are correct, so that strictness does not become stubbornness.

import Safetensors
import Testing

@Suite("An unusual but correct header")
struct HeaderAcceptanceTests {
  @Test(
    "may have white space between tokens and no padding",
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

  @Test("may list tensors in another order than their data")
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

  @Test("may put metadata after the tensors, and anything into their values")
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
    "may escape characters in every way JSON knows",
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
