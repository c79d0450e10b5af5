// The encoder against texts written by hand and against another implementation's decoder.
// Foundation is that other implementation; the encoder itself does without it.

import Foundation
import OrderedJSON
import Testing

@Suite struct JSONValueTests {
  @Test("Keys stay in the order they were written, on one line without blanks")
  func order() {
    let value: JSONValue = [
      "steps": 200_000, "loss": ["val": 2.1043, "train": .number(Float(0.1))],
      "samples": ["anna", "zoë"], "empty": [[:], []], "done": true, "model": nil,
    ]
    #expect(
      value.encoded()
        == #"{"steps":200000,"loss":{"val":2.1043,"train":0.1},"samples":["anna","zoë"],"#
        + #""empty":[{},[]],"done":true,"model":null}"#)
  }

  @Test(
    "A number is the shortest that reads back the same; what JSON cannot say is null",
    arguments: [
      (JSONValue.number(0.1), "0.1"), (.number(-0.0), "-0.0"), (.number(1e-5), "1e-05"),
      (.number(1e300), "1e+300"), (.number(Double.leastNonzeroMagnitude), "5e-324"),
      (.number(Double.nan), "null"),
      (.number(-Double.infinity), "null"), (.number(Float.nan), "null"),
      (.number(Float.greatestFiniteMagnitude), "3.4028235e+38"),
      (.integer(.min), "-9223372036854775808"), (.unsigned(.max), "18446744073709551615"),
    ])
  func numbers(value: JSONValue, text: String) {
    #expect(value.encoded() == text)
  }

  @Test("Every number reads back as the same bits")
  func roundTrip() throws {
    // Steps of a large odd number visit signs, exponents and significands evenly.
    let patterns = (0..<1000).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
    for value in patterns.map(Double.init(bitPattern:)) where value.isFinite {
      let data = Data(JSONValue.array([.number(value)]).encoded().utf8)
      #expect(try JSONDecoder().decode([Double].self, from: data) == [value])
    }
  }

  @Test(
    "Quotes, backslashes and whatever ends a line are escaped",
    arguments: [
      ("a\"b\\c/", #""a\"b\\c/""#), ("\n\r\t", #""\n\r\t""#), ("\0\u{1F}", #""\u0000\u001f""#),
      ("\r\n", #""\r\n""#), ("\u{7F}\u{85}", #""\u007f\u0085""#),
      ("\u{2028}\u{2029}", #""\u2028\u2029""#), ("e\u{301}", "\"e\u{301}\""), ("🙂名", #""🙂名""#),
    ])
  func escapes(string: String, text: String) {
    #expect(JSONValue.string(string).encoded() == text)
    #expect(JSONValue.object([(key: string, value: 1)]).encoded() == "{\(text):1}")
  }

  @Test("Another decoder reads every Unicode scalar back, from one line")
  func everyScalar() throws {
    for start in stride(from: UInt32(0), to: 0x11_0000, by: 0x1000) {
      let scalars = (start..<start + 0x1000).compactMap(Unicode.Scalar.init)
      var string = ""
      string.unicodeScalars.append(contentsOf: scalars)
      let text = JSONValue.array([.string(string)]).encoded()
      #expect(!text.contains { $0.isNewline })
      let decoded = try JSONDecoder().decode([String].self, from: Data(text.utf8))
      #expect(decoded.first?.unicodeScalars.elementsEqual(scalars) == true)
    }
  }

  @Test("A key twice is a programming error")
  func keyTwice() async {
    await #expect(processExitsWith: .failure) {
      _ = JSONValue.object([(key: "a", value: 1), (key: "a", value: 2)]).encoded()
    }
  }
}
