// Where a report goes: a page takes the place of an older page of ours, and of nothing else.

/// A file that is made anew from a run whenever somebody asks for it.
public enum ReportFile {
  /// What every report begins with.
  public static let opening = "<!doctype html><!-- CharMLP report -->"

  /// Writes a page as a whole; a pipe or a device is written as it is.
  ///
  /// - Throws: `FileError`, with `isExisting` if there is a file of that name that is no report.
  public static func write(_ text: String, to path: String) throws(FileError) {
    precondition(text.hasPrefix(opening), "ReportFile: a page without its opening")
    let bytes = Array(text.utf8)
    switch try kind(of: path) {
    case nil: try FileSystem.replace(path, with: bytes)
    case .pipe, .device: try FileSystem.overwrite(path, with: bytes)
    case .directory: throw FileError(path, code: 21)  // EISDIR
    case .file:
      let old = try FileSystem.read(path)
      guard old.isEmpty || old.starts(with: Array(opening.utf8)) else {
        throw FileError(path, code: 17)  // EEXIST
      }
      try FileSystem.replace(path, with: bytes)
    }
  }

  private static func kind(of path: String) throws(FileError) -> FileSystem.Kind? {
    do throws(FileError) {
      return try FileSystem.kind(of: path)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
  }
}
