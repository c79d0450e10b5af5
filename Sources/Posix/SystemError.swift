// The one error of this module, and the one loop that repeats what a signal interrupts.
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
  public var reason: String { words ?? Self.systemWords(for: code) }
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

// MARK: Failures that callers find themselves

extension SystemError {
  /// There is something of that name already.
  static func exists(_ path: String) -> SystemError { SystemError(path, code: EEXIST) }
  /// A symbolic link of that name, which is neither followed nor replaced.
  static func isLink(_ path: String) -> SystemError {
    SystemError(path, code: EEXIST, "a symbolic link, which is not followed")
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
    SystemError(path, code: EFBIG, "more than the \(limit) bytes that are read")
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

/// The result of a call, made again as long as a signal interrupts it.
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
