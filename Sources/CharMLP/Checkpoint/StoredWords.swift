// The word list as a model file carries it, so that a run can go on without the file it was read from.
//
// Up to 16 MB of text are kept, compressed; of a longer list only its length and a fingerprint, so
// that it can be recognized when it is named again. The compressed bytes of a checkpoint are passed on
// as they are: a resumed run's files are those of the uninterrupted one even where zlib has another
// version.

/// A run's word list, whole or only described.
public struct StoredWords: Equatable, Sendable {
  /// The list, or what is known of it.
  enum Content: Equatable, Sendable {
    /// The normalized text in zlib's format.
    case compressed([UInt8])
    /// What the words and their order leave of them, in hexadecimal.
    case fingerprint(String)
  }

  let content: Content
  /// The length of the normalized text in bytes, a line feed after every word.
  public let byteCount: Int

  /// The longest text that is stored: 16 MB.
  public static let byteLimit = 16_000_000

  /// Stores a list, or describes it if its text is longer than `limit` bytes.
  public init(_ words: WordList, limit: Int = StoredWords.byteLimit) {
    byteCount = words.utf8.count
    content =
      byteCount <= limit
      ? .compressed(Zlib.compressed(words.utf8)) : .fingerprint(WordFingerprint(words).text)
  }

  /// Stores a list that was split by hash, or describes it if not all of it is at hand.
  public init(_ list: HashSplitList) {
    byteCount = list.byteCount
    content =
      list.isComplete
      ? .compressed(Zlib.compressed(list.words.utf8)) : .fingerprint(list.fingerprint.text)
  }

  init(_ content: Content, byteCount: Int) {
    self.content = content
    self.byteCount = byteCount
  }

  /// Whether the words themselves are here.
  public var isComplete: Bool {
    if case .compressed = content { true } else { false }
  }

  /// The list, or nil if only its length and fingerprint are known.
  ///
  /// - Throws: `ModelFileError.words` if what is stored is no word list in its normal form.
  public func wordList() throws(ModelFileError) -> WordList? {
    guard case .compressed(let bytes) = content else { return nil }
    guard let text = Zlib.inflated(bytes, count: byteCount) else {
      throw .words("expected \(byteCount) bytes compressed by zlib")
    }
    let list: WordList
    do {
      list = try WordList(utf8: text)
    } catch {
      throw .words(error.message(in: "the stored list"))
    }
    guard list.utf8 == text else { throw .words("expected a list in its normal form") }
    return list
  }

  /// Whether a list is the one that is stored or described here, word for word.
  ///
  /// - Throws: `ModelFileError.words` as `wordList()`.
  public func matches(_ words: WordList) throws(ModelFileError) -> Bool {
    guard byteCount == words.utf8.count else { return false }
    guard case .fingerprint(let fingerprint) = content else { return try wordList() == words }
    return WordFingerprint(words).text == fingerprint
  }

  /// Whether a list that was split by hash is the one that is stored or described here.
  ///
  /// - Throws: `ModelFileError.words` as `wordList()`.
  public func matches(_ list: HashSplitList) throws(ModelFileError) -> Bool {
    guard case .fingerprint(let fingerprint) = content else { return try matches(list.words) }
    return byteCount == list.byteCount && fingerprint == list.fingerprint.text
  }
}
