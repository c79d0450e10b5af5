// A JSON value whose keys stay in the order they were written.
//
// `--json` prints one line with stable keys, and metrics are one line each. Foundation's encoder
// either sorts keys or leaves their order to chance, and costs start-up time. This only encodes:
// what the commands print, others parse.

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
  case bool(Bool)
  case null

  /// A Float in the shortest form that reads back as the same Float: 0.1, not 0.10000000149011612.
  public static func number(_ value: Float) -> JSONValue {
    .number(Double(value.description) ?? .nan)
  }

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
