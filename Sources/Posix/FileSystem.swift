// File-system calls by path, as needed to save, find and read runs, and a lock.
//
// The type is checked before opening, so that a FIFO in place of a file does not block. Every
// failure carries the path.

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
        switch status.kind {
        case S_IFDIR: .directory
        case S_IFREG: .file(size: Int(status.st_size))
        case S_IFIFO: .pipe
        default: .device
        }
    }
  }

  /// What a path leads to.
  public static func kind(of path: String) throws(SystemError) -> Kind {
    Kind(try status(of: path))
  }

  /// The time of the last change, in nanoseconds since 1970.
  public static func modificationTime(of path: String) throws(SystemError) -> Int {
    let time = try status(of: path).st_mtim
    // A file may have a time that no counter of nanoseconds holds.
    let (seconds, isTooFar) = Int(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    return isTooFar ? (time.tv_sec < 0 ? 0 : .max) : seconds + Int(time.tv_nsec)
  }

  /// The time, in nanoseconds since 1970.
  public static var now: Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// The absolute form of a path; links in it are not resolved.
  public static func absolute(_ path: String) -> String {
    guard !path.begins(with: "/"), let directory = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(directory) }
    return String(decoding: unsafe bytes(of: directory), as: UTF8.self) + "/" + path
  }

  static func status(of path: String) throws(SystemError) -> stat {
    var status = stat()
    try calling(path) { unsafe stat(path, &status) }
    return status
  }

  /// Whether there is anything at a path.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Checks that files can be made in a directory.
  /// - Throws: `SystemError` if not.
  public static func requireWritable(directory path: String) throws(SystemError) {
    try calling(path) { unsafe access(path, W_OK) }
  }

  /// The directory that a path lies in.
  public static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension stat {
  /// The bits of its mode that say what it is.
  var kind: mode_t { st_mode & S_IFMT }
  var isRegular: Bool { kind == S_IFREG }
  var isDirectory: Bool { kind == S_IFDIR }
  var isLink: Bool { kind == S_IFLNK }
}

// MARK: Directories

extension FileSystem {
  /// Makes a directory; it is an error if the name is taken.
  public static func makeDirectory(_ path: String) throws(SystemError) {
    try calling(path) { unsafe mkdir(path, 0o777) }
  }

  /// The names in a directory, sorted, without those that are not UTF-8, which our paths cannot
  /// name.
  public static func names(in path: String) throws(SystemError) -> [String] {
    try entries(in: path).compactMap { $0 }.sorted()
  }

  /// The names of everything in a directory, nil for one that is not UTF-8.
  public static func entries(in path: String) throws(SystemError) -> [String?] {
    guard let directory = unsafe opendir(path) else { throw SystemError(path, code: errno) }
    defer { unsafe closedir(directory) }
    var names: [String?] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
          unsafe bytes(of: $0)
        }
      }
      if name != [0x2E] && name != [0x2E, 0x2E] {
        names.append(String(validating: name, as: UTF8.self))
      }
    }
    return names
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

  /// Reads until the end, or until there are more bytes than `bound` returns, which is called after
  /// each piece.
  public static func read(
    _ path: String, allowingPipes: Bool, chunkSize: Int = 1 << 18,
    bound: ([UInt8]) throws(SystemError) -> Int
  ) throws(SystemError) -> [UInt8] {
    try requireReadable(path, allowingPipes: allowingPipes)
    let file = try OpenFile(reading: path)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkSize)
    while true {
      let count = try file.read(into: &chunk)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > (try bound(bytes)) { return bytes }
    }
  }

  /// Rejects anything but a file before open(2) could block.
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

// MARK: Programs and temporary directories

extension FileSystem {
  /// The program that a shell would start under this name: the first executable file of that name
  /// in the directories of PATH. Directories whose names are not UTF-8 are passed over.
  public static func program(_ name: String) -> String? {
    program(name, path: environmentBytes("PATH") ?? [])
  }

  /// The same, searching `path` instead of PATH.
  public static func program(_ name: String, path: String) -> String? {
    program(name, path: Array(path.utf8))
  }

  private static func program(_ name: String, path: [UInt8]) -> String? {
    for directory in path.split(separator: UInt8(ascii: ":")) {
      guard let directory = String(validating: directory, as: UTF8.self) else { continue }
      let program = directory + "/" + name
      if case .file = try? kind(of: program), unsafe access(program, X_OK) == 0 { return program }
    }
    return nil
  }

  /// Makes a file that is not there yet. It is not synced, so a power failure may lose it.
  public static func create(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try write(bytes, to: try OpenFile(path, .creating))
  }

  /// Creates a private temporary directory in TMPDIR or /tmp.
  public static func makeTemporaryDirectory(prefix: String) throws(SystemError) -> String {
    let place = environmentVariable("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(place)/\(prefix)XXXXXX\0".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw SystemError("\(place)/\(prefix)", code: errno)
    }
    return text(of: template)
  }

