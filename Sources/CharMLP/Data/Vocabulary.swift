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
