// Files and directories by their paths: what saving, finding and reading runs takes.
//
// A file is replaced as a whole or not at all. What a path leads to is looked at before it is opened, so
// that nobody waits for a pipe's writer who expected a file. Every failure carries the path.

import Glibc

/// Calls about paths.
public enum FileSystem {
  /// What the path leads to.
  public enum Kind: Equatable, Sendable {
    /// The size is a hint: a file can grow, and in /proc it is zero.
    case file(size: Int)
    case directory
    case pipe
    case device

    init(_ status: stat) {
      self =
        switch status.st_mode & S_IFMT {
        case S_IFDIR: .directory
        case S_IFREG: .file(size: Int(status.st_size))
        case S_IFIFO: .pipe
        default: .device
        }
    }
  }

  public static func kind(of path: String) throws(SystemError) -> Kind {
    Kind(try status(of: path))
  }

  /// The time of the last change, in nanoseconds since 1970.
  public static func modificationTime(of path: String) throws(SystemError) -> Int {
    let time = try status(of: path).st_mtim
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }

  static func status(of path: String) throws(SystemError) -> stat {
    var status = stat()
    try calling(path) { unsafe stat(path, &status) }
    return status
  }

  /// Whether there is anything at a path.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Finds out whether files can be made in a directory.
  /// - Throws: `SystemError` if not.
  public static func requireWritable(_ path: String) throws(SystemError) {
    try calling(path) { unsafe access(path, W_OK) }
  }

  /// The directory that a path lies in.
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

// MARK: Directories

extension FileSystem {
  /// Makes a directory; it is an error if there is something of that name.
  public static func makeDirectory(_ path: String) throws(SystemError) {
    try calling(path) { unsafe mkdir(path, 0o777) }
  }

  /// The names in a directory, sorted.
  public static func names(in path: String) throws(SystemError) -> [String] {
    guard let directory = unsafe opendir(path) else { throw SystemError(path, code: errno) }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

// MARK: Reading

extension FileSystem {
  /// All bytes of a regular file.
  ///
  /// - Throws: `SystemError`, also for more bytes than the limit.
  public static func read(
    _ path: String, limit: Int = 1 << 32
  ) throws(SystemError) -> [UInt8] {
    let chunkSize = min(limit + 1, 1 << 18)
    return try read(path, allowingPipes: false, chunkSize: chunkSize) { bytes throws(SystemError) in
      guard bytes.count <= limit else { throw .tooLarge(path, limit: limit) }
      return limit
    }
  }

  /// Reads until the end, or until there are more bytes than `bound` says, which is asked after each piece.
  public static func read(
    _ path: String, allowingPipes: Bool, chunkSize: Int = 1 << 18,
    bound: ([UInt8]) throws(SystemError) -> Int
  ) throws(SystemError) -> [UInt8] {
    try requireReadable(path, allowingPipes: allowingPipes)
    let file = try OpenFile(reading: path)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkSize)
    while true {
      let count: Int
      do throws(SystemError) { count = try file.read(into: &chunk) } catch {
        throw error.at(path)
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > (try bound(bytes)) { return bytes }
    }
  }

  /// Refuses what is no file, before opening it could wait for somebody.
  private static func requireReadable(
    _ path: String, allowingPipes: Bool
  ) throws(SystemError) {
    switch try kind(of: path) {
    case .file: return
    case .directory: throw .isDirectory(path)
    case .pipe where allowingPipes: return
    case .pipe: throw .notFile(path, but: "a pipe")
    case .device: throw .notFile(path, but: "a device")
    }
  }
}

// MARK: Writing

extension FileSystem {
  /// What the name of a file ends in that is being written and not yet in its place.
  public static let temporaryEnding = ".new"

  /// Replaces a file by new content, which is on the disk when this returns: at every moment the path
  /// leads to all of the old content or all of the new.
  public static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let temporary = path + temporaryEnding
    do throws(SystemError) {
      try writing(try openNew(temporary), temporary) { file throws(SystemError) in
        try file.write(bytes.span)
        try file.synchronize()
      }
      try calling(path) { unsafe rename(temporary, path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    try synchronize(directory: parent(of: path))
  }

  /// Appends a line to a file, in one write, so that a reader sees all of it or nothing. A link of that
  /// name is not followed: it could lead to somebody else's file.
  public static func append(line: String, to path: String) throws(SystemError) {
    let bytes = Array((line + "\n").utf8)
    try writing(try OpenFile(path, .appending), path) { file throws(SystemError) in
      try file.write(bytes.span, isWaiting: false)
    }
  }

  /// Writes what the path leads to from its start: a new file, an old one, a device or a pipe.
  public static func overwrite(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try writing(try OpenFile(path, .overwriting), path) { file throws(SystemError) in
      try file.write(bytes.span)
    }
  }

  /// Writes a file that must not be there yet. What could not be written whole is removed.
  public static func create(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let file = try OpenFile(path, .creating)
    do throws(SystemError) {
      try writing(file, path) { file throws(SystemError) in try file.write(bytes.span) }
    } catch {
      unsafe unlink(path)
      throw error
    }
  }

  /// Removes a file; it is no error if there is none.
  public static func remove(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try calling(path) { unsafe unlink(path) }
    } catch {
      if !error.isMissingFile { throw error }
    }
  }

  /// Closes a file after it was written, and adds its path to whatever fails.
  private static func writing(
    _ file: consuming OpenFile, _ path: String,
    _ write: (borrowing OpenFile) throws(SystemError) -> Void
  ) throws(SystemError) {
    do throws(SystemError) {
      try write(file)
      try file.close()
    } catch {
      throw error.at(path)
    }
  }

  /// Opens a file that is not there; what a killed run left under that name, or somebody planted there,
  /// is removed, not written into.
  private static func openNew(_ path: String) throws(SystemError) -> OpenFile {
    do throws(SystemError) {
      return try OpenFile(path, .creating)
    } catch {
      guard error.isExisting else { throw error }
      try remove(path)
      return try OpenFile(path, .creating)
    }
  }

  /// Makes sure that a directory's entries are on the disk.
  private static func synchronize(directory: String) throws(SystemError) {
    let file = try OpenFile(directory, .directory)
    do throws(SystemError) { try file.synchronize() } catch { throw error.at(directory) }
  }
}

// MARK: Locks

/// A file that one process at a time can have locked.
///
/// The lock is the kernel's (flock); the file also tells the holder's process id. It ends with the
/// process, however that ends, so there is no stale lock: a file that a killed process leaves behind
/// means nothing. A process that ends normally removes the file while it still holds the lock. Whoever
/// gets the lock of a file that was removed in the meantime notices, and takes that of the new one. A
/// link in its place is refused: the process id would be written into whatever it leads to.
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
      do throws(SystemError) {
        try calling(path) { flock(file.descriptor, LOCK_EX | LOCK_NB) }
      } catch {
        guard error.isWouldBlock else { throw error }
        return .held(by: holder(file))
      }
      if file.isAt(path) { return .taken(FileLock(file, path)) }
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