  /// Removes a directory with all that is in it, following no link; what cannot be removed stays.
  public static func removeTree(_ path: String) {
    guard let status = try? statusIfAny(path, followingLinks: false) else { return }
    guard status.isDirectory else {
      unsafe unlink(path)
      return
    }
    for name in (try? names(in: path)) ?? [] { removeTree(path + "/" + name) }
    unsafe rmdir(path)
  }
}

// MARK: - Writing
//
// Atomically, without overwriting a user's file, without following a symbolic link.
//
// Content is written to a temporary file, synced, and renamed into place. Whenever the process is
// killed, a reader finds either the old content or the new. Other hard links to the old file (a
// backup) keep the old content.

extension FileSystem {
  /// What becomes of a file that is already there.
  public enum Existing: Sendable {
    /// It stays.
    case kept
    /// A file that begins with these bytes is one of ours, and is replaced, as an empty one is.
    case replacedIfBeginning([UInt8])
  }

  /// Prefixes of temporary files: in a run directory (written by the lock's holder), and elsewhere.
  /// Sixteen random hexadecimal digits follow.
  static let (temporaryOfRun, temporary) = (".new-", ".tmp-")
  /// The longest name of a temporary file, with the slash before it.
  public static let temporaryLength = 1 + temporaryOfRun.utf8.count + 16

  /// Whether a file of this name was being written by a run that was killed.
  public static func isTemporaryOfRun(_ name: String) -> Bool {
    guard let digits = name.remainder(after: temporaryOfRun) else { return false }
    return digits.utf8.count == 16
      && digits.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  /// Replaces a run's own file by new content, which is on the disk when this returns: at every
  /// moment the path leads to all of the old content or all of the new. Other links to the old
  /// content keep it, and the old file's mode stays.
  public static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try replace(path, with: bytes, temporaryOfRun)
  }

  /// Writes a file at a path that a user named: whole or not at all, on the disk when this returns,
  /// and without overwriting a user's file. A pipe or a terminal is written directly.
  ///
  /// - Throws: `SystemError`, with `isExisting` if there is a file that has to stay, or a symbolic
  ///   link.
  public static func write(
    _ bytes: [UInt8], to path: String, existing: Existing = .kept
  ) throws(SystemError) {
    switch try destination(path, existing) {
    case .stream: try overwrite(path, with: bytes)
    case .oldFile: try replace(path, with: bytes, temporary)
    case .nothing:
      try writingTemporary(bytes, for: path, temporary, mode: nil) { made throws(SystemError) in
        try link(made, to: path)
      }
    }
  }

  /// Checks whether `write` would refuse a path, before there is anything to write.
  public static func requireWritable(
    _ path: String, existing: Existing = .kept
  ) throws(SystemError) {
    _ = try destination(path, existing)
  }

  private enum Destination { case nothing, oldFile, stream }

  private static func destination(
    _ path: String, _ existing: Existing
  ) throws(SystemError) -> Destination {
    guard let found = try statusIfAny(path, followingLinks: false) else { return .nothing }
    let target = found.isLink ? try statusIfAny(path, followingLinks: true) : found
    switch target?.kind {
    // /dev/stdout is a link as well, and nothing is lost in what it leads to.
    case S_IFIFO, S_IFCHR: return .stream
    case _ where found.isLink: throw .isLink(path)
    case S_IFDIR: throw .isDirectory(path)
    case S_IFREG:
      guard case .replacedIfBeginning(let opening) = existing else { throw .exists(path) }
      if found.st_size == 0 { return .oldFile }
      guard try beginning(of: path, opening.count) == opening else { throw .exists(path) }
      return .oldFile
    default: throw .exists(path)
    }
  }

  private static func beginning(of path: String, _ count: Int) throws(SystemError) -> [UInt8] {
    try OpenFile(reading: path).read(at: 0, upTo: count)
  }

  /// The status of what is at a path; nil if there is nothing.
  static func statusIfAny(
    _ path: String, followingLinks: Bool
  ) throws(SystemError) -> stat? {
    var status = stat()
    do throws(SystemError) {
      try calling(path) {
        followingLinks ? unsafe stat(path, &status) : unsafe lstat(path, &status)
      }
    } catch {
      if error.isMissingFile { return nil }
      throw error
    }
    return status
  }

  private static func replace(
    _ path: String, with bytes: [UInt8], _ prefix: String
  ) throws(SystemError) {
    let old = try statusIfAny(path, followingLinks: false)
    if let old, old.isDirectory { throw .isDirectory(path) }
    let mode = old.flatMap { $0.isRegular ? $0.st_mode & 0o7777 : nil }
    try writingTemporary(bytes, for: path, prefix, mode: mode) { made throws(SystemError) in
      try calling(path) { unsafe rename(made, path) }
    }
  }

