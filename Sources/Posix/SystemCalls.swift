// What every system call here shares: one error, one loop that repeats what a signal interrupts,
// and text as bytes.
//
// Only this module knows errno: it is read at once after the call that set it, and travels as a
// value from then on. Callers ask what a failure means (`isMissing`, `isBrokenPipe`), never for its
// number.

import Glibc

/// A failed system call: the path it was about, if there is one, and the system's reason.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file that the call was about.
  public let path: String?
  /// The value of errno.
  let code: CInt
  /// A message of our own, where the system's does not explain the failure.
  private let words: String?

  init(_ path: String? = nil, code: CInt, _ words: String? = nil) {
    self.path = path
    self.code = code
    self.words = words
  }

  /// The reason: mostly the system's words for it.
  public var reason: String {
    words ?? (code == ELOOP ? "symbolic links form a loop" : Self.systemWords(for: code))
  }
  /// `path: reason`, or the reason alone.
  public var description: String { path.map { "\($0): \(reason)" } ?? reason }

  /// The same failure, of another path.
  public func at(_ path: String) -> SystemError { SystemError(path, code: code, words) }

  private static func systemWords(for code: CInt) -> String {
    // glibc's longest message has under 60 bytes; strerror_r cuts what does not fit.
    var words = [CChar](repeating: 0, count: 256)
    let status = unsafe strerror_r(code, &words, words.count)
    return status == 0 ? text(of: words) : "Error \(code)"
  }
}

// MARK: What a failure means

extension SystemError {
  /// Whether the path, or a directory on the way to it, does not exist.
  public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
  /// Whether there is no file of that name in a directory that exists.
  public var isMissingFile: Bool { code == ENOENT }
  /// Whether there is something of that name already.
  public var isExisting: Bool { code == EEXIST }
  /// Whether the path has more bytes than the system takes.
  public var isNameTooLong: Bool { code == ENAMETOOLONG }
  /// Whether the pipe has no reader any more.
  public var isBrokenPipe: Bool { code == EPIPE }
  /// Whether the descriptor is closed, or open for the other direction only.
  public var isBadDescriptor: Bool { code == EBADF }
  /// Whether a file was opened, but not all could be written: no room, a limit, a broken disk.
  public var isFailedWrite: Bool { [EDQUOT, EFBIG, EIO, ENOSPC].contains(code) }
  /// Whether the call would have to wait where it may not: for room, for bytes, for a lock.
  var isWouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }
}

// MARK: Failures found without a system call

extension SystemError {
  /// There is something of that name already.
  static func exists(_ path: String) -> SystemError { SystemError(path, code: EEXIST) }
  /// A symbolic link of that name, which is neither followed nor replaced.
  static func isLink(_ path: String, code: CInt = EEXIST) -> SystemError {
    SystemError(path, code: code, "a symbolic link, which is not followed")
  }
  /// A file with a second hard link: to write it would change what it is called elsewhere.
  static func hasOtherNames(_ path: String) -> SystemError {
    SystemError(path, code: EEXIST, "a file that has other names too (hard links)")
  }
  /// A directory stands where a file is expected.
  static func isDirectory(_ path: String) -> SystemError { SystemError(path, code: EISDIR) }
  /// Something else stands where a directory is expected.
  public static func notDirectory(_ path: String) -> SystemError {
    SystemError(path, code: ENOTDIR)
  }
  /// A file has more bytes than its reader takes.
  public static func tooLarge(_ path: String, limit: Int) -> SystemError {
    SystemError(path, code: EFBIG, "larger than the limit of \(limit) bytes")
  }
  static func notFile(_ path: String, but kind: String) -> SystemError {
    SystemError(path, code: EINVAL, "\(kind), not a file")
  }
}

// MARK: System calls

/// The text that a call has written, up to its NUL.
func text(of characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The bytes of a C string, without its NUL.
func bytes(of characters: UnsafePointer<CChar>) -> [UInt8] {
  unsafe UnsafeBufferPointer(start: characters, count: strlen(characters))
    .map(UInt8.init(bitPattern:))
}

/// The result of a call, which is repeated as long as a signal interrupts it.
/// - Throws: `SystemError` with errno, if the call returns a negative number.
@discardableResult
func calling<Result: FixedWidthInteger & SignedInteger>(
  _ path: String? = nil, _ call: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = call()
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { throw SystemError(path, code: code) }
  }
}

// MARK: - Text as bytes
//
// A Character is a letter with all marks that follow it, so a comparison by Character does not see
// a slash or a quotation mark that a combining mark follows. Paths, command lines and file formats
// are sequences of bytes, and in UTF-8 an ASCII byte is never part of another character.

extension StringProtocol {
  /// The pieces between ASCII delimiters.
  public func pieces(
    separatedBy delimiter: UInt8, maxSplits: Int = .max, omittingEmpty: Bool = true
  ) -> [SubSequence] {
    guard delimiter < 0x80 else { fatalError("pieces: \(delimiter) is not an ASCII character") }
    return utf8.split(
      separator: delimiter, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty
    ).map { self[$0.startIndex..<$0.endIndex] }
  }

  /// The pieces between blanks and line ends of ASCII.
  var asciiWords: [SubSequence] {
    utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
      .map { self[$0.startIndex..<$0.endIndex] }
  }

  /// Whether the first bytes are those of `start`.
  public func begins(with start: String) -> Bool { utf8.starts(with: start.utf8) }

  /// Whether the last bytes are those of `end`.
  public func ends(with end: String) -> Bool { utf8.reversed().starts(with: end.utf8.reversed()) }

  /// Whether an ASCII byte occurs anywhere.
  public func contains(byte: UInt8) -> Bool { utf8.contains(byte) }
}

extension String {
  /// What follows the first bytes; nil if they are not those of `start`.
  public func remainder(after start: String) -> Substring? {
    guard begins(with: start) else { return nil }
    return self[utf8.index(startIndex, offsetBy: start.utf8.count)...]
  }
}

// MARK: - Character encodings
//
// The system's converter, iconv(3), for guesses about a text that is not in UTF-8: what it accepts
// here, the command of the same name accepts on this machine.

/// Conversion to UTF-8.
public enum TextConversion {
  /// The text in UTF-8; nil if the bytes are invalid in the encoding, or the encoding is unknown. A
  /// character that is cut off at the end is left out.
  public static func utf8(_ bytes: [UInt8], from encoding: String) -> [UInt8]? {
    guard let converter = unsafe iconv_open("UTF-8", encoding),
      Int(bitPattern: converter) != -1
    else { return nil }
    defer { unsafe iconv_close(converter) }
    // In no encoding does a byte become more than four bytes of UTF-8, marks included.
    var input = bytes.map { CChar(bitPattern: $0) }
    var output = [UInt8](repeating: 0, count: 4 * bytes.count + 16)
    var (left, room) = (input.count, output.count)
    let status = unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBytes { target in
        var from = source.baseAddress
        var to = unsafe target.bindMemory(to: CChar.self).baseAddress
        // A character that is cut off is no error.
        if unsafe iconv(converter, &from, &left, &to, &room) == -1, errno != EINVAL { return -1 }
        // Some converters hold back a last letter, since a mark might follow that belongs to it.
        return unsafe iconv(converter, nil, nil, &to, &room)
      }
    }
    guard status != -1 else { return nil }
    output.removeLast(room)
    return output
  }
}
