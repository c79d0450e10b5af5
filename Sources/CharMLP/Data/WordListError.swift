// Everything that can be wrong with a word list or with getting hold of it.
//
// A word list comes from the world, so each refusal says where the trouble is and what to do about it, in
// one line of text. `kind` is what a command turns into its exit code; `message(in:)` is what it prints.
// No path is stored: whoever opened the file knows its name best.

/// Why a word list could not be read or is not accepted.
///
/// Lines count from 1; `byte` is an offset into the file, counted from 0.
public enum WordListError: Error, Equatable, Sendable {
  /// There is no text at all.
  case empty
  /// There are lines, but nothing on them except blanks.
  case onlyBlankLines
  /// A good list, but too short for what it is needed for; thrown by those who need more.
  case tooFewWords(count: Int, needed: Int)
  /// A carriage return that no line feed follows.
  case loneCarriageReturn(line: Int, byte: Int)
  /// The text was saved in another Unicode encoding.
  case foreignEncoding(ForeignEncoding)
  /// Bytes that are not well-formed UTF-8; `value` is the first byte of the sequence.
  case invalidUTF8(line: Int, byte: Int, value: UInt8)
  /// A control character other than tab, a line separator, or a byte order mark inside the text.
  case refusedCharacter(line: Int, byte: Int, scalar: Unicode.Scalar)
  /// A line that no word would need.
  case lineTooLong(line: Int, limit: Int)
  /// More bytes than are read; `size` is nil where it is not known, as with a pipe.
  case tooLarge(size: Int?, limit: Int)

  /// There is nothing at the path.
  case missing
  /// The path names a directory.
  case directory
  /// The file cannot be opened; `reason` is the system's.
  case unreadable(reason: String)
  /// Reading broke off after `byte` bytes; `reason` is the system's.
  case readFailed(byte: Int, reason: String)

  /// What another rank has met with in its part of the list, in its words.
  case reported(Kind, line: Int?, problem: String)
}

extension WordListError {
  /// What went wrong at large, as far as a caller's exit code goes.
  public enum Kind: String, Sendable {
    /// There is nothing to read: missing, a directory, or unreadable.
    case noInput
    /// There is something, but it is not a word list.
    case badData
    /// The system failed while reading.
    case inputOutput
  }

  /// Whether there was no input, bad input, or a failure on the way.
  public var kind: Kind {
    switch self {
    case .missing, .directory, .unreadable: .noInput
    case .readFailed: .inputOutput
    case .reported(let kind, _, _): kind
    default: .badData
    }
  }

  /// The line at fault, counted from 1, where there is one.
  public var line: Int? {
    switch self {
    case .loneCarriageReturn(let line, _), .invalidUTF8(let line, _, _),
      .refusedCharacter(let line, _, _), .lineTooLong(let line, _):
      line
    case .reported(_, let line, _): line
    default: nil
    }
  }

  /// The message with its place in front, such as `names.txt:17: …`, as one line of text.
  ///
  /// Control characters in `source` are shown as `?`, lest a strange file name break the line.
  public func message(in source: String) -> String {
    let printable = source.unicodeScalars.map { $0.reasonRefused == nil && $0 != "\t" ? $0 : "?" }
    var place = ""
    place.unicodeScalars.append(contentsOf: printable)
    if let line { place += ":\(line)" }
    return place + ": " + problem
  }
}

extension WordListError: CustomStringConvertible {
  /// The message, with the line in front where there is one.
  public var description: String {
    line.map { "line \($0): \(problem)" } ?? problem
  }

  /// What is wrong and what to do, without the line.
  var problem: String {
    switch self {
    case .empty:
      "the word list is empty; write one word on each line"
    case .onlyBlankLines:
      "there are only blank lines; write one word on each line"
    case .tooFewWords(let count, let needed):
      "\(count) \(count == 1 ? "word" : "words"), but at least \(needed) are needed; add words"
    case .loneCarriageReturn(_, let byte):
      "carriage return without line feed at byte \(byte); convert it with tr '\\r' '\\n'"
    case .foreignEncoding(let encoding):
      "looks like \(encoding.rawValue), convert it with iconv -f \(encoding.rawValue) -t UTF-8"
    case .invalidUTF8(_, let byte, let value):
      "invalid UTF-8 at byte \(byte) (0x\(String(value, radix: 16, uppercase: true))); "
        + "convert it, for example with iconv -f LATIN1 -t UTF-8"
    case .refusedCharacter(_, let byte, let scalar):
      "\(scalar.codePoint) (\(scalar.reasonRefused ?? "not accepted")) at byte \(byte); remove it"
    case .lineTooLong(_, let limit):
      "longer than \(limit) characters; write one word on each line"
    case .tooLarge(let size, let limit):
      (size.map { "\($0) bytes, more than" } ?? "more than")
        + " the \(limit) bytes that are read; use a part of the list"
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
  /// The same trouble in a text of which `lines` lines and `bytes` bytes came before.
  func shifted(lines: Int, bytes: Int) -> WordListError {
    switch self {
    case .loneCarriageReturn(let line, let byte):
      .loneCarriageReturn(line: line + lines, byte: byte + bytes)
    case .invalidUTF8(let line, let byte, let value):
      .invalidUTF8(line: line + lines, byte: byte + bytes, value: value)
    case .refusedCharacter(let line, let byte, let scalar):
      .refusedCharacter(line: line + lines, byte: byte + bytes, scalar: scalar)
    case .lineTooLong(let line, let limit): .lineTooLong(line: line + lines, limit: limit)
    case .reported(let kind, let line?, let problem):
      .reported(kind, line: line + lines, problem: problem)
    default: self
    }
  }
}
