// A word list file in pieces of whole lines, about a megabyte each.
//
// A list may be larger than memory, and several ranks may read one file, each the lines that begin
// in its own range of bytes. So every line is read by exactly one of them, wherever the ranges
// meet.

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
    // The byte before tells whether a line begins at the first one.
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
