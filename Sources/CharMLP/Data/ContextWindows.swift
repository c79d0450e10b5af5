// The examples that a model with a fixed context is trained on: the lecture's build_dataset.
//
// Words become one sequence of ids, each word followed by the terminator. Every id of it is
// predicted once, by one window: the `blockSize` ids before it in the same word, padded in front
// with terminators, and the id itself. "emma" with block size 3 gives
//   ... → e, ..e → m, .em → m, emm → a, mma → .
// in this order; window number k is the one whose target is id number k.

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
  ///
  /// The loop is here and not in Vocabulary, because it must see the pages and the bytes at once.
  @inline(__always)
  private static func append(
    _ bytes: Span<UInt8>, in range: Range<Int>, _ vocabulary: borrowing Vocabulary,
    to ids: inout [Int32]
  ) throws(VocabularyError) {
    let starts = vocabulary.ids.starts.span
    let entries = vocabulary.ids.entries.span
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

// MARK: - Windows

/// All (context, target) pairs of a sequence of words, in order.
///
/// Contexts are stored in full, ready to be gathered into minibatches: count × blockSize ids. A
/// caller with unusual sizes asks `byteCount` first.
public struct ContextWindows: Equatable, Sendable {
  /// The number of characters in a context.
  public let blockSize: Int
  /// The number of classes of the vocabulary.
  public let vocabularyCount: Int
  /// Row after row, the oldest character first: (count, blockSize).
  public let contexts: [Int32]
  /// What follows each context: (count).
  public let targets: [Int32]

  /// The number of windows: characters plus words.
  public var count: Int { targets.count }

  /// The windows of encoded words, in order.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ words: EncodedWords, blockSize: Int) {
    self.init(words.ids, vocabularyCount: words.vocabularyCount, blockSize: blockSize)
  }

  /// The windows of the same words with another block size.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ windows: ContextWindows, blockSize: Int) {
    self.init(windows.targets, vocabularyCount: windows.vocabularyCount, blockSize: blockSize)
  }

  init(_ targets: [Int32], vocabularyCount: Int, blockSize: Int) {
    precondition(
      Self.byteCount(windows: targets.count, blockSize: blockSize) != nil,
      "ContextWindows: \(targets.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    self.vocabularyCount = vocabularyCount
    self.targets = targets
    contexts = Self.contexts(of: targets.span, blockSize: blockSize)
  }

  /// The windows of the words at the given indices, in their order.
  /// - Throws: `unknownSymbol` for the first character that is not in the vocabulary.
  public init(
    _ words: WordList, selecting selection: ArraySlice<Int>, vocabulary: Vocabulary,
    blockSize: Int
  ) throws(VocabularyError) {
    let encoded = try EncodedWords(words, selecting: selection, vocabulary: vocabulary)
    self.init(encoded, blockSize: blockSize)
  }

  /// The windows of the first words: as many words as have at most `limit` windows together, but at
  /// least one.
  func words(upTo limit: Int) -> ContextWindows {
    guard count > limit else { return self }
    let ends = targets.indices.lazy.filter { targets[$0] == Vocabulary.terminator }
    let end = targets[..<limit].lastIndex(of: Vocabulary.terminator) ?? ends.first ?? count - 1
    return ContextWindows(
      blockSize: blockSize, vocabularyCount: vocabularyCount,
      contexts: Array(contexts[..<((end + 1) * blockSize)]), targets: Array(targets[...end]))
  }

  private init(blockSize: Int, vocabularyCount: Int, contexts: [Int32], targets: [Int32]) {
    (self.blockSize, self.vocabularyCount) = (blockSize, vocabularyCount)
    (self.contexts, self.targets) = (contexts, targets)
  }

  /// The bytes of windows, or nil if the number of entries overflows.
  ///
  /// - Precondition: `blockSize` is at least 1.
  public static func byteCount(windows: Int, blockSize: Int) -> Int? {
    precondition(blockSize >= 1, "ContextWindows: block size \(blockSize)")
    let (columns, tooWide) = blockSize.addingReportingOverflow(1)
    let (entries, tooMany) = windows.multipliedReportingOverflow(by: columns)
    let (bytes, tooLarge) = entries.multipliedReportingOverflow(by: MemoryLayout<Int32>.stride)
    return tooWide || tooMany || tooLarge ? nil : bytes
  }

  /// The context of a window.
  public func context(of window: Int) -> ArraySlice<Int32> {
    precondition(
      window >= 0 && window < count, "ContextWindows: there is no window \(window) of \(count)")
    return contexts[window * blockSize..<(window + 1) * blockSize]
  }

  /// The contexts of a sequence of targets.
  private static func contexts(of targets: Span<Int32>, blockSize: Int) -> [Int32] {
    var contexts = [Int32](repeating: Vocabulary.terminator, count: targets.count * blockSize)
    var output = contexts.mutableSpan
    var wordStart = 0
    var rowEnd = blockSize
    for window in 0..<targets.count {
      let known = min(window - wordStart, blockSize)
      let (source, destination) = (window - known, rowEnd - known)
      for offset in 0..<known { output[destination + offset] = targets[source + offset] }
      if targets[window] == Vocabulary.terminator { wordStart = window + 1 }
      rowEnd += blockSize
    }
    return contexts
  }
}
