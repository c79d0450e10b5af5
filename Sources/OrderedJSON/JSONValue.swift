// A JSON value whose keys stay in the order they were written.
//
// A model file's recipe, metrics, a run's description and what `--json` prints are all of this type: it is
// the only JSON that the package writes, and JSONReader the only way in. (The header of a safetensors file
// has a stricter grammar of its own.) Foundation's encoder either sorts keys or leaves their order to
// chance, and costs start-up time.

/// A value for machines to read.
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

// As RFC 8259 has it, on one line, no blanks between tokens. Characters that some readers take for line ends (U+0085, U+2028, U+2029) are escaped along with
// the control characters, so that one line is one line to everybody; and so are the marks that change the
// direction of what follows them. All other text stays UTF-8.

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
    precondition(
      Set(pairs.map(\.key)).count == pairs.count,
      "JSON object with a key twice: \(pairs.map(\.key))")
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
