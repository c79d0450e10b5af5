// The word list as a model file carries it, so that a run can go on without the file it was read from.
//
// Up to 16 MB of text are kept, compressed; of a longer list only its length and hash, so that it can be
// recognized when it is named again. The compressed bytes of a checkpoint are passed on as they are: a
// resumed run's files are those of the uninterrupted one even where zlib has another version.

/// A run's word list, whole or only described.
public struct StoredWords: Equatable, Sendable {
  /// The list, or what is known of it.
  enum Content: Equatable, Sendable {
    /// The normalized text in zlib's format.
    case compressed([UInt8])
    /// The SHA-256 of the normalized text, in hexadecimal.
    case hash(String)
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
      ? .compressed(Zlib.compressed(words.utf8)) : .hash(SHA256.hexadecimal(words.utf8))
  }

  init(_ content: Content, byteCount: Int) {
    self.content = content
    self.byteCount = byteCount
  }

  /// Whether the words themselves are here.
  public var isComplete: Bool {
    if case .compressed = content { true } else { false }
  }

  /// The list, or nil if only its length and hash are known.
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
    if case .hash(let hash) = content { return SHA256.hexadecimal(words.utf8) == hash }
    return try wordList() == words
  }
}
