// The words that a model is trained on, in the order of the list, duplicates included.
//
// The storage is the normalized text, one array of UTF-8 in which every word is followed by a line
// feed, and a four-byte offset for each word: about 12 bytes for a name, so that lists of tens of
// millions of words fit. Strings are made on demand. A checkpoint stores the same array; reading it
// back gives an equal list. The end of this file is about reading one.

internal import Posix

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
  /// trimmed from both ends of a line and are characters inside it; blank lines are skipped. All
  /// other controls, U+2028, U+2029, and U+FEFF anywhere but at the start are refused. Time is
  /// proportional to the length; the array is rewritten in place if the caller hands it over.
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

// MARK: - Reading a whole list
//
// A path may name a regular file, a FIFO or a device; standard input may be any of them. A regular
// file that is too large is refused by its size, before a byte is read. The text is read once, so
// it does not matter if the file changes or vanishes later.

extension WordList {
  /// The most bytes that are read from a file or a pipe by default: 1 GiB.
  public static let defaultReadLimit = 1 << 30

  /// Reads the words of the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing`, `directory`, `unreadable`, `readFailed`, `tooLarge`, or what is wrong
  ///   with the text.
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

  private init(file: consuming ReadableFile, limit: Int) throws(WordListError) {
    precondition(limit >= 0, "WordList: a limit of \(limit) bytes")
    try self.init(utf8: readAll(&file, limit: Swift.min(limit, WordList.byteLimit)))
  }
}

/// All bytes from the file's position on.
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

/// Refuses what its first lines already rule out, such as an image or endless NULs, before the rest
/// is read.
///
/// The last line is left out, since it may not have arrived whole. Without any line end, 2¹⁶ bytes
/// are longer than the longest line (10,000 characters of at most four bytes), so that all can be
/// judged.
private func checkStart(_ text: [UInt8]) throws(WordListError) {
  let end = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
  do throws(WordListError) {
    _ = try WordList(utf8: Array(text[..<end]))
  } catch {
    if error != .onlyBlankLines { throw error }  // words may still follow
  }
}

// MARK: - How bytes arrive
//
// From a regular file, a FIFO, a device or standard input, all at once or in pieces of whole lines.
// Posix makes the calls; here bytes are counted, and errors become a word list's.

/// An open file, from its position to its end.
struct ReadableFile: ~Copyable {
  private let file: OpenFile
  /// The bytes that were read or skipped.
  private(set) var position = 0

  /// Opens the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing` or `unreadable`.
  static func opening(_ path: String) throws(WordListError) -> ReadableFile {
    do throws(SystemError) {
      return ReadableFile(try OpenFile(reading: path))
    } catch {
      throw error.isMissingFile ? .missing : .unreadable(reason: error.reason)
    }
  }

  private init(_ file: consuming OpenFile) { self.file = file }

  /// Standard input.
  static var standardInput: ReadableFile { ReadableFile(.standardInput) }

  /// The size of a regular file, nil for anything else that can be read.
  ///
  /// It is a hint: a file can grow, and in /proc its size is zero.
  /// - Throws: `directory` or `unreadable`.
  func size() throws(WordListError) -> Int? {
    let kind: FileSystem.Kind
    do throws(SystemError) { kind = try file.kind() } catch {
      throw .unreadable(reason: error.reason)
    }
    switch kind {
    case .directory: throw .directory
    case .file(let size): return size
    case .pipe, .device: return nil
    }
  }

  /// Moves a regular file's position to a byte.
  /// - Throws: `readFailed`.
  mutating func seek(to byte: Int) throws(WordListError) {
    do throws(SystemError) { try file.seek(to: byte) } catch {
      throw .readFailed(byte: position, reason: error.reason)
    }
    position = byte
  }

