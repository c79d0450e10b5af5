// The words that a model is trained on, in the order of the list, duplicates included.
//
// Storage is the normalized text itself, one flat array of UTF-8 in which every word is followed by a
// line feed, and a four-byte offset for each word: about 12 bytes for a name, so that lists of tens of
// millions of words fit. `String`s are made on demand. The same array is what a checkpoint stores:
// reading it back gives an equal list.
//
// Not here: which words train and which validate (Split), and what a character's number is (Vocabulary).

/// A list of words: at least one, none empty, each a sequence of Unicode scalars.
///
/// Characters are Unicode scalars as they stand in the text; nothing is normalized or folded.
/// A list is a random-access collection of `String`s, in the order of the text.
public struct WordList: Equatable, Sendable {
  /// The normalized text: UTF-8, every word followed by a line feed, without a byte order mark, blank
  /// lines or blanks at the ends of lines.
  public let utf8: [UInt8]

  /// Where each word starts in `utf8`, and last the length of `utf8`: (count + 1).
  let starts: [UInt32]

  /// The longest line, in characters, blanks at its ends included.
  public static let lineLimit = 10_000

  /// The largest text, in bytes, that can be addressed by a four-byte offset.
  public static let byteLimit = Int(UInt32.max) - 1

  /// The words of a text in UTF-8, one on each line.
  ///
  /// LF and CRLF end lines; a byte order mark at the start and a missing end of the last line make no
  /// difference. Blanks (tab, space, U+00A0, U+1680, U+2000…U+200A, U+202F, U+205F, U+3000) are trimmed
  /// from both ends of a line and are characters inside it; blank lines are skipped. Refused are all
  /// other controls, U+2028, U+2029, and U+FEFF anywhere but at the start. Time is proportional to the
  /// length; the array is rewritten in place if the caller gives it away.
  /// - Throws: the first thing that is wrong with the text, in its order: see `WordListError`.
  public init(utf8 text: consuming [UInt8]) throws(WordListError) {
    var parser = WordListParser(text: text)
    try parser.parse()
    self.init(parsed: parser.text, starts: parser.starts)
  }

  /// The words of a string, read as `init(utf8:)` reads a file.
  /// - Throws: the first thing that is wrong with the text.
  public init(text: String) throws(WordListError) {
    try self.init(utf8: Array(text.utf8))
  }

  /// The given words, read as if each stood on a line of its own.
  /// - Throws: the first thing that is wrong with the text.
  public init(_ words: [String]) throws(WordListError) {
    try self.init(text: words.joined(separator: "\n"))
  }

  /// Takes over text that is already in the stored form.
  init(parsed utf8: [UInt8], starts: [UInt32]) {
    self.utf8 = utf8
    self.starts = starts
  }

  /// Equal words in the same order; the offsets follow from the text.
  public static func == (left: WordList, right: WordList) -> Bool {
    left.utf8 == right.utf8
  }
}

extension WordList: RandomAccessCollection {
  public var startIndex: Int { 0 }

  /// The number of words.
  public var endIndex: Int { starts.count - 1 }

  /// The word at `index`.
  public subscript(index: Int) -> String {
    String(decoding: utf8[utf8Range(of: index)], as: UTF8.self)
  }

  /// Where the bytes of the word at `index` lie in `utf8`, its line feed left out.
  public func utf8Range(of index: Int) -> Range<Int> {
    precondition(
      indices.contains(index), "WordList: there is no word \(index) in a list of \(count)")
    return Int(starts[index])..<Int(starts[index + 1]) - 1
  }
}

extension WordList {
  /// The list of the words at the given indices, in their order.
  ///
  /// - Precondition: there is at least one index, and each names a word.
  public func selecting(_ selection: ArraySlice<Int>) -> WordList {
    precondition(!selection.isEmpty, "WordList.selecting: a list has at least one word")
    var text: [UInt8] = []
    var starts: [UInt32] = [0]
    starts.reserveCapacity(selection.count + 1)
    for index in selection {
      let range = utf8Range(of: index)
      precondition(
        text.count + range.count < Self.byteLimit,
        "WordList.selecting: more than \(Self.byteLimit) bytes")
      text.append(contentsOf: utf8[range.lowerBound...range.upperBound])
      starts.append(UInt32(text.count))
    }
    return WordList(parsed: text, starts: starts)
  }

  /// The number of characters of all words together.
  public var characterCount: Int { scalarCount(in: 0..<utf8.count) - count }

  /// The number of characters of the words at the given indices together.
  public func characterCount(of selection: ArraySlice<Int>) -> Int {
    var total = 0
    for index in selection { total += scalarCount(in: utf8Range(of: index)) }
    return total
  }

  /// The bytes that start a scalar: all but the continuation bytes 10xxxxxx.
  private func scalarCount(in range: Range<Int>) -> Int {
    let bytes = utf8.span
    var total = 0
    for position in range where bytes[position] & 0xC0 != 0x80 { total += 1 }
    return total
  }
}

