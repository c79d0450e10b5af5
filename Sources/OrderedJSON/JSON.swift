// JSON values whose keys stay in the order they were written, as text and back.
//
// A model file's recipe, metrics, a run's description and what `--json` prints are all of this
// type. (The header of a safetensors file has a stricter grammar of its own.) Foundation's encoder
// either sorts keys or leaves their order to chance, and costs start-up time.

/// A JSON value whose keys keep their order.
public enum JSONValue: Sendable, Equatable {
  /// Pairs in the order in which they are encoded; no key twice.
  case object([(key: String, value: JSONValue)])
  case array([JSONValue])
  case string(String)
  case integer(Int)
  /// For seeds, which take all 64 bits.
  case unsigned(UInt64)
  /// A number in its shortest form that reads back as the same Double; null if not finite, since
  /// JSON has no such numbers.
  case number(Double)
  /// The same for a Float: 0.1, not 0.10000000149011612.
  case float(Float)
  case bool(Bool)
  case null

  /// A Float in the shortest form that reads back as the same Float.
  public static func number(_ value: Float) -> JSONValue { .float(value) }

  /// Whether both have the same text: NaN equals null, and 2 differs from 2.0.
  public static func == (left: JSONValue, right: JSONValue) -> Bool {
    left.encoded() == right.encoded()
  }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { (key: $0, value: $1) })
  }

  public init(arrayLiteral elements: JSONValue...) {
    self = .array(elements)
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
}

// MARK: - Encoding
//
// As RFC 8259 has it, on one line, without blanks between tokens. Characters that some readers take
// for line ends (U+0085, U+2028, U+2029) are escaped along with the control characters, so that one
// line is one line to every reader; and so are the marks that change the direction of what follows
// them. All other text stays UTF-8.

extension JSONValue {
  /// This value as JSON on one line, with no line end.
  /// - Precondition: no object has a key twice.
  public func encoded() -> String {
    var text = ""
    encode(into: &text)
    return text
  }

  private func encode(into text: inout String) {
    switch self {
    case .object(let pairs): Self.encode(pairs, into: &text)
    case .array(let elements): Self.encode(elements, into: &text)
    case .string(let string): Self.encode(string, into: &text)
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    // Swift's description is the shortest that round-trips, and is a JSON number: 0.1, 1e-05.
    case .number(let value): text += value.isFinite ? value.description : "null"
    case .float(let value): text += value.isFinite ? value.description : "null"
    case .bool(let value): text += value ? "true" : "false"
    case .null: text += "null"
    }
  }

  private static func encode(_ pairs: [(key: String, value: JSONValue)], into text: inout String) {
    guard Set(pairs.map(\.key)).count == pairs.count else {
      fatalError("JSON object with a key twice: \(pairs.map(\.key))")
    }
    text += "{"
    for (index, pair) in pairs.enumerated() {
      if index > 0 { text += "," }
      encode(pair.key, into: &text)
      text += ":"
      pair.value.encode(into: &text)
    }
    text += "}"
  }

  private static func encode(_ elements: [JSONValue], into text: inout String) {
    text += "["
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      element.encode(into: &text)
    }
    text += "]"
  }

  private static func encode(_ string: String, into text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{61C}",
        "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

// MARK: - Reading
//
// A model file carries its recipe as JSON, a run its description and metrics, and any of them may
// be damaged or written by hand. So the reader is strict (RFC 8259): one value, no key twice, no
// lone surrogate, a limit on depth, and no number beyond the range of a Double. Whatever the text
// is, it returns or throws.

/// Why a text is not JSON.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where, in bytes from the beginning of the text.
  public let offset: Int
  /// What should be there instead.
  public let expected: String

  /// The place and what was expected, in one line.
  public var description: String { "byte \(offset): expected \(expected)" }
}

extension JSONValue {
  /// Reads one value; white space may stand around it and between its tokens.
  ///
  /// Numbers without fraction and exponent become `integer`, or `unsigned` where only that holds
  /// them; all others become `number`.
  /// - Throws: `JSONSyntaxError`: where it stops being JSON, and what was expected there.
  public init(parsing text: String) throws(JSONSyntaxError) {
    var reader = JSONReader(bytes: Array(text.utf8))
    self = try reader.document()
  }
}

// MARK: - Access

extension JSONValue {
  /// The value of a key; nil if it is missing or this is not an object.
  public subscript(key: String) -> JSONValue? { pairs?.first { $0.key == key }?.value }

  /// The pairs of an object, in their order.
  public var pairs: [(key: String, value: JSONValue)]? {
    if case .object(let pairs) = self { pairs } else { nil }
  }

  /// The elements of an array; nil for anything else.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The text of a string; nil for anything else.
  public var text: String? { if case .string(let text) = self { text } else { nil } }

  /// True or false; nil for anything else.
  public var boolean: Bool? { if case .bool(let boolean) = self { boolean } else { nil } }

