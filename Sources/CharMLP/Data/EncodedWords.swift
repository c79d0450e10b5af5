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

// MARK: - A long sequence of ids in as few bytes as their vocabulary allows: one for each up to 256 symbols

// Lists of hundreds of millions of characters fit into memory this way, and minibatches are gathered from
// a quarter of the cache. The width grows when an id asks for it.

/// Ids, one byte each as long as all are below 256, else two, else four.
struct CompactIDs: Equatable, Sendable {
  /// The ids in the smallest integers that hold all of them.
  enum Storage: Equatable, Sendable {
    case narrow([UInt8])
    case medium([UInt16])
    case wide([Int32])
  }

  private(set) var storage = Storage.narrow([])

  var count: Int {
    switch storage {
    case .narrow(let ids): ids.count
    case .medium(let ids): ids.count
    case .wide(let ids): ids.count
    }
  }

  /// Makes room for so many ids of one byte.
  mutating func reserve(_ count: Int) {
    guard case .narrow(var ids) = storage else { return }
    storage = .narrow([])
    ids.reserveCapacity(count)
    storage = .narrow(ids)
  }

  /// Appends ids, which are not negative.
  mutating func append(_ new: [Int32]) {
    widen(to: new.max() ?? 0)
    // Taken out while it grows, so that there is no second owner and no copy.
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt8(truncatingIfNeeded: $0) })
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt16(truncatingIfNeeded: $0) })
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new)
      storage = .wide(ids)
    }
  }

  /// Replaces every id by its entry in a table, of which none is negative.
  mutating func renumber(_ table: [Int32]) {
    widen(to: table.max() ?? 0)
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .wide(ids)
    }
  }

  /// All ids, four bytes each.
  var expanded: [Int32] {
    switch storage {
    case .narrow(let ids): ids.map(Int32.init)
    case .medium(let ids): ids.map(Int32.init)
    case .wide(let ids): ids
    }
  }

  private mutating func widen(to largest: Int32) {
    if largest > UInt16.max {
      if case .wide = storage { return }
      storage = .wide(expanded)
    } else if largest > UInt8.max, case .narrow(let ids) = storage {
      storage = .medium(ids.map(UInt16.init))
    }
  }
}

private func replace<ID: FixedWidthInteger>(_ ids: inout [ID], _ table: [Int32]) {
  let table = table.span
  var ids = ids.mutableSpan
  for index in 0..<ids.count { ids[index] = ID(truncatingIfNeeded: table[Int(ids[index])]) }
}
