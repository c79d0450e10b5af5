// The symbols of a word list and their numbers.
//
// The lecture's stoi and itos: the distinct characters, sorted, numbered from 1; number 0 ends (and, as
// padding, precedes) every word. The lecture writes that terminator as "."; here it is no character at
// all, so that a list may hold full stops, and only `terminatorSign` says how to show it.
//
// A symbol is found through pages of 256 numbers, as many as the list has use for, so that thousands of
// symbols cost no more per character than twenty-six.

/// The distinct symbols of a word list, in ascending order, numbered 1…n; 0 is the terminator.
public struct Vocabulary: Sendable {
  /// The number that ends a word; it stands for no character.
  public static let terminator: Int32 = 0

  /// The symbols; the one with number `id` is `symbols[id - 1]`: (count - 1).
  public let symbols: [Unicode.Scalar]

  /// Where the page of 256 scalars starts in `pageEntries`: (0x1100).
  let pageStarts: [Int32]

  /// Numbers of scalars, page by page: `absent`, 0 for line feed, or the number of a symbol.
  ///
  /// Line feed ends a word in a list's text as the terminator ends it in numbers, so that a text is
  /// encoded in one sweep. The first page is the one shared by all scalars that have none.
  let pageEntries: [Int32]

  /// The entry of a scalar that is not a symbol.
  static let absent: Int32 = -1

  /// The vocabulary of all words of a list.
  public init(of words: WordList) {
    self.init(ascending: Self.distinctScalars(of: words))
  }

  /// The vocabulary of all symbols that occur in some lists of them, in any order; at least one.
  init(ofSymbols lists: [[Unicode.Scalar]]) {
    self.init(ascending: lists.reduce(into: Set()) { $0.formUnion($1) }.sorted())
  }

  /// A vocabulary that was stored.
  /// - Throws: `VocabularyError` unless the symbols are strictly ascending, at least one, and such as
  ///   words can hold.
  public init(symbols: [Unicode.Scalar]) throws(VocabularyError) {
    guard !symbols.isEmpty else { throw .noSymbols }
    for (index, symbol) in symbols.enumerated() {
      guard symbol.reasonRefused == nil else {
        throw .refusedSymbol(index: index, symbol: symbol)
      }
      guard index == 0 || symbols[index - 1] < symbol else {
        throw .notAscending(index: index, symbol: symbol)
      }
    }
    self.init(ascending: symbols)
  }

  private init(ascending symbols: [Unicode.Scalar]) {
    var starts = [Int32](repeating: 0, count: 0x1100)
    var entries = [Int32](repeating: Self.absent, count: 2 * 256)
    starts[0] = 256  // ASCII's page always exists, for line feed
    entries[256 + 0x0A] = Self.terminator
    for (index, symbol) in symbols.enumerated() {
      let (page, offset) = (Int(symbol.value >> 8), Int(symbol.value & 0xFF))
      if starts[page] == 0 {
        starts[page] = Int32(entries.count)
        entries.append(contentsOf: repeatElement(Self.absent, count: 256))
      }
      entries[Int(starts[page]) + offset] = Int32(index + 1)
    }
    self.symbols = symbols
    pageStarts = starts
    pageEntries = entries
  }

  /// All scalars of a list's words, ascending: one sweep that marks bits, one that collects them.
  private static func distinctScalars(of words: WordList) -> [Unicode.Scalar] {
    let bytes = words.utf8.span
    var seen = [UInt64](repeating: 0, count: 0x11_0000 / 64)
    var position = 0
    while position < bytes.count {
      var value = UInt32(bytes[position])
      var length = 1
      if value >= 0x80, let (scalar, scalarLength) = bytes.scalar(at: position) {
        (value, length) = (scalar.value, scalarLength)
      }
      seen[Int(value >> 6)] |= 1 << UInt64(value & 63)
      position += length
    }
    seen[0] &= ~(1 << 0x0A)  // line feeds stand between words
    var scalars: [Unicode.Scalar] = []
    for (index, word) in seen.enumerated() {
      var bits = word
      while bits != 0 {
        let value = UInt32(64 * index + bits.trailingZeroBitCount)
        if let scalar = Unicode.Scalar(value) { scalars.append(scalar) }
        bits &= bits - 1
      }
    }
    return scalars
  }
}

extension Vocabulary: Equatable {
  /// The same symbols; all else follows from them.
  public static func == (left: Vocabulary, right: Vocabulary) -> Bool {
    left.symbols == right.symbols
  }
}

extension Vocabulary {
  /// The number of symbols, the terminator included: the model's number of classes.
  public var count: Int { symbols.count + 1 }

  /// The number of a symbol, 1…count - 1, or nil if it is not in the vocabulary.
  public func id(of symbol: Unicode.Scalar) -> Int32? {
    let id = pageEntries[Int(pageStarts[Int(symbol.value >> 8)]) + Int(symbol.value & 0xFF)]
    return id > 0 ? id : nil
  }

  /// The symbol with the given number; nil for the terminator.
  ///
  /// - Precondition: `id` is in 0..<count.
  public func symbol(of id: Int32) -> Unicode.Scalar? {
    precondition(
      id >= 0 && id < count, "Vocabulary: there is no symbol \(id) in a vocabulary of \(count)")
    return id == Self.terminator ? nil : symbols[Int(id) - 1]
  }
}

// MARK: - Words to numbers and back, one word at a time: for prefixes, samples and messages

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

// MARK: - What can be wrong with a vocabulary that was stored, or with a word that is to be expressed in one

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
