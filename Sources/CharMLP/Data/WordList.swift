// The words that a model is trained on, in the order of the list, duplicates included.
//
// The storage is the normalized text, one array of UTF-8 in which every word is followed by a line
// feed, and a four-byte offset for each word: about 12 bytes for a name, so that lists of tens of
// millions of words fit. Strings are made on demand. A checkpoint stores the same array; reading it
// back gives an equal list.

/// A list of words: at least one, none empty, each a sequence of Unicode scalars.
///
/// Characters are Unicode scalars as they stand in the text; nothing is normalized or folded.
/// A list is a random-access collection of `String`s, in the order of the text.
public struct WordList: Equatable, Sendable {
  /// The normalized text: UTF-8, every word followed by a line feed, without a byte order mark,
  /// blank lines or blanks at the ends of lines.
  public let utf8: [UInt8]

  /// Where each word starts in `utf8`, then the length of `utf8`: (count + 1).
  let starts: [UInt32]

  /// Where lines were skipped in the text that was read; nil for words from elsewhere.
  private let blankLines: BlankLines?

  /// The line of a word in the text that was read, from 1; nil if the words come from elsewhere.
  public func line(of index: Int) -> Int? { blankLines?.line(of: index) }

  /// The most characters in a line, including blanks at its ends.
  public static let lineLimit = 10_000

  /// The most bytes that four-byte offsets can address.
  public static let byteLimit = Int(UInt32.max) - 1

  /// The words of a text in UTF-8, one on each line.
  ///
  /// LF and CRLF end lines; a byte order mark at the start and a missing end of the last line make
  /// no difference. Blanks (tab, space, U+00A0, U+1680, U+2000…U+200A, U+202F, U+205F, U+3000) are
  /// trimmed from both ends of a line and are characters inside it; blank lines are skipped.
  /// Refused are all other controls, U+2028, U+2029, and U+FEFF anywhere but at the start. Time is
  /// proportional to the length; the array is rewritten in place if the caller gives it away.
  ///
  /// - Throws: the first thing wrong with the text, in its order: see `WordListError`.
  public init(utf8 text: consuming [UInt8]) throws(WordListError) {
    var parser = WordListParser(text: text)
    try parser.parse()
    self.init(parsed: parser.text, starts: parser.starts, parser.blankLines)
  }

  /// The words of a string, read as `init(utf8:)` reads a file.
  ///
  /// - Throws: the first thing wrong with the text.
  public init(text: String) throws(WordListError) {
    try self.init(utf8: Array(text.utf8))
  }

  /// The given words, read as if each were a line.
  ///
  /// - Throws: the first thing wrong with the text.
  public init(_ words: [String]) throws(WordListError) {
    try self.init(text: words.joined(separator: "\n"))
  }

  /// The words of several lists, one list after another.
  ///
  /// - Precondition: there is at least one list.
  /// - Throws: `tooLarge` for more bytes than offsets can address.
  public init(joining lists: [WordList]) throws(WordListError) {
    precondition(!lists.isEmpty, "WordList: no lists to join")
    let size = lists.reduce(0) { $0 + $1.utf8.count }
    guard size <= Self.byteLimit else { throw .tooLarge(size: size, limit: Self.byteLimit) }
    var text: [UInt8] = []
    var starts: [UInt32] = [0]
    text.reserveCapacity(size)
    starts.reserveCapacity(lists.reduce(1) { $0 + $1.count })
    for list in lists {
      let before = UInt32(text.count)
      starts += list.starts.dropFirst().map { before + $0 }
      text += list.utf8
    }
    self.init(parsed: text, starts: starts)
  }

  /// Takes over text in the stored form.
  init(parsed utf8: [UInt8], starts: [UInt32], _ blankLines: BlankLines? = nil) {
    self.blankLines = blankLines
    self.utf8 = utf8
    self.starts = starts
  }

  /// Equal words in the same order; the offsets follow from the text.
  public static func == (left: WordList, right: WordList) -> Bool {
    left.utf8 == right.utf8
  }
}

extension WordList: RandomAccessCollection {
  /// The index of the first word, 0.
  public var startIndex: Int { 0 }

  /// The number of words.
  public var endIndex: Int { starts.count - 1 }

  /// The word at `index`.
  public subscript(index: Int) -> String {
    String(decoding: utf8[utf8Range(of: index)], as: UTF8.self)
  }

  /// Where the bytes of the word at `index` are in `utf8`, without the line feed.
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

// MARK: - Duplicates
//
// Words are equal if their bytes are: "é" as one scalar and as two are two words here, as they are
// different contexts to a model, while Swift's own comparison of strings takes them as equal.

extension WordList {
  /// The list with the first occurrence of every word, in the same order.
  public func deduplicated() -> WordList {
    let first = firstOccurrences()
    return selecting(indices.filter { first[$0] == $0 }[...])
  }

  /// For each word the index of the first word that equals it: (count).
  func firstOccurrences() -> [UInt32] {
    var first = [UInt32](repeating: 0, count: count)
    var distinct: [UInt32] = []  // the index of the first of each
    var table = HashTable(capacity: count)
    let bytes = utf8.span
    for word in indices {
      let range = utf8Range(of: word)
      let hash = hash(bytes, range)
      let known = table.index(forHash: hash) {
        areEqual(bytes, range, utf8Range(of: Int(distinct[$0])))
      }
      if let known {
        first[word] = distinct[known]
      } else {
        first[word] = UInt32(word)
        distinct.append(UInt32(word))
        _ = table.add(hash) { _ in preconditionFailure("the table has room for every word") }
      }
    }
    return first
  }
}

/// The standard library's hash of some bytes, eight at a time; its seed changes with every run.
@inline(__always)
private func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
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
  return UInt64(bitPattern: Int64(hasher.finalize()))
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
