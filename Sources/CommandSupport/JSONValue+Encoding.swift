// Encoding as RFC 8259 has it: one line, no blanks between tokens.
//
// Characters that some readers take for line ends (U+0085, U+2028, U+2029) are escaped along with
// the control characters, so that one line is one line to everybody. All other text stays UTF-8.

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
      case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
