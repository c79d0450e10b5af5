// Everything that can be wrong with a word list or with reading it.
//
// Each error says in one line what is wrong, where, and what to do about it. A command turns `kind`
// into its exit code and prints `message(in:)`. No path is stored: the caller knows it.

/// Why a word list could not be read or is not accepted.
///
/// Lines count from 1; `byte` is an offset into the file, counted from 0.
public enum WordListError: Error, Equatable, Sendable {
  /// There is no text at all.
  case empty
  /// There are lines, but only blank ones.
  case onlyBlankLines
  /// A carriage return that no line feed follows.
  case loneCarriageReturn(line: Int, byte: Int)
  /// The text was saved in another Unicode encoding.
  case foreignEncoding(ForeignEncoding)
  /// The file is no text; what it is, and the line of shell that makes one of it.
  case foreignFormat(String, TextRemedy?)
  /// Bytes that are not well-formed UTF-8; `value` is the first byte of the sequence.
  case invalidUTF8(line: Int, byte: Int, value: UInt8, guess: EncodingGuess? = nil)
  /// A control character other than tab, a line separator, or a byte order mark inside the text.
  case refusedCharacter(
    line: Int, byte: Int, scalar: Unicode.Scalar, remedy: TextRemedy? = nil)
  /// A line longer than any word.
  case lineTooLong(line: Int, limit: Int)
  /// More bytes than the limit; `size` is nil where it is not known, as with a pipe.
  case tooLarge(size: Int?, limit: Int)

  /// There is no file at the path.
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
    /// What there is is not a word list.
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
      .refusedCharacter(let line, _, _, _), .lineTooLong(let line, _):
      line
    case .reported(_, let line, _): line
    default: nil
    }
  }

  /// The message after its place, such as `names.txt:17: …`, in one line; with the remedy unless
  /// the caller tells it on its own.
  ///
  /// Control characters in `source` are shown as `?`, so that a strange file name cannot break the
  /// line.
  public func message(in source: String, withRemedy: Bool = true) -> String {
    let printable = source.unicodeScalars.map { $0.reasonRefused == nil && $0 != "\t" ? $0 : "?" }
    var place = ""
    place.unicodeScalars.append(contentsOf: printable)
    if let line { place += ":\(line)" }
    return place + ": " + (withRemedy ? problemAndRemedy : problem)
  }
}

extension WordListError: CustomStringConvertible {
  /// The message, after the line if there is one.
  public var description: String {
    line.map { "line \($0): \(problemAndRemedy)" } ?? problemAndRemedy
  }

  /// The line of shell that makes a word list of what was refused, if there is one.
  public var remedy: TextRemedy? {
    switch self {
    case .loneCarriageReturn: TextRemedy(#"tr '\r' '\n' < {}"#)
    case .foreignEncoding(let encoding): .iconv(encoding.rawValue)
    case .foreignFormat(_, let remedy): remedy
    case .invalidUTF8(_, _, _, let guess): guess.flatMap(\.remedy)
    case .refusedCharacter(_, _, _, let remedy): remedy
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
  /// What is wrong and what to do, without the line.
  var problemAndRemedy: String {
    guard let command = remedy?.command(for: nil) else { return problem }
    return problem + "; convert it with " + command
  }

  private static func words(for guess: EncodingGuess?) -> String {
    switch guess {
    case .encoding(let name, _): ", perhaps \(name) (a guess)"
    case .damagedUTF8: " in a text that otherwise is UTF-8: some lines are damaged"
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
    case .lineTooLong(let line, let limit): .lineTooLong(line: line + lines, limit: limit)
    case .reported(let kind, let line?, let problem):
      .reported(kind, line: line + lines, problem: problem)
    default: self
    }
  }
}
