// What words may be asked for, in the words of whoever asks.
//
// Constraints condition the chain: of all words that it makes, those that meet every constraint, each as
// probable as before among them. How that is done is the business of WordLanguage and what follows it.

/// Conditions on whole words, all of which hold at once. Characters are Unicode scalars.
public struct WordConstraints: Equatable, Sendable {
  /// The fewest characters; 0 lets the empty word in.
  public var minLength = 1
  /// The most characters, or nil.
  public var maxLength: Int?
  /// What every word begins with.
  public var prefix = ""
  /// What every word ends with.
  public var suffix = ""
  /// What every word contains, each somewhere.
  public var contains: [String] = []
  /// Characters that no word has.
  public var avoid = ""

  /// No condition but that a word has a character.
  public init() {}
}

/// Why no word can be asked for in this way.
public enum ConstraintError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A character that the model does not know, in the named constraint.
  case unknownSymbol(Unicode.Scalar, in: String)
  /// No word at all meets all constraints, whatever the model.
  case impossible(String)
  /// The constraints together need more states than are kept.
  case tooComplex(limit: Int)

  public var description: String {
    switch self {
    case .unknownSymbol(let symbol, let place):
      "\(place): \(VocabularyError.unknownSymbol(symbol))"
    case .impossible(let constraints): "no word can meet this: \(constraints)"
    case .tooComplex(let limit):
      "the constraints together have more than \(limit) states; ask for less at once"
    }
  }
}

extension WordConstraints: CustomStringConvertible {
  public var description: String {
    var parts: [String] = []
    if minLength > 1 { parts.append("at least \(minLength) characters") }
    if let maxLength { parts.append("at most \(maxLength) characters") }
    if !prefix.isEmpty { parts.append("begins with \"\(prefix)\"") }
    if !suffix.isEmpty { parts.append("ends with \"\(suffix)\"") }
    for part in contains where !part.isEmpty { parts.append("contains \"\(part)\"") }
    if !avoid.isEmpty { parts.append("avoids \"\(avoid)\"") }
    return parts.isEmpty ? "no constraint" : parts.joined(separator: ", ")
  }
}
