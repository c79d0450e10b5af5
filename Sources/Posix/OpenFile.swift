// An open file, pipe, device or terminal: its bytes, and what the system knows about it.
//
// Errors carry the path that it was opened by; a descriptor from elsewhere has none. Nothing is
// buffered.

import CLinux
import Glibc

/// A file descriptor, which is closed with this value if it was opened here.
public struct OpenFile: ~Copyable, Sendable {
  let descriptor: CInt
  /// What errors call it; nil if it was not opened here.
  private let path: String?
  private var isOwned: Bool

  /// What a file is opened for.
  enum Access {
    /// Reading; a terminal does not become the controlling terminal.
    case reading
    /// Writing to what is there: a device or a pipe.
    case overwriting
    /// Writing a file that must not exist yet.
    case creating
    /// Appending to a file, new or old. A symbolic link is refused, a FIFO not waited for.
    case appending
    /// Reading and writing a file, new or old. A symbolic link is refused.
    case locking
    /// Synchronizing a directory.
    case directory

    fileprivate var flags: CInt {
      switch self {
      case .reading: O_RDONLY | O_NOCTTY
      case .overwriting: O_WRONLY | O_NOCTTY
      case .creating: O_WRONLY | O_CREAT | O_EXCL
      case .appending: O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
      case .locking: O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
      case .directory: O_RDONLY | O_DIRECTORY
      }
    }
  }

  /// Opens what a path leads to.
  ///
  /// - Parameter name: What errors call it, if not by its path.
  /// - Throws: `SystemError`, with the path or the name.
  init(
    _ path: String, _ access: Access, mode: mode_t = 0o666, named name: String? = nil
  ) throws(SystemError) {
    let name = name ?? path
    // A C string ends at NUL; without this, another file would be opened.
    guard !path.utf8.contains(0) else { throw SystemError(name, code: ENOENT) }
    let mayWait = access == .reading || access == .overwriting
    if mayWait, let kind = try? FileSystem.kind(of: path), kind == .pipe {
      descriptor = try FIFO.open(path, access.flags | O_CLOEXEC)
    } else {
      do throws(SystemError) {
        descriptor = try calling(name) { unsafe open(path, access.flags | O_CLOEXEC, mode) }
      } catch {
        guard error.code == ELOOP, access.flags & O_NOFOLLOW != 0 else { throw error }
        throw .isLink(name, code: ELOOP)
      }
    }
    (self.path, isOwned) = (name, true)
  }

  /// Opens a file, FIFO or device for reading; opening a FIFO waits a few seconds for its writer.
  /// - Throws: `SystemError`, with the path.
  public init(reading path: String) throws(SystemError) { try self.init(path, .reading) }

  /// Uses a file that is already open, and leaves it open.
  public init(descriptor: CInt) {
    self.descriptor = descriptor
    (path, isOwned) = (nil, false)
  }

  /// Descriptor 0, left open.
  public static var standardInput: OpenFile { OpenFile(descriptor: StandardDescriptors.input) }

  deinit { if isOwned { _ = Glibc.close(descriptor) } }
}

// MARK: Bytes

extension OpenFile {
  /// Reads as much as there is, up to the length of `chunk`; 0 at the end. Waits even if the
  /// descriptor is non-blocking.
  public func read(into chunk: inout [UInt8]) throws(SystemError) -> Int {
    while true {
      do throws(SystemError) {
        return try calling(path) {
          unsafe chunk.withUnsafeMutableBytes { buffer in
            unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
          }
        }
      } catch {
        // Another process that shares a terminal or pipe may have made it non-blocking.
        guard error.isWouldBlock else { throw error }
        try wait(for: POLLIN)
      }
    }
  }

  /// Reads from a place in a regular file, without moving the file's position.
  func read(at offset: Int, upTo count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let received = try calling(path) {
      unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
      }
    }
    return Array(bytes.prefix(received))
  }

  /// Writes all of `bytes`, however many calls it takes.
  ///
  /// - Parameter isWaiting: Whether to wait for room even if the descriptor is non-blocking.
  public func write(_ bytes: Span<UInt8>, isWaiting: Bool = true) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      do throws(SystemError) {
        written += try writeOnce(bytes.extracting(droppingFirst: written))
      } catch {
        guard isWaiting, error.isWouldBlock else { throw error }
        try wait(for: POLLOUT)
      }
    }
  }

  private func writeOnce(_ bytes: Span<UInt8>) throws(SystemError) -> Int {
    let count = try unsafe bytes.withUnsafeBytes { buffer throws(SystemError) in
      try calling(path) { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
    }
    // A device that accepts no bytes would loop forever.
    guard count > 0 else { throw SystemError(path, code: EIO) }
    return count
  }

  private func wait(for event: CInt) throws(SystemError) {
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    try calling(path) { unsafe poll(&request, 1, -1) }
  }

  /// Moves a regular file's position to a byte.
  public func seek(to byte: Int) throws(SystemError) {
    try calling(path) { lseek(descriptor, off_t(byte), SEEK_SET) }
  }

  /// Empties a file.
  func truncate() throws(SystemError) { try calling(path) { ftruncate(descriptor, 0) } }

  /// Gives a file the permissions of the one that it replaces.
  func setMode(_ mode: mode_t) throws(SystemError) {
    try calling(path) { fchmod(descriptor, mode) }
  }

  /// Waits until the content, or a directory's entries, are on the disk.
  func synchronize() throws(SystemError) { try calling(path) { fsync(descriptor) } }

  /// Closes the descriptor: the last moment at which some file systems report a full disk.
  public consuming func close() throws(SystemError) {
    isOwned = false
    // Linux has released the descriptor even when the call was interrupted.
    let status = Glibc.close(descriptor)
    let code = errno
    if status != 0 && code != EINTR { throw SystemError(path, code: code) }
  }
}

