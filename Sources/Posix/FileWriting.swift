// Files as they are written: whole or not at all, into nobody's place, through nobody's link.
//
// Content goes into a new file of a name that nobody else has, is synchronized, and then gets the name that
// it is to have. So a reader finds all of the old content or all of the new, whatever is killed when, and
// what has several names (a backup by hard links) changes under this one alone.

import Glibc

extension FileSystem {
  /// How a user's file is to be written.
  public enum Existing: Sendable {
    /// Whatever is there stays.
    case kept
    /// A file that begins with these bytes is one of ours, and gives way to a newer one, as an empty one
    /// does.
    case replacedIfBeginning([UInt8])
  }

  /// What the name of a file begins with that is being written and not yet in its place: in a run by who
  /// has locked it, and anywhere by others. Sixteen hexadecimal digits follow, which nobody else has.
  static let (temporaryOfRun, temporary) = (".new-", ".tmp-")
  /// The longest name of a temporary file, with the slash before it.
  public static let temporaryLength = 1 + temporaryOfRun.utf8.count + 16

  /// Whether a name is that of a file that a killed run was writing.
  public static func isTemporaryOfRun(_ name: String) -> Bool {
    guard let digits = name.remainder(after: temporaryOfRun) else { return false }
    return digits.utf8.count == 16
      && digits.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  /// Replaces a run's own file by new content, which is on the disk when this returns: at every moment the
  /// path leads to all of the old content or all of the new. Other links to the old content keep it, and
  /// the old file's mode stays.
  public static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try replace(path, with: bytes, temporaryOfRun)
  }

  /// Writes a file at a path that a user named: whole or not at all, on the disk when this returns, and in
  /// nobody's place. A pipe or a terminal is written as it is.
  ///
  /// - Throws: `SystemError`, with `isExisting` if there is a file that has to stay, or a symbolic link.
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

  /// Finds out whether `write` would refuse a path, before there is anything to be written.
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
    let isLink = found.st_mode & S_IFMT == S_IFLNK
    let target = isLink ? try statusIfAny(path, followingLinks: true) : found
    switch target.map({ $0.st_mode & S_IFMT }) {
    // /dev/stdout is a link as well, and nothing is lost in what it leads to.
    case S_IFIFO, S_IFCHR: return .stream
    case _ where isLink: throw .isLink(path)
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
    let file = try OpenFile(reading: path)
    do throws(SystemError) { return try file.read(at: 0, upTo: count) } catch {
      throw error.at(path)
    }
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
    if let old, old.st_mode & S_IFMT == S_IFDIR { throw .isDirectory(path) }
    let mode = old.flatMap { $0.st_mode & S_IFMT == S_IFREG ? $0.st_mode & 0o7777 : nil }
    try writingTemporary(bytes, for: path, prefix, mode: mode) { made throws(SystemError) in
      try calling(path) { unsafe rename(made, path) }
    }
  }

  /// Writes a file of a name that nobody else has, has it put into its place, and leaves nothing else.
  private static func writingTemporary(
    _ bytes: [UInt8], for path: String, _ prefix: String, mode: mode_t?,
    _ place: (String) throws(SystemError) -> Void
  ) throws(SystemError) {
    let directory = parent(of: path)
    let made = temporaryPath(in: directory, prefix)
    // What replaces a private file is private from its start.
    let file: OpenFile
    do throws(SystemError) {
      file = try OpenFile(made, .creating, mode: mode == nil ? 0o666 : 0o600)
    } catch {
      throw error.at(path)
    }
    do throws(SystemError) {
      try writing(file, path) { file throws(SystemError) in
        if let mode { try file.setMode(mode) }
        try file.write(bytes.span)
        try file.synchronize()
      }
      try place(made)
    } catch {
      unsafe unlink(made)
      throw error
    }
    try synchronize(directory: directory)
  }

  /// A path in a directory that nobody else has: of 2⁶⁴, and to open it fails if somebody has it all the same.
  private static func temporaryPath(in directory: String, _ prefix: String) -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = String(generator.next(), radix: 16)
    let name = prefix + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    return directory == "/" ? "/" + name : directory + "/" + name
  }

  /// Gives a file its name, and takes the temporary one away, unless there is something of that name.
  private static func link(_ made: String, to path: String) throws(SystemError) {
    do throws(SystemError) {
      try calling(path) { unsafe Glibc.link(made, path) }
      unsafe unlink(made)
    } catch {
      // Some file systems have no links; a name that appears in this very moment is lost there.
      guard !error.isExisting, try statusIfAny(path, followingLinks: false) == nil else {
        throw error
      }
      try calling(path) { unsafe rename(made, path) }
    }
  }

  /// Appends a line to a file, in one write, so that a reader sees all of it or nothing. A link of that
  /// name is not followed: it could lead to somebody else's file. A file that has other names as well, as
  /// in a backup by `cp -al`, is replaced by a longer copy.
  public static func append(line: String, to path: String) throws(SystemError) {
    let bytes = Array((line + "\n").utf8)
    var isShared = false
    try writing(try OpenFile(path, .appending), path) { file throws(SystemError) in
      let status = try file.status()
      guard status.st_mode & S_IFMT == S_IFREG else { throw .notFile(path, but: "a device") }
      isShared = status.st_nlink > 1
      if !isShared { try file.write(bytes.span, isWaiting: false) }
    }
    if isShared { try replace(path, with: try read(path) + bytes) }
  }

  /// Writes a device or a pipe.
  static func overwrite(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try writing(try OpenFile(path, .overwriting), path) { file throws(SystemError) in
      try file.write(bytes.span)
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
  static func writing(
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

  /// Makes sure that a directory's entries are on the disk.
  private static func synchronize(directory: String) throws(SystemError) {
    let file = try OpenFile(directory, .directory)
    do throws(SystemError) { try file.synchronize() } catch { throw error.at(directory) }
  }
}
