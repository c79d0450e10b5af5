// One trainer per run directory.
//
// The lock is the kernel's (flock), on a file that also tells the holder's process id. It ends with the
// process, however that ends, so there is no stale lock; a file that a killed run leaves behind means
// nothing. Who ends in order removes the file while it still holds the lock, and who got the lock of a
// file that was removed in the meantime notices, and takes that of the new one. A link in its place is
// refused: the process id would be written into whatever it leads to. A directory that was moved away, or
// lost the file, is no longer its holder's: whoever writes by the path asks first.

import Glibc

/// The right to write into a run directory, as long as this value lives.
public final class RunLock: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Takes the lock of a directory.
  ///
  /// - Throws: `RunLockError`: `held` if another process has it.
  public init(_ directory: RunDirectory) throws(RunLockError) {
    path = directory.lockPath
    descriptor = try Self.take(directory)
    // The process id is for messages alone; a disk too full for it is not this lock's affair.
    ftruncate(descriptor, 0)
    try? FileSystem.write(Array("\(getpid())\n".utf8), to: descriptor, path)
  }

  /// Whether the directory's path still leads to the file that is locked.
  public var isInPlace: Bool { Self.isAt(path, descriptor) }

  deinit {
    if isInPlace { try? FileSystem.remove(path) }
    close(descriptor)
  }

  private static func take(_ directory: RunDirectory) throws(RunLockError) -> Int32 {
    let path = directory.lockPath
    while true {
      let descriptor: Int32
      do throws(FileError) {
        descriptor = try FileSystem.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
      } catch {
        throw .file(error)
      }
      guard FileSystem.repeated({ Int(flock(descriptor, LOCK_EX | LOCK_NB)) }) == 0 else {
        let code = errno
        defer { close(descriptor) }
        if code == EWOULDBLOCK { throw .held(directory.path, by: holder(descriptor)) }
        throw .file(FileError(path, code: code))
      }
      if isAt(path, descriptor) { return descriptor }
      close(descriptor)
    }
  }

  /// The process id that the holder wrote, if it has come to that.
  private static func holder(_ descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe pread(descriptor, buffer.baseAddress, buffer.count, 0)
    }
    let digits = bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
    return Int(String(decoding: digits, as: UTF8.self))
  }

  /// Whether the open file is the one that the path leads to.
  private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    var (open, found) = (stat(), stat())
    guard unsafe fstat(descriptor, &open) == 0, unsafe stat(path, &found) == 0 else {
      return false
    }
    return open.st_ino == found.st_ino && open.st_dev == found.st_dev
  }
}

/// Why a run directory cannot be written into.
public enum RunLockError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process, whose id is told if it is known, is at work there.
  case held(String, by: Int?)
  /// The file that is locked cannot be opened, or not locked.
  case file(FileError)

  public var description: String {
    switch self {
    case .held(let directory, let process):
      "\(directory): a trainer is at work there" + (process.map { " (process \($0))" } ?? "")
    case .file(let error): error.description
    }
  }
}
