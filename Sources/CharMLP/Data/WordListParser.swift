// Turns the bytes of a file into a word list: validates, trims and compacts in one pass.
//
// The text is rewritten in its own array: a word can only move towards the front, so reading is
// always ahead of writing, and a clean file (LF, no blanks at the ends) is not moved at all. Every
// byte is read once, in a loop of this file, which is why the ASCII case is written out here.
//
// A text may also come in pieces of whole lines; then a piece may contain no word, and only the
// first one may begin with a byte order mark.

/// The state of one pass over a text.
struct WordListParser {
  /// The input; from the front on, replaced by the words, each followed by a line feed.
  private(set) var text: [UInt8]
  /// Where each word starts in the output, then the end of the output.
  private(set) var starts: [UInt32] = [0]
  /// Where each word starts in the input: (words).
  private(set) var offsets: [UInt32] = []
  /// Where blank lines come before words.
  private(set) var blankLines = BlankLines()
  /// The length of the input.
  private let inputCount: Int
  /// The next byte to read.
  private var position = 0
  /// The number of the line being read, from 1.
  private var line = 1
  private let isStart: Bool
  private let keepsOffsets: Bool

  /// The number of lines read.
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
    // With a line feed at the very end, there is room for one after every word.
    if text[inputCount - 1] != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
    do throws(WordListError) {
      try readLines()
    } catch {
      throw error.withGuess(from: sample)
    }
    text.removeLast(text.count - Int(starts[starts.count - 1]))
  }

  private mutating func readLines() throws(WordListError) {
    while position < inputCount {
      let (content, next) = try scanLine()
      let word = trimmed(content)
      if !word.isEmpty { keep(word) }
      position = next
      line += 1
    }
  }

  /// What an error's explanation is guessed from: the words before it, which were moved to the
  /// front, and everything from its line on.
  private var sample: TextSample {
    TextSample(
      before: text[..<Int(starts[starts.count - 1])], after: text[position..<inputCount])
  }

  /// Checks the first bytes of a file.
  private mutating func readStart() throws(WordListError) {
    switch FileFormat(ofTextStartingWith: text.span) {
    case .unicode(let encoding): throw .foreignEncoding(encoding)
    case .other(let name, let remedy): throw .foreignFormat(name, remedy)
    case nil: break
    }
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }  // UTF-8's byte order mark
  }

  /// Validates the line at `position`.
  ///
  /// - Returns: where the line is, without its line end, and where the next one starts.
  private func scanLine() throws(WordListError) -> (content: Range<Int>, next: Int) {
    let bytes = text.span
    var end = position
    var characters = 0
    while end < inputCount, bytes[end] != UInt8(ascii: "\n") {
      let byte = bytes[end]
      if byte >= 0x20 && byte < 0x7F {
        end += 1
      } else if byte == UInt8(ascii: "\r") {
        // One at the very end ends the last line, as a missing line feed does.
        guard end + 1 == inputCount || bytes[end + 1] == UInt8(ascii: "\n") else {
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

  /// The length in bytes of a scalar that is allowed in words.
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

  /// Appends a word to the output.
  private mutating func keep(_ word: Range<Int>) {
    let start = Int(starts[starts.count - 1])
    blankLines.note(line - starts.count, before: starts.count - 1)
    Self.move(word, to: start, in: &text)
    starts.append(UInt32(start + word.count + 1))
    if keepsOffsets { offsets.append(UInt32(word.lowerBound)) }
  }

  /// Moves a word towards the front and puts a line feed behind it.
  ///
  /// A function of the one array on purpose: where a function takes a mutable span of one stored
  /// array and changes another, Swift 6.3.1's optimizer omits the second one's check for shared
  /// storage, and changes a copy held elsewhere.
  private static func move(_ word: Range<Int>, to start: Int, in text: inout [UInt8]) {
    var bytes = text.mutableSpan
    if start < word.lowerBound {
      for offset in 0..<word.count { bytes[start + offset] = bytes[word.lowerBound + offset] }
    }
    bytes[start + word.count] = UInt8(ascii: "\n")
  }
}

/// How many lines of a text were skipped before each of its words.
struct BlankLines: Sendable {
  /// An entry for each word that follows blank lines: how many lines were skipped before it in all.
  private var entries: [(word: UInt32, lines: UInt32)] = []

  /// Notes how many lines were skipped before a word in all.
  mutating func note(_ lines: Int, before word: Int) {
    guard lines != Int(entries.last?.lines ?? 0) else { return }
    entries.append((UInt32(word), UInt32(lines)))
  }

  /// The line of a word, from 1.
  func line(of word: Int) -> Int {
    let before = entries.last { $0.word <= word }
    return word + 1 + Int(before?.lines ?? 0)
  }
}

// MARK: - Characters
//
// Blanks are the scalars of Unicode's White_Space property that do not break lines. They are
// trimmed at the ends of a line and are characters inside a word. Rejected: characters that do not
// belong in words, namely controls, line breaks other than LF, and the byte order mark. All other
// scalars are accepted, assigned or not, joiners and marks included, and nothing is normalized. The
// table is written out (PropList.txt, Unicode 16), so that it does not change with the standard
// library.

extension Unicode.Scalar {
  /// Whether this is white space that does not break a line: tab, space, U+00A0, U+1680,
  /// U+2000…U+200A, U+202F, U+205F or U+3000.
  var isBlank: Bool {
    switch value {
    case 0x09, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Why this scalar is not allowed in a word, or nil if it is. Tab is the only control that is.
  var reasonRefused: String? {
    switch value {
    case 0x09: nil
    case 0x00...0x1F, 0x7F...0x9F: "a control character"
    case 0x2028, 0x2029: "a line break that is not a line feed"
    case 0xFEFF: "a byte order mark inside the text"
    default: nil
    }
  }

  /// Its bytes in UTF-8 as sed writes them.
  package var escapedUTF8: String {
    utf8.map { #"\x"# + String($0, radix: 16, uppercase: true) }.joined()
  }

  /// The scalar's number as Unicode writes it, such as `U+0007` or `U+1F600`.
  package var codePoint: String {
    let digits = String(value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}

// MARK: - UTF-8
//
// The one decision about what is well-formed: shortest form only, no surrogates, nothing above
// U+10FFFF (Unicode Standard, table 3-7). Callers handle ASCII in their own loops, because debug
// builds do not inline from file to file and a call for every byte is slow.

extension Span<UInt8> {
  /// The scalar whose UTF-8 sequence starts at `index`, and the sequence's length in bytes (1 to
  /// 4); nil where the bytes are not well-formed.
  func scalar(at index: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    let lead = UInt32(self[index])
    let length: Int
    let smallest: UInt32  // anything below fits a shorter sequence
    var value: UInt32
    switch lead {
    case 0x00...0x7F: (length, smallest, value) = (1, 0, lead)
    case 0xC2...0xDF: (length, smallest, value) = (2, 0x80, lead & 0x1F)
    case 0xE0...0xEF: (length, smallest, value) = (3, 0x800, lead & 0x0F)
    case 0xF0...0xF4: (length, smallest, value) = (4, 0x1_0000, lead & 0x07)
    default: return nil  // a continuation byte, or a byte that UTF-8 never uses
    }
    guard length <= count - index else { return nil }
    for offset in 1..<Swift.max(length, 1) {
      let byte = UInt32(self[index + offset])
      guard byte & 0xC0 == 0x80 else { return nil }
      value = value << 6 | byte & 0x3F
    }
    // `Unicode.Scalar(_:)` refuses surrogates and what lies above U+10FFFF.
    guard value >= smallest, let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, length)
  }
}

// MARK: - Errors
//
// Each error says in one line what is wrong, where, and what to do about it. A command turns `kind`
// into its exit code and prints `message(in:)`. No path is stored: the caller knows it.

/// Why a word list could not be read or is not accepted.
///
/// Lines count from 1; `byte` is an offset into the file, counted from 0.
public enum WordListError: Error, Equatable, Sendable {
  /// The text is empty.
  case empty
  /// There are lines, but only blank ones.
  case onlyBlankLines
  /// A carriage return that no line feed follows.
  case loneCarriageReturn(line: Int, byte: Int)
  /// The text was saved in another Unicode encoding.
  case foreignEncoding(ForeignEncoding)
  /// The file is not text; what it is, and the shell command that converts it.
  case foreignFormat(String, TextRemedy?)
  /// Bytes that are not well-formed UTF-8; `value` is the first byte of the sequence.
  case invalidUTF8(line: Int, byte: Int, value: UInt8, guess: EncodingGuess? = nil)
  /// A control character other than tab, a line separator, or a byte order mark inside the text.
  case refusedCharacter(
    line: Int, byte: Int, scalar: Unicode.Scalar, remedy: TextRemedy? = nil)
  /// UTF-8 that was read in another encoding and written as UTF-8 again; `original` is what the
  /// line was.
  case encodedTwice(line: Int, read: String, original: String, remedy: TextRemedy)
  /// A line longer than any word.
  case lineTooLong(line: Int, limit: Int)
  /// A list that seems to be on one line.
  case onOneLine(WordSeparation)
  /// More bytes than the limit; `size` is nil where it is not known, as with a pipe.
  case tooLarge(size: Int?, limit: Int)

  /// The path leads to nothing.
  case missing
  /// The path names a directory.
  case directory
  /// The file cannot be opened; `reason` is the system's message.
  case unreadable(reason: String)
  /// Reading failed after `byte` bytes; `reason` is the system's message.
  case readFailed(byte: Int, reason: String)

  /// The error of another rank in its part of the list, as a message.
  case reported(Kind, line: Int?, problem: String)
}

extension WordListError {
  /// The kind of error, for exit codes.
  public enum Kind: String, Sendable {
    /// There is nothing to read: missing, a directory, or unreadable.
    case noInput
    /// The input is not a word list.
    case badData
    /// The system failed while reading.
    case inputOutput
  }

  /// Whether there was no input, bad input, or a failure while reading.
  public var kind: Kind {
    switch self {
    case .missing, .directory, .unreadable: .noInput
    case .readFailed: .inputOutput
    case .reported(let kind, _, _): kind
    default: .badData
    }
  }

  /// The line of the error, counted from 1, if there is one.
  public var line: Int? {
    switch self {
    case .loneCarriageReturn(let line, _), .invalidUTF8(let line, _, _, _),
      .refusedCharacter(let line, _, _, _), .encodedTwice(let line, _, _, _),
      .lineTooLong(let line, _):
      line
    case .reported(_, let line, _): line
    default: nil
    }
  }

  /// The message after its place, such as `names.txt:17: …`, in one line; with the remedy unless
  /// the caller reports it separately.
  ///
  /// Control characters in `source` are shown as `?`, so that a strange file name cannot break the
  /// line.
  public func message(in source: String, withRemedy: Bool = true) -> String {
    let printable = source.unicodeScalars.map { $0.reasonRefused == nil && $0 != "\t" ? $0 : "?" }
    let place = String(String.UnicodeScalarView(printable)) + (line.map { ":\($0)" } ?? "")
    return place + ": " + (withRemedy ? problemAndRemedy : problem)
  }
}

extension WordListError: CustomStringConvertible {
  /// The message, after the line if there is one.
  public var description: String {
    line.map { "line \($0): \(problemAndRemedy)" } ?? problemAndRemedy
  }

  /// The shell command that makes a word list of what was refused, if there is one.
  public var remedy: TextRemedy? {
    switch self {
    case .loneCarriageReturn: #"tr '\r' '\n' < {}"#
    case .foreignEncoding(let encoding): .iconv(encoding.rawValue)
    case .foreignFormat(_, let remedy): remedy
    case .onOneLine(let separation): separation.remedy
    case .invalidUTF8(_, _, _, let guess): guess.flatMap(\.remedy)
    case .refusedCharacter(_, _, _, let remedy): remedy
    case .encodedTwice(_, _, _, let remedy): remedy
    default: nil
    }
  }

  /// What is wrong, without the line, and what to do unless there is a remedy.
  var problem: String {
    switch self {
    case .empty:
      "the word list is empty; write one word on each line"
    case .onlyBlankLines:
      "there are only blank lines; write one word on each line"
    case .loneCarriageReturn(_, let byte):
      "carriage return without line feed at byte \(byte)"
    case .foreignEncoding(let encoding):
      "looks like \(encoding.rawValue)\(encoding.isMarked ? "" : ", by its bytes (a guess)")"
    case .foreignFormat(let name, let remedy):
      "is \(name), not text" + (remedy == nil ? "; save the words as text, one on each line" : "")
    case .invalidUTF8(_, let byte, let value, let guess):
      "invalid UTF-8 at byte \(byte) (0x\(String(value, radix: 16, uppercase: true)))"
        + Self.words(for: guess)
    case .refusedCharacter(_, let byte, let scalar, let remedy):
      "\(scalar.codePoint) (\(scalar.reasonRefused ?? "not accepted")) at byte \(byte)"
        + (remedy == nil ? "; remove it" : "")
    case .encodedTwice(_, let read, let original, _):
      "UTF-8 that was read as \(read) and written as UTF-8 again; this line was \(original)"
    case .lineTooLong(_, let limit):
      "longer than \(limit) characters; write one word on each line"
    case .onOneLine(let separation):
      "looks like a list on one line, \(separation.name)"
    case .tooLarge(let size, let limit):
      (size.map { "\($0) bytes, over" } ?? "over")
        + " the limit of \(limit) bytes; use part of the list"
    case .missing:
      "no such file; check the path"
    case .directory:
      "is a directory; name a file with one word on each line"
    case .unreadable(let reason):
      "cannot be opened (\(reason)); check its permissions and its path"
    case .readFailed(let byte, let reason):
      "reading failed after \(byte) bytes (\(reason)); check the disk, or copy the file first"
    case .reported(_, _, let problem):
      problem
    }
  }
}

extension WordListError {
  /// What is wrong and what to do, without the line.
  var problemAndRemedy: String {
    guard let command = remedy?.command(for: nil) else { return problem }
    return problem + "; convert it with " + command
  }

  private static func words(for guess: EncodingGuess?) -> String {
    switch guess {
    case .encoding(let name, _): ", perhaps \(name) (a guess)"
    case .damagedUTF8: " in a text that is otherwise UTF-8: some lines are damaged"
    case .binary: ": this does not look like text"
    case nil: "; convert it to UTF-8"
    }
  }

  /// The same error where `lines` lines and `bytes` bytes come before.
  func shifted(lines: Int, bytes: Int) -> WordListError {
    switch self {
    case .loneCarriageReturn(let line, let byte):
      .loneCarriageReturn(line: line + lines, byte: byte + bytes)
    case .invalidUTF8(let line, let byte, let value, let guess):
      .invalidUTF8(line: line + lines, byte: byte + bytes, value: value, guess: guess)
    case .refusedCharacter(let line, let byte, let scalar, let remedy):
      .refusedCharacter(line: line + lines, byte: byte + bytes, scalar: scalar, remedy: remedy)
    case .encodedTwice(let line, let read, let original, let remedy):
      .encodedTwice(line: line + lines, read: read, original: original, remedy: remedy)
    case .lineTooLong(let line, let limit): .lineTooLong(line: line + lines, limit: limit)
    case .reported(let kind, let line?, let problem):
      .reported(kind, line: line + lines, problem: problem)
    default: self
    }
  }
}
