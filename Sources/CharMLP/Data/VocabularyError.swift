// What can be wrong with a vocabulary that was stored, or with a word that is to be expressed in one.
//
// Both come from the world: a model file, a prefix on a command line, another word list. Messages are
// one line of text and name the symbol by its code point, since it may not be visible.

/// Why symbols do not make a vocabulary, or a word cannot be encoded.
public enum VocabularyError: Error, Equatable, Sendable {
  /// A vocabulary without a symbol besides the terminator.
  case noSymbols
  /// A stored symbol that is not greater than the one before it; `index` counts from 0.
  case notAscending(index: Int, symbol: Unicode.Scalar)
  /// A stored symbol that no word can hold; `index` counts from 0.
  case refusedSymbol(index: Int, symbol: Unicode.Scalar)
  /// A character of a word that the vocabulary does not know.
  case unknownSymbol(Unicode.Scalar)
}

extension VocabularyError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noSymbols:
      "the vocabulary has no symbols; expected at least one"
    case .notAscending(let index, let symbol):
      "symbol \(index) of the vocabulary, \(symbol.codePoint), is out of order; "
        + "expected distinct symbols in ascending order"
    case .refusedSymbol(let index, let symbol):
      "symbol \(index) of the vocabulary, \(symbol.codePoint), is "
        + "\(symbol.reasonRefused ?? "not accepted"), which no word can hold"
    case .unknownSymbol(let symbol):
      "the character \(symbol.reasonRefused == nil ? "\"\(symbol)\" " : "")(\(symbol.codePoint)) "
        + "is not in the vocabulary; use characters of the word list only"
    }
  }
}
