// The symbols of a word list and their ids, the lecture's stoi and itos, and words as ids.
//
// The distinct characters are sorted and numbered from 1; 0 ends every word and, as padding,
// precedes it. The lecture writes that terminator as "."; here it is not a character at all, so
// that a list may contain full stops, and `terminatorSign` says how to show it.

/// The distinct symbols of a word list, in ascending order, numbered 1…n; 0 is the terminator.
public struct Vocabulary: Sendable {
  /// The id that ends a word; it stands for no character.
  public static let terminator: Int32 = 0

  /// The symbols; the one with id `id` is `symbols[id - 1]`: (count - 1).
  public let symbols: [Unicode.Scalar]

  /// The id of each scalar, `absent` if it is not a symbol; 0 for line feed.
  ///
  /// Line feed ends a word in a list's text as the terminator ends it in ids, so that a text is
  /// encoded in one sweep.
  let ids: ScalarTable

  /// The entry of a scalar that is not a symbol.
  static let absent: Int32 = -1

  /// The vocabulary of all words of a list.
  public init(of words: WordList) {
    let bytes = words.utf8.span
    var numbers = SymbolNumbers()
    forEachScalar(of: bytes, in: 0..<bytes.count) { value in
      if value != 0x0A { _ = numbers.number(of: value) }  // line feeds stand between words
    }
    self.init(ascending: numbers.symbols.sorted())
  }

  /// The vocabulary of all symbols in some lists, in any order; at least one.
  init(ofSymbols lists: [[Unicode.Scalar]]) {
    self.init(ascending: lists.reduce(into: Set()) { $0.formUnion($1) }.sorted())
  }

  /// A vocabulary that was stored.
  ///
  /// - Throws: `VocabularyError` unless the symbols are strictly ascending, at least one, and
  ///   allowed in words.
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
    self.symbols = symbols
    var ids = ScalarTable(absent: Self.absent)
    ids[0x0A] = Self.terminator
    for (index, symbol) in symbols.enumerated() { ids[symbol.value] = Int32(index + 1) }
    self.ids = ids
  }
}

/// A number for each Unicode scalar, in pages of 256, as many as there is use for: thousands of
/// symbols cost no more per character than twenty-six.
struct ScalarTable: Sendable {
  /// Where the page of each 256 scalars starts in `entries`: (0x1100). Scalars without a page share
  /// the first.
  private(set) var starts = [Int32](repeating: 0, count: 0x1100)
  /// The numbers, page by page.
  private(set) var entries: [Int32]
  private let absent: Int32

  /// A table in which every scalar has the number `absent`.
  init(absent: Int32) {
    self.absent = absent
    entries = Array(repeating: absent, count: 256)
  }

