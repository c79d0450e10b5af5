// The examples that a model with a fixed context is trained on: the lecture's build_dataset.
//
// For every word, and every character of it and then the terminator, one window: the `blockSize` numbers
// before it, padded in front with terminators, and the number itself. "emma" with block size 3 gives
// ... → e, ..e → m, .em → m, emm → a, mma → . in this order.
//
// Contexts are stored in full, ready to be gathered into minibatches. That is count × blockSize numbers,
// so a caller with unusual sizes asks `byteCount` before it builds.

/// All (context, target) pairs of a sequence of words, in order.
public struct ContextWindows: Equatable, Sendable {
  /// The number of characters that a prediction sees.
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
    precondition(
      Self.byteCount(windows: words.ids.count, blockSize: blockSize) != nil,
      "ContextWindows: \(words.ids.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    vocabularyCount = words.vocabularyCount
    targets = words.ids
    contexts = Self.contexts(of: words.ids.span, blockSize: blockSize)
  }

  /// The windows of the same words with another block size.
  ///
  /// - Precondition: `blockSize` is at least 1, and `byteCount` is not nil.
  public init(_ windows: ContextWindows, blockSize: Int) {
    precondition(
      Self.byteCount(windows: windows.count, blockSize: blockSize) != nil,
      "ContextWindows: \(windows.count) windows of block size \(blockSize)")
    self.blockSize = blockSize
    vocabularyCount = windows.vocabularyCount
    targets = windows.targets
    contexts = Self.contexts(of: windows.targets.span, blockSize: blockSize)
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

  /// The windows of the first words, as many as have no more windows than `limit` together, but of one
  /// word at least.
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

  /// The bytes that windows occupy, or nil if the number of entries cannot even be expressed.
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

  /// The contexts of a sequence of targets; the terminators in front are there to begin with.
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
