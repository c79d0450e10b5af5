// Words to numbers and back, one word at a time: for prefixes, samples and messages.
//
// Whole lists are encoded by EncodedWords, which has the fast loop. Unlike there, a word is here taken
// as it stands: nothing is trimmed, and no terminator is added.

extension Vocabulary {
  /// The numbers of a word's characters, without a terminator.
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public func encode(_ word: String) throws(VocabularyError) -> [Int32] {
    var ids: [Int32] = []
    for scalar in word.unicodeScalars {
      guard let id = id(of: scalar) else { throw .unknownSymbol(scalar) }
      ids.append(id)
    }
    return ids
  }

  /// The word that the numbers spell, up to their first terminator or their end.
  ///
  /// - Precondition: the numbers are in 0..<count.
  public func decode(_ ids: some Sequence<Int32>) -> String {
    var word = ""
    for id in ids {
      guard let symbol = symbol(of: id) else { break }
      word.unicodeScalars.append(symbol)
    }
    return word
  }

  /// Appends the word that the numbers spell, in UTF-8: for millions of words.
  ///
  /// - Precondition: the numbers are in 1..<count.
  public func append(_ ids: [Int32], to utf8: inout [UInt8]) {
    for id in ids {
      let symbol = symbols[Int(id) - 1]
      if symbol.isASCII {
        utf8.append(UInt8(truncatingIfNeeded: symbol.value))
      } else {
        utf8.append(contentsOf: String(symbol).utf8)
      }
    }
  }

  /// The numbers for people to read, such as `..e` for a context: every terminator is shown.
  ///
  /// - Precondition: the numbers are in 0..<count.
  public func display(_ ids: some Sequence<Int32>) -> String {
    let sign = terminatorSign
    var text = ""
    for id in ids { text.unicodeScalars.append(symbol(of: id) ?? sign) }
    return text
  }

  /// How to show the terminator: "." as in the lecture, unless that is a symbol; then "␃" (U+2403,
  /// symbol for end of text), or the next scalar after it that is not a symbol.
  public var terminatorSign: Unicode.Scalar {
    let dot: Unicode.Scalar = "."
    guard id(of: dot) != nil else { return dot }
    let others = (0x2403...0x10FFFF as ClosedRange<UInt32>).lazy.compactMap { Unicode.Scalar($0) }
    return others.first { id(of: $0) == nil } ?? dot
  }
}
