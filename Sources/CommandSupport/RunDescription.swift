// run.json: when, where and how a run was made, a part for its start and for each time it was resumed.
//
// It is all that is not the model, so that two runs that learned the same have equal model files. Training
// writes it and reports read it; both take what is there, since it may be missing, older, newer or changed by
// hand. What a part holds is its writer's business. docs/metrics.md lists the keys.

public import OrderedJSON

/// When, where and how a run was made.
public struct RunDescription: Equatable, Sendable {
  /// The parts of the run in their order, each an object. Of a file from before there were parts, the one
  /// that it tells of; none if the file is missing or strange.
  public private(set) var parts: [JSONValue] = []
  /// The pairs that stand beside the parts: those of the last part.
  private var pairs: [(key: String, value: JSONValue)] = []

  private static let partsKey = "parts"

  /// Reads a file's text; nil if there is none.
  public init(_ text: String?) {
    guard let json = text.flatMap({ try? JSONValue(parsing: $0) }), let pairs = json.pairs else {
      return
    }
    self.pairs = pairs.filter { $0.key != Self.partsKey }
    if let list = json[Self.partsKey] {
      let elements = list.elements ?? []
      parts = elements.allSatisfy { $0.pairs != nil } ? elements : []
    } else if !pairs.isEmpty {
      parts = [json]
    }
  }

  /// Adds a part.
  /// - Precondition: it is an object.
  public mutating func append(_ part: JSONValue) {
    guard let pairs = part.pairs else { preconditionFailure("RunDescription: a part is an object") }
    parts.append(part)
    self.pairs = pairs
  }

  /// Puts a part into the place of the last one.
  public mutating func replaceLast(with part: JSONValue) {
    parts.removeLast()
    append(part)
  }

  /// The file's object: the last part's keys, so that whoever knows of no parts finds what was there before
  /// there were any, and all parts.
  public var json: JSONValue { .object(pairs + [(key: Self.partsKey, value: .array(parts))]) }

  public static func == (left: RunDescription, right: RunDescription) -> Bool {
    left.json == right.json
  }
}

// MARK: - What a resumed run asks

extension RunDescription {
  /// Whether the last part is known to have come to its end.
  public var isComplete: Bool { parts.last?["finished_at"]?.text != nil }

  /// The kernels of the last part, if it names any.
  public var lastCore: String? {
    guard let core = parts.last?["blas_core"]?.text, !core.isEmpty, core.utf8.count <= 40,
      core.unicodeScalars.allSatisfy({ $0.isASCII && $0.properties.isAlphabetic || $0.isDigit })
    else { return nil }
    return core
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

// MARK: - What a report shows

extension RunDescription {
  /// The words of the command line that started the run.
  public var commandLine: [String] {
    let words = parts.first.map { $0["command_line"] } ?? self["command_line"]
    return words?.elements?.compactMap(\.text) ?? []
  }

  /// A number of the last part.
  public func number(_ key: String) -> Double? { self[key]?.double }

  /// All values of the last part but the command line, in the order of their keys; those of nested objects
  /// under `outer.inner`.
  public var all: [(key: String, value: String)] {
    var values: [String: String] = [:]
    for (key, value) in pairs where key != "command_line" {
      Self.flatten(value, into: &values, under: key)
    }
    return values.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }

  private subscript(key: String) -> JSONValue? { pairs.first { $0.key == key }?.value }

  private static func flatten(
    _ json: JSONValue, into values: inout [String: String], under key: String
  ) {
    switch json {
    case .object(let pairs):
      for (name, value) in pairs { flatten(value, into: &values, under: "\(key).\(name)") }
    case .array(let elements): values[key] = elements.compactMap(\.text).joined(separator: " ")
    case .null: break
    default: values[key] = json.text ?? json.encoded()
    }
  }
}