  /// Reads as much as there is, up to the length of `chunk`; 0 at the end.
  /// - Throws: `unreadable` for what was never open for reading, else `readFailed`.
  mutating func read(into chunk: inout [UInt8]) throws(WordListError) -> Int {
    do throws(SystemError) {
      let received = try file.read(into: &chunk)
      position += received
      return received
    } catch {
      // A standard input that is closed, or open for writing alone, was never there to be read.
      if error.isBadDescriptor && position == 0 { throw .unreadable(reason: error.reason) }
      throw .readFailed(byte: position, reason: error.reason)
    }
  }
}

// MARK: - Pieces of whole lines
//
// About a megabyte each. A list may be larger than memory, and several ranks may read one file,
// each the lines that begin in its own range of bytes. So every line is read by exactly one of
// them, wherever the ranges meet.

/// The lines of a file, in pieces.
struct LinePieces: ~Copyable {
  /// Some whole lines.
  struct Piece {
    let text: [UInt8]
    /// Where the first of them begins in the file.
    let offset: Int
  }

  private var file: ReadableFile
  /// Lines that begin from here on belong to another rank.
  private let end: Int
  private var pending: [UInt8] = []
  /// Where `pending` begins in the file.
  private var offset = 0
  private var isFinished = false
  private var chunk: [UInt8]

  /// More bytes than the longest line that a list may have: 10,000 characters of at most four
  /// bytes.
  private static let overlongLine = 1 << 16

  /// The bytes read at a time.
  static let chunkSize = 1 << 20

  /// The lines of a file that begin in a range of its bytes; a file of unknown length is read from
  /// its start.
  /// - Throws: `readFailed`.
  init(
    _ file: consuming ReadableFile, beginningIn range: Range<Int> = 0..<Int.max,
    chunkSize: Int = Self.chunkSize
  ) throws(WordListError) {
    self.file = file
    chunk = [UInt8](repeating: 0, count: chunkSize)
    end = range.upperBound
    guard range.lowerBound > 0 else { return }
    // The byte before shows whether a line begins at the first one.
    offset = range.lowerBound - 1
    try self.file.seek(to: offset)
    try skipLine()
  }

  private mutating func skipLine() throws(WordListError) {
    while true {
      let received = try file.read(into: &chunk)
      if received == 0 {
        isFinished = true
        return
      }
      if let lineFeed = chunk[..<received].firstIndex(of: UInt8(ascii: "\n")) {
        pending.append(contentsOf: chunk[(lineFeed + 1)..<received])
        offset += lineFeed + 1
        return
      }
      offset += received
    }
  }

  /// The next piece, or nil at the end.
  /// - Throws: `unreadable` or `readFailed`.
  mutating func next() throws(WordListError) -> Piece? {
    while !isFinished {
      if offset >= end { break }
      if let count = completeLines() { return take(count) }
      let received = try file.read(into: &chunk)
      if received == 0 {
        isFinished = true
        return pending.isEmpty ? nil : take(pending.count)
      }
      pending.append(contentsOf: chunk[..<received])
    }
    isFinished = true
    return nil
  }

  /// How many of the pending bytes are whole lines of the range; nil if more of the file is needed.
  private func completeLines() -> Int? {
    let lineFeed = UInt8(ascii: "\n")
    let rest = end - offset  // of the range
    if pending.count >= rest {
      // The last line is the one that holds the range's last byte.
      if let last = pending[(rest - 1)...].firstIndex(of: lineFeed) { return last + 1 }
    } else if let last = pending.lastIndex(of: lineFeed) {
      return last + 1
    }
    // This line is too long whatever follows; the parser will say so.
    let isOverlong =
      pending.count >= Self.overlongLine && !pending.suffix(Self.overlongLine).contains(lineFeed)
    return isOverlong ? pending.count : nil
  }

  private mutating func take(_ count: Int) -> Piece {
    let piece = Piece(text: Array(pending[..<count]), offset: offset)
    pending.removeFirst(count)
    offset += count
    return piece
  }
}