  /// The number of a scalar by its value.
  @inline(__always)
  subscript(value: UInt32) -> Int32 {
    get { entries[Int(starts[Int(value >> 8)]) + Int(value & 0xFF)] }
    set {
      let page = Int(value >> 8)
      if starts[page] == 0 {
        starts[page] = Int32(entries.count)
        entries.append(contentsOf: repeatElement(absent, count: 256))
      }
      entries[Int(starts[page]) + Int(value & 0xFF)] = newValue
    }
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
    let id = ids[symbol.value]
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

// MARK: - Whole lists to ids

/// Calls a function with the value of each scalar.
///
/// - Precondition: the bytes are well-formed UTF-8.
@inline(__always)
private func forEachScalar<Failure: Error>(
  of bytes: Span<UInt8>, in range: Range<Int>, _ body: (UInt32) throws(Failure) -> Void
) throws(Failure) {
  var position = range.lowerBound
  while position < range.upperBound {
    let byte = bytes[position]
    if byte >= 0x80, let (scalar, length) = bytes.scalar(at: position) {
      try body(scalar.value)
      position += length
    } else {
      try body(UInt32(byte))
      position += 1
    }
  }
}

/// The ids of a sequence of words, each word followed by the terminator.
public struct EncodedWords: Equatable, Sendable {
  /// The ids of each word's characters, then `Vocabulary.terminator`.
  public let ids: [Int32]

  /// The number of classes of the vocabulary.
  public let vocabularyCount: Int

  /// Encodes all words of a list, in its order.
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public init(_ words: WordList, vocabulary: Vocabulary) throws(VocabularyError) {
    var ids: [Int32] = []
    ids.reserveCapacity(words.characterCount + words.count)
    try Self.append(words.utf8.span, in: 0..<words.utf8.count, vocabulary, to: &ids)
    self.init(ids: ids, vocabularyCount: vocabulary.count)
  }

  /// Encodes the words at the given indices, in their order.
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public init(
    _ words: WordList, selecting selection: ArraySlice<Int>, vocabulary: Vocabulary
  ) throws(VocabularyError) {
    let bytes = words.utf8.span
    var ids: [Int32] = []
    ids.reserveCapacity(words.characterCount(of: selection) + selection.count)
    for index in selection {
      let word = words.utf8Range(of: index)
      let withLineFeed = word.lowerBound..<word.upperBound + 1
      try Self.append(bytes, in: withLineFeed, vocabulary, to: &ids)
    }
    self.init(ids: ids, vocabularyCount: vocabulary.count)
  }

  init(ids: [Int32], vocabularyCount: Int) {
    self.ids = ids
    self.vocabularyCount = vocabularyCount
  }

  /// Appends the ids of a part of a list's text; a line feed's id is the terminator.
  @inline(__always)
  private static func append(
    _ bytes: Span<UInt8>, in range: Range<Int>, _ vocabulary: borrowing Vocabulary,
    to ids: inout [Int32]
  ) throws(VocabularyError) {
    let starts = vocabulary.ids.starts.span
    let entries = vocabulary.ids.entries.span
    let firstPage = Int(starts[0])
    try forEachScalar(of: bytes, in: range) { value throws(VocabularyError) in
      let page = value < 0x80 ? firstPage : Int(starts[Int(value >> 8)])
      let id = entries[page + Int(value & 0xFF)]
      guard id >= 0 else { throw .unknownSymbol(Unicode.Scalar(value) ?? "\u{FFFD}") }
      ids.append(id)
    }
  }
}

/// The symbols of a text that is still being read, numbered from 1 on in the order in which they
/// appear.
///
/// The vocabulary is known only at the end, and to all ranks at once; then the text is renumbered.
struct SymbolNumbers: Sendable {
  /// The symbols, in the order of their numbers.
  private(set) var symbols: [Unicode.Scalar] = []
  private var numbers = ScalarTable(absent: 0)

  /// Appends the numbers of a word's characters, and the terminator.
  ///
  /// - Precondition: the bytes are well-formed UTF-8.
  mutating func append(_ bytes: Span<UInt8>, _ word: Range<Int>, to ids: inout [Int32]) {
    forEachScalar(of: bytes, in: word) { value in ids.append(number(of: value)) }
    ids.append(Vocabulary.terminator)
  }

  /// The number of a scalar, the next one if it is new.
  @inline(__always)
  mutating func number(of value: UInt32) -> Int32 {
    let known = numbers[value]
    return known > 0 ? known : add(value)
  }

  private mutating func add(_ value: UInt32) -> Int32 {
    symbols.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    numbers[value] = Int32(symbols.count)
    return Int32(symbols.count)
  }

  /// The vocabulary's id for each number: (symbols + 1).
  func ids(in vocabulary: Vocabulary) -> [Int32] {
    [Vocabulary.terminator] + symbols.map { vocabulary.id(of: $0) ?? Vocabulary.terminator }
  }
}

// MARK: - Words to ids and back
//
// One word at a time, for prefixes, samples and messages. Nothing is trimmed, and no terminator is
// added.

extension Vocabulary {
  /// The ids of a word's characters, without a terminator.
  ///
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public func encode(_ word: String) throws(VocabularyError) -> [Int32] {
    var ids: [Int32] = []
    for scalar in word.unicodeScalars {
      guard let id = id(of: scalar) else { throw .unknownSymbol(scalar) }
      ids.append(id)
    }
    return ids
  }

  /// The word that the ids spell, up to the first terminator or the end.
  ///
  /// - Precondition: the ids are in 0..<count.
  public func decode(_ ids: some Sequence<Int32>) -> String {
    var word = ""
    for id in ids {
      guard let symbol = symbol(of: id) else { break }
      word.unicodeScalars.append(symbol)
    }
    return word
  }

  /// Appends the word that the ids spell, in UTF-8: for millions of words.
  ///
  /// - Precondition: the ids are in 1..<count.
  public func append(_ ids: [Int32], to utf8: inout [UInt8]) {
    for id in ids {
      precondition(id >= 1 && id < count, "Vocabulary: there is no symbol \(id) of \(count)")
      let symbol = symbols[Int(id) - 1]
      if symbol.isASCII {
        utf8.append(UInt8(truncatingIfNeeded: symbol.value))
      } else {
        utf8.append(contentsOf: String(symbol).utf8)
      }
    }
  }

  /// The ids for people to read, such as `..e` for a context: every terminator is shown.
  ///
  /// - Precondition: the ids are in 0..<count.
  public func display(_ ids: some Sequence<Int32>) -> String {
    let sign = terminatorSign
    return String(String.UnicodeScalarView(ids.map { symbol(of: $0) ?? sign }))
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

// MARK: - Nearly known symbols

extension Vocabulary {
  /// What the list has instead of a symbol that it does not have: the other case, or the same
  /// letter in another normal form; nil if neither.
  public func alternative(to symbol: Unicode.Scalar) -> String? {
    guard id(of: symbol) == nil else { return nil }
    for mapping in [symbol.properties.lowercaseMapping, symbol.properties.uppercaseMapping] {
      let other = Array(mapping.unicodeScalars)
      if other != [symbol], other.allSatisfy({ id(of: $0) != nil }) {
        return "the list has \"\(mapping)\""
      }
    }
    let marks = symbols.filter { $0.properties.generalCategory == .nonspacingMark }
    for mark in marks {
      // Equal strings are the same letter, however it is written.
      if let base = symbols.first(where: { String($0) + String(mark) == String(symbol) }) {
        return "the list writes it as two characters, \"\(base)\" and \(mark.codePoint)"
      }
    }
    guard symbol.properties.generalCategory == .nonspacingMark else { return nil }
    let bases = (0x41...0x24F as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
    let composed = Set(bases.map { String($0) + String(symbol) })
    if let letter = symbols.first(where: { composed.contains(String($0)) }) {
      return "the list writes letters with it as one character, such as \"\(letter)\""
    }
    return nil
  }
}

// MARK: - Errors

/// Why stored symbols do not make a vocabulary, or a word cannot be encoded.
///
/// Messages are one line and name the symbol by its code point, since it may not be visible.
public enum VocabularyError: Error, Equatable, Sendable {
  /// There are no symbols besides the terminator.
  case noSymbols
  /// A stored symbol is not greater than the one before it; `index` counts from 0.
  case notAscending(index: Int, symbol: Unicode.Scalar)
  /// A stored symbol is not allowed in words; `index` counts from 0.
  case refusedSymbol(index: Int, symbol: Unicode.Scalar)
  /// A character of a word is not in the vocabulary.
  case unknownSymbol(Unicode.Scalar)
  /// Data has other symbols than the network: the number of each, the terminator counted.
  case otherSymbols(Int, network: Int)
}

extension VocabularyError: CustomStringConvertible {
  /// What is wrong, in one line.
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
    case .otherSymbols(let count, let network):
      "the data's \(count) symbols differ from the network's \(network), the end of a word included"
    }
  }
}
