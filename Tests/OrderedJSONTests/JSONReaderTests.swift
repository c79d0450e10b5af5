// The reader against what the writer made, against texts written by hand, and against damage.

import OrderedJSON
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
  @Test("Encoded JSON reads back bit for bit and in the same order")
  func roundTrip() throws {
    let value: JSONValue = [
      "b": [1, -7, .unsigned(.max), 0.1, .number(-0.0), .number(1e-300), .number(Float(0.1))],
      "a": ["text": "\"\\/\u{1}\u{7F}\u{2028}é🙂", "none": nil, "yes": true, "no": false],
      "": [[:], []],
    ]
    #expect(try JSONValue(parsing: value.encoded()).encoded() == value.encoded())
  }

  @Test("White space may stand between tokens, and every escape is understood")
  func spaces() throws {
    let text =
      " { \"a\" :\t[ 1 ,\r\n2 ] , \"b\" : \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude42\" } \n"
    let value = try JSONValue(parsing: text)
    #expect(value["a"] == [1, 2])
    #expect(value["b"]?.text == "\"\\/\u{8}\u{C}\n\r\tA🙂")
    #expect(value["c"] == nil)
  }

  @Test(
    "A key has at most 4,096 bytes, since hashing combining marks takes the square of their number")
  func longKeys() throws {
    let key = String(repeating: "\u{301}", count: 2048)
    #expect(try JSONValue(parsing: "{\"\(key)\": 1}").pairs?.count == 1)
    let error = #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: "{\"\(key)\u{301}\": 1}")
    }
    #expect(error?.description == "byte 1: expected a key of at most 4096 bytes")
  }

  @Test(
    "A number keeps its kind",
    arguments: [
      ("0", JSONValue.integer(0)), ("-12", .integer(-12)),
      ("9223372036854775808", .unsigned(1 << 63)),
      ("18446744073709551616", .number(1.8446744073709552e19)), ("-0", .number(-0.0)),
      ("1.50", .number(1.5)), ("2E+3", .number(2000.0)), ("1e-400", .number(0.0)),
    ])
  func numbers(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
  }

  @Test("A whole number is one however it is written, and a Float comes from its own digits")
  func accessors() throws {
    #expect(try JSONValue(parsing: "2e5").whole(as: Int.self) == 200_000)
    #expect(try JSONValue(parsing: "2.5").whole(as: Int.self) == nil)
    #expect(try JSONValue(parsing: "-1").whole(as: UInt64.self) == nil)
    #expect(try JSONValue(parsing: "18446744073709551615").whole() == UInt64.max)
    #expect(try JSONValue(parsing: "\"1\"").double == nil)
    // Every Float's own digits give that Float again.
    for pattern in (0..<1000).map({ UInt32($0) &* 0x9E37_79B9 }) {
      let value = Float(bitPattern: pattern)
      guard value.isFinite else { continue }
      #expect(try JSONValue(parsing: value.description).float == value)
    }
  }

  @Test(
    "What is not JSON is refused, with the place",
    arguments: [
      ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{\"a\" 1}", 5),
      ("[1 2]", 3), ("1 2", 2), ("01", 1), ("-", 1), ("1.", 2), (".5", 0), ("1e", 2), ("+1", 0),
      ("0x10", 1), ("NaN", 0), ("nan", 0), ("Infinity", 0), ("1e400", 0), ("tru", 0), ("'a'", 0),
      ("\"a", 2), ("\"\n\"", 1), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 3),
      ("\"\\ud800\\u0041\"", 3), ("\"\\udc00\"", 3), ("{\"a\":1,\"a\":2}", 7), ("[1]\0", 3),
    ])
  func refused(text: String, offset: Int) {
    #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONSyntaxError)?.offset == offset }
  }

  @Test("Depth has a limit, far below what exhausts a stack")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONValue(parsing: nested(128))
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(129)) }
    #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000))
    }
  }
}
