// Files and directories by their paths: what saving, finding and reading runs takes.
//
// What a path leads to is looked at before it is opened, so that nobody waits for a pipe's writer who
// expected a file. Every failure carries the path. How files are written: FileWriting.swift.

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

  /// A path from the root, without links followed.
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

  /// Finds out whether files can be made in a directory.
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

// MARK: Directories

extension FileSystem {
  /// Makes a directory; it is an error if there is something of that name.
  public static func makeDirectory(_ path: String) throws(SystemError) {
    try calling(path) { unsafe mkdir(path, 0o777) }
  }

  /// The names in a directory, sorted, but for those that are not UTF-8: no path of ours leads to them.
  public static func names(in path: String) throws(SystemError) -> [String] {
    try entries(in: path).compactMap { $0 }.sorted()
  }

  /// The names of all that is in a directory, nil for one that is not UTF-8.
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

// MARK: Programs and temporary directories

extension FileSystem {
  /// The program of a name that a shell would start: in the directories of PATH, a file that may be
  /// executed. Directories that are not named in UTF-8 are passed over.
  public static func program(_ name: String) -> String? {
    program(name, path: environmentBytes("PATH") ?? [])
  }

  /// The same, with a path in place of PATH.
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

  /// Makes a file that is not there yet; it may be lost with the machine's power.
  public static func create(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try writing(try OpenFile(path, .creating), path) { file throws(SystemError) in
      try file.write(bytes.span)
    }
  }

  /// Makes a directory that nobody else has, for this process alone, where the system wants such ones.
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
    guard status.st_mode & S_IFMT == S_IFDIR else {
      unsafe unlink(path)
      return
    }
    for name in (try? names(in: path)) ?? [] { removeTree(path + "/" + name) }
    unsafe rmdir(path)
  }
}
