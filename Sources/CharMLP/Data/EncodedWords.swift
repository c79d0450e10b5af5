// Words as one flat sequence of numbers, each word followed by the terminator.
//
// This is the sequence of targets that a character-level model is trained on: every entry is predicted
// once, from the entries of the same word before it. Windows of any block size, and the counts of any
// n-gram, are views of it; window number k is the one whose target is entry k.
//
// The loop is here and not in Vocabulary, because it must see the pages and the bytes at once.

/// The numbers of the characters of a sequence of words, each word ended by a 0.
public struct EncodedWords: Equatable, Sendable {
  /// Numbers below the vocabulary's count; a word's characters, then `Vocabulary.terminator`.
  public let ids: [Int32]

  /// The number of classes of the vocabulary that encoded them.
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

  private init(ids: [Int32], vocabularyCount: Int) {
    self.ids = ids
    self.vocabularyCount = vocabularyCount
  }

  /// Appends the numbers of a stretch of a list's text; a line feed's number is the terminator.
  @inline(__always)
  private static func append(
    _ bytes: Span<UInt8>, in range: Range<Int>, _ vocabulary: borrowing Vocabulary,
    to ids: inout [Int32]
  ) throws(VocabularyError) {
    let starts = vocabulary.pageStarts.span
    let entries = vocabulary.pageEntries.span
    let firstPage = Int(starts[0])
    var position = range.lowerBound
    while position < range.upperBound {
      var value = UInt32(bytes[position])
      var page = firstPage
      var length = 1
      if value >= 0x80, let (scalar, scalarLength) = bytes.scalar(at: position) {
        (value, length) = (scalar.value, scalarLength)
        page = Int(starts[Int(value >> 8)])
      }
      let id = entries[page + Int(value & 0xFF)]
      guard id >= 0 else { throw .unknownSymbol(Unicode.Scalar(value) ?? "\u{FFFD}") }
      ids.append(id)
      position += length
    }
  }
}
