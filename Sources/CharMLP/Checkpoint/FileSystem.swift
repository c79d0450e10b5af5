// The few calls to the operating system that saving and finding runs takes.
//
// Here, and with the word list's reader, is where the library says `unsafe` about files. Calls that a
// signal interrupts are repeated; every failure carries the path and the system's own reason.

import Safetensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A failure of the file system, with the path and the system's reason.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let code: Int32
  /// The reason in words, where the system's would not say it.
  private let words: String?

  init(_ path: String, code: Int32 = errno, _ words: String? = nil) {
    self.path = path
    self.code = code
    self.words = words
  }

  /// The reason: mostly the system's words for it.
  public var reason: String { words ?? (unsafe String(cString: strerror(code))) }
  public var description: String { "\(path): \(reason)" }

  /// Whether the path, or a directory on the way to it, does not exist.
  public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
  /// Whether there is something of that name already.
  public var isExisting: Bool { code == EEXIST }
  /// Whether the path has more bytes than the system takes.
  var isNameTooLong: Bool { code == ENAMETOOLONG }
}

enum FileSystem {
  /// What the path leads to.
  enum Kind {
    case file(size: Int)
    case directory
    case pipe
    case device
  }

  static func kind(of path: String) throws(FileError) -> Kind {
    let status = try status(of: path)
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .directory
    case S_IFREG: return .file(size: Int(status.st_size))
    case S_IFIFO: return .pipe
    default: return .device
    }
  }

  /// The time of the last change, in nanoseconds since 1970.
  static func modificationTime(of path: String) throws(FileError) -> Int {
    let time = try status(of: path).st_mtim
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }

  private static func status(of path: String) throws(FileError) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw FileError(path) }
    return status
  }

  /// Makes a directory; it is an error if there is something of that name.
  static func makeDirectory(_ path: String) throws(FileError) {
    guard unsafe mkdir(path, 0o777) == 0 else { throw FileError(path) }
  }

  /// Whether files can be made in a directory.
  static func isWritable(_ path: String) -> Bool {
    unsafe access(path, W_OK) == 0
  }

  /// The names in a directory, sorted.
  static func names(in path: String) throws(FileError) -> [String] {
    guard let directory = unsafe opendir(path) else { throw FileError(path) }
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

  /// Appends a line to a file, in one write, so that a reader sees all of it or nothing. A link of that
  /// name is not followed: it could lead to somebody else's file.
  static func append(line: String, to path: String) throws(FileError) {
    let descriptor = try open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
    try closing(descriptor, path) { () throws(FileError) in
      try write(Array((line + "\n").utf8), to: descriptor, path)
    }
  }

  /// Replaces a file by new content, which is on the disk when this returns: at every moment the path
  /// leads to all of the old content or all of the new.
  static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let temporary = path + temporaryEnding
    do throws(FileError) {
      try create(temporary, bytes)
      guard repeated({ Int(unsafe rename(temporary, path)) }) == 0 else { throw FileError(path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    try synchronize(directory: parent(of: path))
  }

  /// What the name of a file ends in that is being written and not yet in its place.
  static let temporaryEnding = ".new"

  /// Removes a file; it is no error if there is none.
  static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw FileError(path) }
  }

  /// Writes what the path leads to from its start: a new file, an old one, a device or a pipe.
  static func overwrite(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let descriptor = try open(path, O_WRONLY | O_CREAT | O_TRUNC)
    try closing(descriptor, path) { () throws(FileError) in
      try write(bytes, to: descriptor, path)
    }
  }

  /// Writes a file and makes sure that it is on the disk.
  private static func create(_ path: String, _ bytes: [UInt8]) throws(FileError) {
    let descriptor = try openNew(path)
    try closing(descriptor, path) { () throws(FileError) in
      try write(bytes, to: descriptor, path)
      guard repeated({ Int(fsync(descriptor)) }) == 0 else { throw FileError(path) }
    }
  }

  /// Closes a file after it was written: the last moment at which some file systems report a full disk. A
  /// close that a signal interrupts has closed all the same.
  private static func closing(
    _ descriptor: Int32, _ path: String, after writing: () throws(FileError) -> Void
  ) throws(FileError) {
    do throws(FileError) {
      try writing()
    } catch {
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0 || errno == EINTR else { throw FileError(path) }
  }

  /// Opens a file that is not there; what a killed run left under that name, or somebody planted there,
  /// is removed, not written into.
  private static func openNew(_ path: String) throws(FileError) -> Int32 {
    let flags = O_WRONLY | O_CREAT | O_EXCL
    do throws(FileError) {
      return try open(path, flags)
    } catch {
      guard error.isExisting else { throw error }
      try remove(path)
      return try open(path, flags)
    }
  }

  /// Makes sure that a directory's entries are on the disk.
  private static func synchronize(directory: String) throws(FileError) {
    let descriptor = try open(directory, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    guard repeated({ Int(fsync(descriptor)) }) == 0 else { throw FileError(directory) }
  }

  /// The directory that a path lies in.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func open(_ path: String, _ flags: Int32) throws(FileError) -> Int32 {
    let descriptor = repeated { Int(unsafe Glibc.open(path, flags | O_CLOEXEC, 0o666)) }
    guard descriptor >= 0 else { throw FileError(path) }
    return Int32(descriptor)
  }

  static func write(
    _ bytes: [UInt8], to descriptor: Int32, _ path: String
  ) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        repeated {
          unsafe Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
        }
      }
      // A device that takes nothing would be asked for ever.
      guard count > 0 else { throw FileError(path, code: count == 0 ? EIO : errno) }
      written += count
    }
  }

  /// The result of a call, made again as long as a signal interrupts it.
  static func repeated(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}