  /// Whether this is null.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// A number of any kind; a whole one above 2⁵³ is rounded.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    case .float(let value): Double(value.description)
    default: nil
    }
  }

  /// A number as the Float that is nearest to its decimal digits.
  public var float: Float? {
    if case .float(let value) = self { return value }
    // From the shortest digits: rounding to Double and then to Float could be off by one bit.
    return double.flatMap { Float($0.description) }
  }

  /// A whole number that fits the type, whether written 200000 or 2e5.
  public func whole<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value? {
    switch self {
    case .integer(let value): Value(exactly: value)
    case .unsigned(let value): Value(exactly: value)
    default: double.flatMap { Value(exactly: $0) }
    }
  }
}

// MARK: - The grammar

private struct JSONReader {
  let bytes: [UInt8]
  var index = 0

  /// Deeper values are refused, so that no text exhausts the stack.
  static let depthLimit = 128
  /// The most bytes of a key: Swift hashes a key of nothing but combining marks in the square of its
  /// length.
  static let keyLimit = 4096

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value(depth: 0)
    skipWhiteSpace()
    guard index == bytes.count else { throw unexpected("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    skipWhiteSpace()
    guard let byte = peek else { throw unexpected("a value") }
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < Self.depthLimit else {
        throw unexpected("at most \(Self.depthLimit) levels of nesting")
      }
      return byte == UInt8(ascii: "{") ? try object(depth) : try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw unexpected("a value")
    }
  }

  private mutating func object(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
    index += 1
    var pairs: [(key: String, value: JSONValue)] = []
    var keys: Set<String> = []
    if skip("}") { return .object([]) }
    repeat {
      skipWhiteSpace()
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a key") }
      let start = index
      let key = try string()
      guard key.utf8.count <= Self.keyLimit else {
        throw JSONSyntaxError(offset: start, expected: "a key of at most \(Self.keyLimit) bytes")
      }
      guard keys.insert(key).inserted else {
        throw JSONSyntaxError(offset: start, expected: "every key once, found \"\(key)\" again")
      }
      guard skip(":") else { throw unexpected("':'") }
      pairs.append((key, try value(depth: depth + 1)))
    } while skip(",")
    guard skip("}") else { throw unexpected("',' or '}'") }
    return .object(pairs)
  }

  private mutating func array(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
    index += 1
    var elements: [JSONValue] = []
    if skip("]") { return .array([]) }
    repeat { elements.append(try value(depth: depth + 1)) } while skip(",")
    guard skip("]") else { throw unexpected("',' or ']'") }
    return .array(elements)
  }

  private mutating func word(
    _ word: String, _ value: JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    guard bytes[index...].starts(with: word.utf8) else { throw unexpected("a value") }
    index += word.utf8.count
    return value
  }
}

// MARK: Numbers

extension JSONReader {
  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = index
    skipByte("-")
    if !skipByte("0") { try digits() }
    let wholeEnd = index
    if skipByte(".") { try digits() }
    if skipByte("e") || skipByte("E") {
      if !skipByte("+") { skipByte("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    // A negative zero has no integer.
    if index == wholeEnd, text != "-0" {
      if let value = Int(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
    }
    guard let value = Double(text), value.isFinite else {
      throw JSONSyntaxError(offset: start, expected: "a number within the range of a Double")
    }
    return .number(value)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = index
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    guard index > start else { throw unexpected("a digit") }
  }
}

// MARK: Strings

extension JSONReader {
  private mutating func string() throws(JSONSyntaxError) -> String {
    index += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        index += 1
        try text.append(contentsOf: escaped())
      case ..<0x20: throw unexpected("an escaped control character")
      default:
        text.append(byte)
        index += 1
      }
    }
    throw unexpected("'\"' that ends a string")
  }

  /// What stands after a backslash, as UTF-8.
  private mutating func escaped() throws(JSONSyntaxError) -> [UInt8] {
    guard let byte = peek else { throw unexpected("a character after '\\'") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try Array(String(scalar()).utf8)
    default:
      index -= 1
      throw unexpected("one of \"\\/bfnrtu after '\\'")
    }
  }

  /// The scalar of a `\u` escape, or of the two that are a surrogate pair.
  private mutating func scalar() throws(JSONSyntaxError) -> Unicode.Scalar {
    let start = index
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if UTF16.isLeadSurrogate(first), skipByte("\\"), skipByte("u") {
      let second = try codeUnit()
      if UTF16.isTrailSurrogate(second) {
        let bits = UInt32(first - 0xD800) << 10 | UInt32(second - 0xDC00)
        if let scalar = Unicode.Scalar(0x1_0000 + bits) { return scalar }
      }
    }
    throw JSONSyntaxError(offset: start, expected: "both halves of a surrogate pair")
  }

  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
      index += 1
    }
    return value
  }
}

// MARK: The cursor

extension JSONReader {
  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipWhiteSpace() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
  }

  @discardableResult
  private mutating func skipByte(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  /// Skips white space, then the character if it comes next.
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipWhiteSpace()
    return skipByte(character)
  }

  private func unexpected(_ expected: String) -> JSONSyntaxError {
    JSONSyntaxError(offset: index, expected: expected)
  }
}