// MARK: - Reads a word list from a path or from an open file descriptor, all of it at once

// A path may name a regular file, a FIFO or a device; standard input may be any of them. A regular file
// that is too large is refused from its size, before a byte is read. The text is read once and then
// never again, so that a file that changes or vanishes later changes nothing.

extension WordList {
  /// The most bytes that are read from a file or a pipe unless told otherwise: 1 GiB.
  public static let defaultReadLimit = 1 << 30

  /// Reads the words of the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing`, `directory`, `unreadable`, `readFailed`, `tooLarge`, or what is wrong with
  ///   the text.
  public init(
    contentsOf path: String, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    try self.init(file: .opening(path), limit: limit)
  }

  /// Reads the words of standard input, up to its end.
  /// - Throws: as `init(contentsOf:limit:)`.
  public static func standardInput(
    limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) -> WordList {
    try WordList(file: .standardInput, limit: limit)
  }

  /// Reads the words of an open file, from where it stands to its end, and leaves it open.
  /// - Throws: as `init(contentsOf:limit:)`.
  public init(
    fileDescriptor: CInt, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    try self.init(file: ReadableFile(descriptor: fileDescriptor), limit: limit)
  }

  private init(file: consuming ReadableFile, limit: Int) throws(WordListError) {
    precondition(limit >= 0, "WordList: a limit of \(limit) bytes")
    try self.init(utf8: readAll(&file, limit: Swift.min(limit, WordList.byteLimit)))
  }
}

/// All bytes from where the file stands.
private func readAll(_ file: inout ReadableFile, limit: Int) throws(WordListError) -> [UInt8] {
  var text: [UInt8] = []
  let size = try file.size() ?? 0
  guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
  text.reserveCapacity(size + 1)
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  var startIsChecked = false
  while true {
    let received = try file.read(into: &chunk)
    if received == 0 { return text }
    guard received <= limit - text.count else { throw .tooLarge(size: nil, limit: limit) }
    text.append(contentsOf: chunk[..<received])
    if !startIsChecked && text.count >= 1 << 16 {
      try checkStart(text)
      startIsChecked = true
    }
  }
}

/// Refuses what its first lines already rule out, such as an image or endless NULs, before the rest is
/// read.
///
/// The last line is left out, since it may not have arrived whole. Without any line end, 2¹⁶ bytes are
/// longer than the longest line (10,000 characters of at most four bytes), so that all can be judged.
private func checkStart(_ text: [UInt8]) throws(WordListError) {
  let end = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
  do throws(WordListError) {
    _ = try WordList(utf8: Array(text[..<end]))
  } catch {
    if error != .onlyBlankLines { throw error }  // words may still follow
  }
}

// MARK: - Which words of a list are the same, and the list without its duplicates

// Words are equal if their bytes are: "é" as one scalar and as two are two words here, as they are two
// contexts to a model, while Swift's own comparison of strings holds them equal.
//
// They are found with a hash table of our own, as distinct contexts are: words stay where they are. The
// hash is the standard library's, whose seed changes with every run; results do not depend on it.

extension WordList {
  /// The list with the first occurrence of every word, in the same order.
  public func deduplicated() -> WordList {
    let first = firstOccurrences()
    return selecting(indices.filter { first[$0] == $0 }[...])
  }

  /// For each word the index of the first word that equals it: (count).
  func firstOccurrences() -> [UInt32] {
    var first = [UInt32](repeating: 0, count: count)
    var slots = [UInt32](repeating: .max, count: Self.slotCount(words: count))
    let bytes = utf8.span
    for word in indices {
      let range = utf8Range(of: word)
      var slot = hash(bytes, range) & (slots.count - 1)
      while slots[slot] != .max, !areEqual(bytes, range, utf8Range(of: Int(slots[slot]))) {
        slot = (slot + 1) & (slots.count - 1)
      }
      if slots[slot] == .max { slots[slot] = UInt32(word) }
      first[word] = slots[slot]
    }
    return first
  }

  /// A power of two of which the words fill at most a half.
  private static func slotCount(words: Int) -> Int {
    var slots = 2
    while slots < 2 * words { slots *= 2 }
    return slots
  }
}

/// The hash of some bytes, eight at a time.
@inline(__always)
private func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
  var hasher = Hasher()
  var pending: UInt64 = 0
  for position in range {
    pending = pending << 8 | UInt64(bytes[position])
    if (position - range.lowerBound) & 7 == 7 {
      hasher.combine(pending)
      pending = 0
    }
  }
  hasher.combine(pending)
  return hasher.finalize()
}

@inline(__always)
private func areEqual(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
  guard left.count == right.count else { return false }
  for offset in 0..<left.count
  where bytes[left.lowerBound + offset] != bytes[right.lowerBound + offset] {
    return false
  }
  return true
}