// MARK: - Reading files that may come from strangers, without waiting for ever and without growing for ever

// What a path leads to is looked at before it is opened. The bytes of a safetensors file are asked after
// their length as soon as the header is there, so that no more is read than the file says it has.

extension FileSystem {
  /// All bytes of a regular file.
  ///
  /// - Throws: `FileError`, also for more bytes than the limit.
  static func read(_ path: String, limit: Int = 1 << 32) throws(FileError) -> [UInt8] {
    try read(path, allowingPipes: false) { bytes throws(FileError) in
      guard bytes.count <= limit else { throw .tooLarge(path, limit: limit) }
      return limit
    }
  }

  /// The bytes of a safetensors file: all that its header promises and a little of what follows, or so
  /// many that it can be seen to be none. Decoding says what is wrong then.
  ///
  /// - Throws: `FileError`, also if the header promises more bytes than the limit.
  static func readSafetensors(
    _ path: String, limit: Int, allowingPipes: Bool
  ) throws(FileError) -> [UInt8] {
    var length: Int?
    return try read(path, allowingPipes: allowingPipes) { bytes throws(FileError) in
      if let length { return length }
      switch try? SafetensorsFile.length(ofFileBeginning: bytes) {
      case .atLeast(let count): return count
      case .exactly(let count):
        guard count <= limit else { throw .tooLarge(path, limit: limit) }
        length = count
        return count
      case nil: return 0
      }
    }
  }

  /// Reads until the end, or until there are more bytes than `bound` says, which is asked after each piece.
  private static func read(
    _ path: String, allowingPipes: Bool, bound: ([UInt8]) throws(FileError) -> Int
  ) throws(FileError) -> [UInt8] {
    try requireReadable(path, allowingPipes: allowingPipes)
    let descriptor = try open(path, O_RDONLY | O_NOCTTY)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        repeated { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
      }
      guard count >= 0 else { throw FileError(path) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > (try bound(bytes)) { return bytes }
    }
  }

  /// Refuses what is no file, before opening it could wait for somebody.
  private static func requireReadable(
    _ path: String, allowingPipes: Bool
  ) throws(FileError) {
    switch try kind(of: path) {
    case .file: return
    case .directory: throw FileError(path, code: EISDIR)
    case .pipe where allowingPipes: return
    case .pipe: throw FileError(path, code: EINVAL, "a pipe, not a file")
    case .device: throw FileError(path, code: EINVAL, "a device, not a file")
    }
  }
}

extension FileError {
  fileprivate static func tooLarge(_ path: String, limit: Int) -> FileError {
    FileError(path, code: EFBIG, "more than the \(limit) bytes that are read")
  }
}