// MARK: What the system knows about it

extension OpenFile {
  /// What the file is.
  public func kind() throws(SystemError) -> FileSystem.Kind {
    FileSystem.Kind(try status())
  }

  /// Whether a path leads to this file.
  func isAt(_ path: String) -> Bool {
    guard let open = try? status(), let found = try? FileSystem.status(of: path) else {
      return false
    }
    return open.st_ino == found.st_ino && open.st_dev == found.st_dev
  }

  func status() throws(SystemError) -> stat {
    var status = stat()
    try calling(path) { unsafe fstat(descriptor, &status) }
    return status
  }

  /// Whether it is a terminal.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// The number of columns that a terminal reports; nil for anything that has none.
  public var columns: Int? {
    var size = winsize()
    let status = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }
}

// MARK: Descriptors 0, 1 and 2

/// The three descriptors that a process starts with, unless its parent closed them.
public enum StandardDescriptors {
  static let input = STDIN_FILENO
  /// Where results go.
  public static let output = STDOUT_FILENO
  /// Where messages go.
  public static let error = STDERR_FILENO

  /// Occupies those of the three that are closed, before anything else is opened.
  ///
  /// The next file that a process opens gets the lowest free number, and results would be printed
  /// into a checkpoint (`train >&-`). The null device takes the place, opened for the other
  /// direction: reading what is open for writing, or writing what is open for reading, fails with
  /// EBADF exactly as on a closed descriptor. So a closed stdout is still reported, a closed stderr
  /// is still harmless. (The GNU tools do the same.) Without a null device they stay closed.
  public static func takeMissing() {
    for (descriptor, access) in [
      (input, O_WRONLY), (output, O_RDONLY), (error, O_RDONLY),
    ]
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      _ = unsafe open("/dev/null", access)
    }
  }
}

// MARK: FIFOs

/// Opens a FIFO, with a time limit for its other end.
enum FIFO {
  /// How long to wait for the other end, in seconds.
  static let timeout = 5

  static func open(_ path: String, _ flags: CInt) throws(SystemError) -> CInt {
    let isReading = flags & O_ACCMODE == O_RDONLY
    let descriptor = try isReading ? openReading(path, flags) : openWriting(path, flags)
    // From here on, reading and writing block as usual.
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  private static func openReading(_ path: String, _ flags: CInt) throws(SystemError) -> CInt {
    let descriptor = try calling(path) { unsafe Glibc.open(path, flags | O_NONBLOCK) }
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let found = try calling(path) { unsafe poll(&request, 1, CInt(1000 * timeout)) }
    // Something to read, or a writer that has closed its end.
    if found > 0 || hasSilentWriter(descriptor) { return descriptor }
    _ = Glibc.close(descriptor)
    throw timedOut(path)
  }

  /// Whether a writer has the FIFO open but has written nothing: a read would block instead of
  /// reporting the end. tee(2) copies, so nothing is consumed.
  private static func hasSilentWriter(_ descriptor: CInt) -> Bool {
    var ends: [CInt] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { return false }
    defer { for end in ends { _ = Glibc.close(end) } }
    let count = tee(descriptor, ends[1], 1, 2)  // SPLICE_F_NONBLOCK
    return count > 0 || (count < 0 && errno == EAGAIN)
  }

  private static func openWriting(_ path: String, _ flags: CInt) throws(SystemError) -> CInt {
    let start = monotonicNanoseconds()
    while true {
      do throws(SystemError) {
        return try calling(path) { unsafe Glibc.open(path, flags | O_NONBLOCK) }
      } catch {
        guard error.code == ENXIO else { throw error }
        guard monotonicNanoseconds() - start < timeout * 1_000_000_000 else {
          throw timedOut(path)
        }
      }
      usleep(10_000)
    }
  }

  private static func timedOut(_ path: String) -> SystemError {
    SystemError(
      path, code: ETIMEDOUT, "a pipe, and nobody opened its other end for \(timeout) seconds")
  }
}
