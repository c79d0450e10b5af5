// Reads a word list from a path or from an open file descriptor.
//
// A path may name a regular file, a FIFO or a device; standard input may be any of them. A regular file
// that is too large is refused from its size, before a byte is read. The text is read once and then
// never again, so that a file that changes or vanishes later changes nothing.
//
// This is the one file of the folder that talks to the operating system, and so the one that may say
// `unsafe`: it hands the kernel a path and a buffer. Calls that a signal interrupts are repeated.

import Glibc

extension WordList {
  /// The most bytes that are read from a file or a pipe unless told otherwise: 1 GiB.
  public static let defaultReadLimit = 1 << 30

  /// Reads the words of the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing`, `directory`, `unreadable`, `readFailed`, `tooLarge`, or what is wrong with
  ///   the text.
  public init(
    contentsOf path: String, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    // A C string ends at NUL; without this, another file would be opened.
    guard !path.utf8.contains(0) else { throw .missing }
    let descriptor = repeatingInterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing : .unreadable(reason: reasonOfFailure())
    }
    defer { close(descriptor) }
    try self.init(fileDescriptor: descriptor, limit: limit)
  }

  /// Reads the words of standard input, up to its end.
  /// - Throws: as `init(contentsOf:limit:)`.
  public static func standardInput(
    limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) -> WordList {
    try WordList(fileDescriptor: STDIN_FILENO, limit: limit)
  }

  /// Reads the words of an open file, from where it stands to its end, and leaves it open.
  /// - Throws: as `init(contentsOf:limit:)`.
  public init(
    fileDescriptor: CInt, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    precondition(limit >= 0, "WordList: a limit of \(limit) bytes")
    try self.init(utf8: readAll(fileDescriptor, limit: Swift.min(limit, WordList.byteLimit)))
  }
}

/// All bytes from where the file stands.
private func readAll(_ descriptor: CInt, limit: Int) throws(WordListError) -> [UInt8] {
  var text: [UInt8] = []
  // A regular file's size is a hint, no promise: it can grow, and in /proc it is zero.
  text.reserveCapacity(try expectedSize(descriptor, limit: limit) + 1)
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  var startIsChecked = false
  while true {
    let received = readOnce(descriptor, into: &chunk)
    if received == 0 { return text }
    guard received > 0 else {
      // A standard input that is closed, or open for writing alone, was never there to be read.
      if errno == EBADF && text.isEmpty { throw .unreadable(reason: reasonOfFailure()) }
      throw .readFailed(byte: text.count, reason: reasonOfFailure())
    }
    guard received <= limit - text.count else { throw .tooLarge(size: nil, limit: limit) }
    text.append(contentsOf: chunk[..<received])
    if !startIsChecked && text.count >= 1 << 16 {
      try checkStart(text)
      startIsChecked = true
    }
  }
}

/// Refuses what its first lines already rule out, such as an image or endless NULs, before the rest is
/// read.
///
/// The last line is left out, since it may not have arrived whole. Without any line end, 2¹⁶ bytes are
/// longer than the longest line (10,000 characters of at most four bytes), so that all can be judged.
private func checkStart(_ text: [UInt8]) throws(WordListError) {
  let end = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
  do throws(WordListError) {
    _ = try WordList(utf8: Array(text[..<end]))
  } catch {
    if error != .onlyBlankLines { throw error }  // words may still follow
  }
}

/// The size of a regular file, 0 for anything else that can be read.
private func expectedSize(_ descriptor: CInt, limit: Int) throws(WordListError) -> Int {
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else {
    throw .unreadable(reason: reasonOfFailure())
  }
  switch status.st_mode & S_IFMT {
  case S_IFDIR: throw .directory
  case S_IFREG:
    let size = Int(status.st_size)
    guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
    return size
  default: return 0
  }
}

/// One `read`, which waits where the descriptor itself would not: -1 on failure, 0 at the end.
private func readOnce(_ descriptor: CInt, into chunk: inout [UInt8]) -> Int {
  while true {
    let received = unsafe chunk.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    if received >= 0 { return received }
    switch errno {
    case EINTR: continue
    case EAGAIN:  // somebody made it non-blocking, as terminals and test harnesses do
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard repeatingInterrupted({ unsafe poll(&request, 1, -1) }) >= 0 else { return -1 }
    default: return -1
    }
  }
}

/// The result of a call, made again as long as a signal interrupts it.
private func repeatingInterrupted(_ call: () -> CInt) -> CInt {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// What the system says about the last failure.
private func reasonOfFailure() -> String {
  unsafe String(cString: strerror(errno))
}
