// Numbers for the symbols of a text that is still being read: in the order in which they appear.
//
// The vocabulary is known only at the end, and on all ranks; then the text is renumbered. Symbols are
// found through pages of 256 numbers, as in Vocabulary.

/// The symbols that were met so far, numbered from 1 on.
struct SymbolNumbers: Sendable {
  /// The symbols, in the order of their numbers.
  private(set) var symbols: [Unicode.Scalar] = []

  /// Where the page of 256 scalars starts in `pageEntries`, 0 if there is none: (0x1100).
  private var pageStarts = [Int32](repeating: 0, count: 0x1100)
  /// Numbers of scalars, page by page; 0 for what was not met.
  private var pageEntries = [Int32](repeating: 0, count: 256)

  /// Appends the numbers of a word's characters, and the terminator.
  ///
  /// - Precondition: the bytes are well-formed UTF-8.
  mutating func append(_ bytes: Span<UInt8>, _ word: Range<Int>, to ids: inout [Int32]) {
    var position = word.lowerBound
    while position < word.upperBound {
      var value = UInt32(bytes[position])
      var length = 1
      if value >= 0x80, let (scalar, scalarLength) = bytes.scalar(at: position) {
        (value, length) = (scalar.value, scalarLength)
      }
      let known = pageEntries[Int(pageStarts[Int(value >> 8)]) + Int(value & 0xFF)]
      ids.append(known > 0 ? known : add(value))
      position += length
    }
    ids.append(Vocabulary.terminator)
  }

  private mutating func add(_ value: UInt32) -> Int32 {
    let page = Int(value >> 8)
    if pageStarts[page] == 0 {
      pageStarts[page] = Int32(pageEntries.count)
      pageEntries.append(contentsOf: repeatElement(0, count: 256))
    }
    symbols.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    let number = Int32(symbols.count)
    pageEntries[Int(pageStarts[page]) + Int(value & 0xFF)] = number
    return number
  }

  /// For each number the one that a vocabulary has for the same symbol: (symbols + 1).
  func numbers(in vocabulary: Vocabulary) -> [Int32] {
    [Vocabulary.terminator] + symbols.map { vocabulary.id(of: $0) ?? Vocabulary.terminator }
  }
}
