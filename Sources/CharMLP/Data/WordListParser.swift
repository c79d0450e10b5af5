// Turns the bytes of a file into a word list: validates, trims and compacts in one pass.
//
// The text is rewritten in the array it arrived in: a word can only move towards the front, so reading is
// always ahead of writing. A clean file (LF, no blanks at the ends) is not moved at all. Every byte is
// looked at once, in a loop of this file, which is why the ASCII case is written out here.
//
// A text may also come in pieces of whole lines; then a piece may hold no word, and only the first one
// may begin with a byte order mark.
//
// Not here: getting the bytes (WordList+Reading), and the rules on characters (UnicodeScalar+Words).

/// The state of one pass over a text.
struct WordListParser {
  /// The input; from the front on, replaced by the words, each followed by a line feed.
  private(set) var text: [UInt8]
  /// Where each word starts in the output, and last the end of the output.
  private(set) var starts: [UInt32] = [0]
  /// Where each word starts in the input: (words).
  private(set) var offsets: [UInt32] = []
  /// The bytes of the input that belong to the file.
  private let inputCount: Int
  /// The next byte to read.
  private var position = 0
  /// The number of the line being read, from 1.
  private var line = 1
  private let isStart: Bool
  private let keepsOffsets: Bool

  /// The number of lines that were read.
  var lineCount: Int { line - 1 }

  /// - Parameters:
  ///   - isStart: Whether the text is the beginning of a file.
  ///   - keepsOffsets: Whether `offsets` is wanted.
  init(text: consuming [UInt8], isStart: Bool = true, keepsOffsets: Bool = false) {
    inputCount = text.count
    self.text = text
    (self.isStart, self.keepsOffsets) = (isStart, keepsOffsets)
  }

  /// Reads a whole file.
  /// - Throws: the first error in the order of the text.
  mutating func parse() throws(WordListError) {
    try parsePiece()
    guard starts.count > 1 else { throw lineCount == 0 ? .empty : .onlyBlankLines }
  }

  /// Reads whole lines, of which all may be blank.
  /// - Throws: the first error in the order of the text.
  mutating func parsePiece() throws(WordListError) {
    guard inputCount <= WordList.byteLimit else {
      throw .tooLarge(size: inputCount, limit: WordList.byteLimit)
    }
    if isStart { try readStart() }
    guard position < inputCount else {
      text.removeAll()
      return
    }
    // With a line feed at the very end, every word has the room for the one that follows it.
    if text[inputCount - 1] != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
    while position < inputCount {
      let (content, next) = try scanLine()
      let word = trimmed(content)
      if !word.isEmpty { keep(word) }
      position = next
      line += 1
    }
    text.removeLast(text.count - Int(starts[starts.count - 1]))
  }

  /// Looks at the first bytes of a file.
  private mutating func readStart() throws(WordListError) {
    if let encoding = ForeignEncoding(ofTextStartingWith: text.span) {
      throw .foreignEncoding(encoding)
    }
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }  // UTF-8's byte order mark
  }

  /// Validates the line at `position`.
  ///
  /// - Returns: where the line lies, its line end left out, and where the next line starts.
  private func scanLine() throws(WordListError) -> (content: Range<Int>, next: Int) {
    let bytes = text.span
    var end = position
    var characters = 0
    while end < inputCount, bytes[end] != UInt8(ascii: "\n") {
      let byte = bytes[end]
      if byte >= 0x20 && byte < 0x7F {
        end += 1
      } else if byte == UInt8(ascii: "\r") {
        guard end + 1 < inputCount, bytes[end + 1] == UInt8(ascii: "\n") else {
          throw .loneCarriageReturn(line: line, byte: end)
        }
        break
      } else {
        end += try lengthOfScalar(at: end, in: bytes)
      }
      characters += 1
      guard characters <= WordList.lineLimit else {
        throw .lineTooLong(line: line, limit: WordList.lineLimit)
      }
    }
    let endsWithCarriageReturn = end < inputCount && bytes[end] == UInt8(ascii: "\r")
    return (position..<end, end + (endsWithCarriageReturn ? 2 : 1))
  }

  /// The length in bytes of a scalar that words may hold.
  private func lengthOfScalar(at index: Int, in bytes: Span<UInt8>) throws(WordListError) -> Int {
    guard let (scalar, length) = bytes.scalar(at: index) else {
      throw .invalidUTF8(line: line, byte: index, value: bytes[index])
    }
    guard scalar.reasonRefused == nil else {
      throw .refusedCharacter(line: line, byte: index, scalar: scalar)
    }
    return length
  }

  /// The part of a validated line between the blanks at its ends.
  private func trimmed(_ line: Range<Int>) -> Range<Int> {
    let bytes = text.span
    var (start, end) = (line.lowerBound, line.upperBound)
    while start < end {
      guard let (scalar, length) = bytes.scalar(at: start), scalar.isBlank else { break }
      start += length
    }
    while start < end {
      var last = end - 1
      while bytes[last] & 0xC0 == 0x80 { last -= 1 }  // back to the byte that starts the scalar
      guard let (scalar, _) = bytes.scalar(at: last), scalar.isBlank else { break }
      end = last
    }
    return start..<end
  }

  /// Makes a word the next one of the output.
  private mutating func keep(_ word: Range<Int>) {
    let start = Int(starts[starts.count - 1])
    Self.move(word, to: start, in: &text)
    starts.append(UInt32(start + word.count + 1))
    if keepsOffsets { offsets.append(UInt32(word.lowerBound)) }
  }

  /// Moves a word towards the front and puts a line feed behind it.
  ///
  /// A function of the one array on purpose: where a mutable span of one stored array is taken beside a
  /// change of another in the same function, Swift 6.3.1's optimizer leaves out the second one's check
  /// for shared storage, and changes a copy held elsewhere.
  private static func move(_ word: Range<Int>, to start: Int, in text: inout [UInt8]) {
    var bytes = text.mutableSpan
    if start < word.lowerBound {
      for offset in 0..<word.count { bytes[start + offset] = bytes[word.lowerBound + offset] }
    }
    bytes[start + word.count] = UInt8(ascii: "\n")
  }
}
