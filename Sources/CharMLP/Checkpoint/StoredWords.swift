// The word list as a model file carries it, so that a run can go on without the file it was read from.
//
// Up to 16 MB of text are kept, compressed; of a longer list only its length and a fingerprint, so
// that it can be recognized when it is named again. The compressed bytes of a checkpoint are passed on
// as they are: a resumed run's files are those of the uninterrupted one even where zlib has another
// version.

import CZlib

/// A run's word list, whole or only described.
package struct StoredWords: Equatable, Sendable {
  /// The list, or what is known of it.
  enum Content: Equatable, Sendable {
    /// The normalized text in zlib's format.
    case compressed([UInt8])
    /// What the words and their order leave of them, in hexadecimal.
    case fingerprint(String)
    /// Nothing: a network was imported without its words.
    case unknown
  }

  let content: Content
  /// The length of the normalized text in bytes, a line feed after every word.
  package let byteCount: Int

  /// The longest text that is stored: that of the largest sample, 16 MB.
  package static let byteLimit = SampleLimits.standard.bytes

  /// Stores a list, or describes it if its text is longer than `limit` bytes.
  package init(_ words: WordList, limit: Int = StoredWords.byteLimit) {
    byteCount = words.utf8.count
    content =
      byteCount <= limit
      ? .compressed(Zlib.compressed(words.utf8)) : .fingerprint(WordFingerprint(words).text)
  }

  /// Stores a list that was split by hash, or describes it if not all of it is at hand.
  package init(_ list: HashSplitList) {
    byteCount = list.byteCount
    content =
      list.isComplete
      ? .compressed(Zlib.compressed(list.words.utf8)) : .fingerprint(list.fingerprint.text)
  }

  init(_ content: Content, byteCount: Int) {
    self.content = content
    self.byteCount = byteCount
  }

  /// The words of a network that was trained on who knows what.
  static let unknown = StoredWords(.unknown, byteCount: 0)

  /// Whether not even the length of the list is known.
  public var isUnknown: Bool { content == .unknown }

  /// Whether the words themselves are here.
  package var isComplete: Bool {
    if case .compressed = content { true } else { false }
  }

  /// The list, or nil if at most its length and fingerprint are known.
  ///
  /// - Throws: `ModelFileError.words` if what is stored is no word list in its normal form.
  package func wordList() throws(ModelFileError) -> WordList? {
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
  package func matches(_ words: WordList) throws(ModelFileError) -> Bool {
    guard byteCount == words.utf8.count else { return false }
    guard case .fingerprint(let fingerprint) = content else { return try wordList() == words }
    return WordFingerprint(words).text == fingerprint
  }

  /// Whether a list that was split by hash is the one that is stored or described here.
  ///
  /// - Throws: `ModelFileError.words` as `wordList()`.
  package func matches(_ list: HashSplitList) throws(ModelFileError) -> Bool {
    guard case .fingerprint(let fingerprint) = content else { return try matches(list.words) }
    return byteCount == list.byteCount && fingerprint == list.fingerprint.text
  }
}

// MARK: - zlib, as far as a model file needs it: a checksum, and a way to keep a word list small

// Every pointer that zlib is handed is made here. What is inflated has a known length: more than that is
// never allocated, whatever the compressed bytes say. Nothing is streamed.

enum Zlib {
  /// The CRC-32 (ISO 3309) of bytes, or of what had the CRC-32 `first` followed by them.
  static func crc32(_ bytes: ArraySlice<UInt8>, continuing first: UInt32 = 0) -> UInt32 {
    let sum = unsafe bytes.withUnsafeBytes { buffer in
      unsafe crc32_z(
        uLong(first), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    // For a null pointer zlib gives the initial value instead of the one to continue.
    return bytes.isEmpty ? first : UInt32(truncatingIfNeeded: sum)
  }

  /// The bytes in zlib's format (RFC 1950), at its fastest level: words become a tenth longer than at
  /// the default, in a third of the time.
  ///
  /// The same bytes and the same zlib give the same result.
  static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe compress2(
          target.baseAddress, &count, source.baseAddress, uLong(source.count),
          Z_BEST_SPEED)
      }
    }
    precondition(status == Z_OK, "zlib could not compress \(bytes.count) bytes: \(status)")
    return Array(result.prefix(Int(count)))
  }

  /// What was compressed, or nil unless it is sound and exactly `count` bytes long.
  static func inflated(_ bytes: [UInt8], count expected: Int) -> [UInt8]? {
    var count = uLong(expected)
    var result = [UInt8](repeating: 0, count: expected)
    var consumed = uLong(bytes.count)
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe uncompress2(target.baseAddress, &count, source.baseAddress, &consumed)
      }
    }
    guard status == Z_OK, count == expected, consumed == bytes.count else { return nil }
    return result
  }
}