  /// Writes a temporary file and calls `place` with its path; removes it on failure.
  private static func writingTemporary(
    _ bytes: [UInt8], for path: String, _ prefix: String, mode: mode_t?,
    _ place: (String) throws(SystemError) -> Void
  ) throws(SystemError) {
    let directory = parent(of: path)
    let made = temporaryPath(in: directory, prefix)
    // What replaces a private file is private from its start.
    let file = try OpenFile(made, .creating, mode: mode == nil ? 0o666 : 0o600, named: path)
    do throws(SystemError) {
      if let mode { try file.setMode(mode) }
      try file.write(bytes.span)
      try file.synchronize()
      try file.close()
      try place(made)
    } catch {
      unsafe unlink(made)
      throw error
    }
    try synchronize(directory: directory)
  }

  /// A random path, one of 2⁶⁴; should it exist, opening it fails.
  private static func temporaryPath(in directory: String, _ prefix: String) -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = String(generator.next(), radix: 16)
    let name = prefix + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    return directory == "/" ? "/" + name : directory + "/" + name
  }

  /// Gives a file its name and removes the temporary one, unless the name is taken.
  private static func link(_ made: String, to path: String) throws(SystemError) {
    do throws(SystemError) {
      try calling(path) { unsafe Glibc.link(made, path) }
      unsafe unlink(made)
    } catch {
      // Without hard links we must rename, which would overwrite a file created at this very
      // moment.
      guard !error.isExisting, try statusIfAny(path, followingLinks: false) == nil else {
        throw error
      }
      try calling(path) { unsafe rename(made, path) }
    }
  }

  /// Appends a line to a file in one write, so that a reader sees all of it or nothing. A symbolic
  /// link is not followed: it could lead to a user's file. A file with other hard links, as in a
  /// backup by `cp -al`, is replaced by a longer copy.
  public static func append(line: String, to path: String) throws(SystemError) {
    let bytes = Array((line + "\n").utf8)
    let file = try OpenFile(path, .appending)
    let status = try file.status()
    guard status.isRegular else { throw .notFile(path, but: "a device") }
    let isShared = status.st_nlink > 1
    if !isShared { try file.write(bytes.span, isWaiting: false) }
    try file.close()
    if isShared { try replace(path, with: try read(path) + bytes) }
  }

  /// Writes a device or a pipe.
  static func overwrite(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try write(bytes, to: try OpenFile(path, .overwriting))
  }

  /// Removes a file, if there is one.
  public static func remove(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try calling(path) { unsafe unlink(path) }
    } catch {
      if !error.isMissingFile { throw error }
    }
  }

  private static func write(
    _ bytes: [UInt8], to file: consuming OpenFile
  ) throws(SystemError) {
    try file.write(bytes.span)
    try file.close()
  }

  /// Waits until a directory's entries are on the disk.
  private static func synchronize(directory: String) throws(SystemError) {
    try OpenFile(directory, .directory).synchronize()
  }
}

// MARK: - Locks

/// A file lock that one process at a time can hold.
///
/// The lock is the kernel's (flock); the file also holds the owner's process id. It ends with the
/// process, however that ends, so there is no stale lock: a file that a killed process leaves
/// behind means nothing. A process that ends normally removes the file while it still holds the
/// lock. A process that locks a file which was meanwhile removed notices, and locks the new one.
/// Symbolic and hard links are refused, and so is a file with anything but a process id in it:
/// writing the process id would destroy a user's data.
public final class FileLock: Sendable {
  /// What came of the attempt to take a lock.
  public enum Attempt {
    case taken(FileLock)
    /// Another process has it; its id is nil if it has not written it yet.
    case held(by: Int?)
  }

  private let file: OpenFile
  private let path: String

  /// Takes the lock of the file at a path, which is made if it is not there.
  public static func take(_ path: String) throws(SystemError) -> Attempt {
    while true {
      let file = try OpenFile(path, .locking)
      try requireOurs(file, path)
      do throws(SystemError) {
        try calling(path) { flock(file.descriptor, LOCK_EX | LOCK_NB) }
      } catch {
        guard error.isWouldBlock else { throw error }
        return .held(by: holder(file))
      }
      if file.isAt(path) { return .taken(FileLock(file, path)) }
    }
  }

  /// Refuses a file that may be a user's, before anything is written into it.
  private static func requireOurs(
    _ file: borrowing OpenFile, _ path: String
  ) throws(SystemError) {
    let status = try file.status()
    guard status.isRegular else { throw .notFile(path, but: "a device") }
    guard status.st_nlink <= 1 else { throw .hasOtherNames(path) }
    var text = try file.read(at: 0, upTo: 21)
    if text.last == 0x0A { text.removeLast() }
    // A file that was made a moment ago is empty; a line feed alone is a user's.
    guard status.st_size <= 21, status.st_size == 0 || !text.isEmpty,
      text.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw .exists(path) }
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

  /// The process id that the holder wrote; nil if it has not yet.
  private static func holder(_ file: borrowing OpenFile) -> Int? {
    let bytes = (try? file.read(at: 0, upTo: 20)) ?? []
    return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
