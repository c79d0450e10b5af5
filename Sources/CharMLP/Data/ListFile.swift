// How a word list's bytes arrive: from a regular file, a FIFO, a device or standard input, all at
// once or in pieces of whole lines.
//
// Bytes are counted, and errors said in a word list's terms; the calls themselves are Posix's.

internal import Posix

/// An open file, from where it stands to its end.
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

  /// Goes to a byte of a regular file.
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

  /// All lines of a file.
  init(_ file: consuming ReadableFile, chunkSize: Int = Self.chunkSize) {
    self.file = file
    chunk = [UInt8](repeating: 0, count: chunkSize)
    end = .max
  }

  /// The lines of a regular file that begin in a range of its bytes.
  /// - Throws: `readFailed`.
  init(
    _ file: consuming ReadableFile, beginningIn range: Range<Int>, chunkSize: Int = Self.chunkSize
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
