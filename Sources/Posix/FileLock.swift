// A lock on a file: which of several processes may go on.

import Glibc

/// A file that one process at a time can have locked.
///
/// The lock is the kernel's (flock); the file also tells the holder's process id. It ends with the
/// process, however that ends, so there is no stale lock: a file that a killed process leaves behind
/// means nothing. A process that ends normally removes the file while it still holds the lock. Whoever
/// gets the lock of a file that was removed in the meantime notices, and takes that of the new one. A
/// link in its place is refused, symbolic or hard, and so is a file with anything but a process id in it:
/// the process id would be written over what is somebody's.
public final class FileLock: Sendable {
  /// What came of the attempt to take a lock.
  public enum Attempt {
    case taken(FileLock)
    /// Another process has it, whose id is told if it has written it already.
    case held(by: Int?)
  }

  private let file: OpenFile
  private let path: String

  /// Takes the lock of the file at a path, which is made if it is not there.
  public static func take(_ path: String) throws(SystemError) -> Attempt {
    while true {
      let file = try OpenFile(path, .locking)
      do throws(SystemError) { try requireOurs(file, path) } catch { throw error.at(path) }
      do throws(SystemError) {
        try calling(path) { flock(file.descriptor, LOCK_EX | LOCK_NB) }
      } catch {
        guard error.isWouldBlock else { throw error }
        return .held(by: holder(file))
      }
      if file.isAt(path) { return .taken(FileLock(file, path)) }
    }
  }

  /// Refuses a file that may be somebody's, before anything is written into it.
  private static func requireOurs(
    _ file: borrowing OpenFile, _ path: String
  ) throws(SystemError) {
    let status = try file.status()
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notFile(path, but: "a device") }
    guard status.st_nlink <= 1 else { throw .hasOtherNames(path) }
    let text = try file.read(at: 0, upTo: 21).prefix { $0 != 0x0A }
    guard status.st_size <= 21, text.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw .exists(path)
    }
  }

  private init(_ file: consuming OpenFile, _ path: String) {
    self.path = path
    self.file = file
    // The process id is for messages alone; a disk too full for it does not break the lock.
    let text = Array("\(getpid())\n".utf8)
    try? self.file.truncate()
    try? self.file.write(text.span)
  }

  /// Whether the path still leads to the file that is locked.
  public var isInPlace: Bool { file.isAt(path) }

  deinit {
    if isInPlace { try? FileSystem.remove(path) }
  }

  /// The process id that the holder wrote, if it has come to that.
  private static func holder(_ file: borrowing OpenFile) -> Int? {
    let bytes = (try? file.read(at: 0, upTo: 20)) ?? []
    return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
