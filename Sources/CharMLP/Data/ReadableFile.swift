// A file that is open for reading: the one place in this folder that talks to the operating system.
//
// It may be a regular file, a FIFO, a device or standard input. Calls that a signal interrupts are
// repeated. Because it hands the kernel a path and a buffer, this file may say `unsafe`.

import Glibc

/// An open file, from where it stands to its end.
struct ReadableFile: ~Copyable {
  private let descriptor: CInt
  private let isOwned: Bool
  /// The bytes that were read or skipped.
  private(set) var position = 0

  /// Opens the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing` or `unreadable`.
  static func opening(_ path: String) throws(WordListError) -> ReadableFile {
    // A C string ends at NUL; without this, another file would be opened.
    guard !path.utf8.contains(0) else { throw .missing }
    let descriptor = repeatingInterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing : .unreadable(reason: reasonOfFailure())
    }
    return ReadableFile(descriptor, isOwned: true)
  }

  /// Takes a file that somebody else has opened, and leaves it open.
  init(descriptor: CInt) { self.init(descriptor, isOwned: false) }

  private init(_ descriptor: CInt, isOwned: Bool) {
    (self.descriptor, self.isOwned) = (descriptor, isOwned)
  }

  /// Standard input.
  static var standardInput: ReadableFile { ReadableFile(descriptor: STDIN_FILENO) }

  deinit { if isOwned { close(descriptor) } }

  /// The size of a regular file, nil for anything else that can be read.
  ///
  /// It is a hint, no promise: a file can grow, and in /proc its size is zero.
  /// - Throws: `directory` or `unreadable`.
  func size() throws(WordListError) -> Int? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .unreadable(reason: reasonOfFailure())
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw .directory
    case S_IFREG: return Int(status.st_size)
    default: return nil
    }
  }

  /// Goes to a byte of a regular file.
  /// - Throws: `readFailed`.
  mutating func seek(to byte: Int) throws(WordListError) {
    guard lseek(descriptor, off_t(byte), SEEK_SET) >= 0 else {
      throw .readFailed(byte: position, reason: reasonOfFailure())
    }
    position = byte
  }

  /// Reads as much as there is, up to the length of `chunk`; 0 at the end.
  /// - Throws: `unreadable` for what was never open for reading, else `readFailed`.
  mutating func read(into chunk: inout [UInt8]) throws(WordListError) -> Int {
    let received = readOnce(descriptor, into: &chunk)
    guard received >= 0 else {
      // A standard input that is closed, or open for writing alone, was never there to be read.
      if errno == EBADF && position == 0 { throw .unreadable(reason: reasonOfFailure()) }
      throw .readFailed(byte: position, reason: reasonOfFailure())
    }
    position += received
    return received
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
