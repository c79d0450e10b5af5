// run.json, as far as it is understood: a list of names and values to show.

import FoundationEssentials

/// When, where and how a run was made.
struct RunDescription: Equatable, Sendable {
  /// Values by key; those of nested objects under `outer.inner`.
  private let values: [String: String]
  /// The words of the command line.
  let commandLine: [String]

  /// Reads run.json; what is no object has no values.
  init(_ text: String?) {
    let tree = text.flatMap { try? JSONDecoder().decode(Tree.self, from: Data($0.utf8)) }
    var values: [String: String] = [:]
    tree?.flatten(into: &values, under: "")
    self.values = values
    if case .object(let pairs) = tree, case .array(let words) = pairs["command_line"] {
      commandLine = words.compactMap { if case .text(let word) = $0 { word } else { nil } }
    } else {
      commandLine = []
    }
  }

  subscript(key: String) -> String? { values[key] }

  func number(_ key: String) -> Double? { values[key].flatMap(Double.init) }

  /// All values but the command line, in the order of their keys.
  var all: [(key: String, value: String)] {
    values.filter { $0.key != "command_line" }.sorted { $0.key < $1.key }
      .map { (key: $0.key, value: $0.value) }
  }

  /// JSON of any form.
  private enum Tree: Decodable {
    case object([String: Tree])
    case array([Tree])
    case text(String)
    case none

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let pairs = try? container.decode([String: Tree].self) {
        self = .object(pairs)
      } else if let elements = try? container.decode([Tree].self) {
        self = .array(elements)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let truth = try? container.decode(Bool.self) {
        self = .text("\(truth)")
      } else if let whole = try? container.decode(Int.self) {
        self = .text("\(whole)")
      } else if let number = try? container.decode(Double.self) {
        self = .text("\(number)")
      } else {
        self = .none
      }
    }

    func flatten(into values: inout [String: String], under key: String) {
      switch self {
      case .object(let pairs):
        for (name, tree) in pairs {
          tree.flatten(into: &values, under: key.isEmpty ? name : "\(key).\(name)")
        }
      case .array(let elements):
        values[key] = elements.compactMap { if case .text(let text) = $0 { text } else { nil } }
          .joined(separator: " ")
      case .text(let text): values[key] = text
      case .none: break
      }
    }
  }
}
