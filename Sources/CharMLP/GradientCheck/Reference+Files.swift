// Reference files on the disk.

extension Reference {
  /// The bytes of the file at a path.
  public static func read(_ path: String) throws(FileError) -> [UInt8] {
    try FileSystem.read(path)
  }

  /// Writes the file; an old one at the path is overwritten.
  public func write(to path: String) throws(FileError) {
    try FileSystem.overwrite(path, with: encoded())
  }
}
