// Reference files on the disk.

extension Reference {
  /// The bytes of the file or pipe at a path, as far as its header says that they are its bytes.
  ///
  /// - Parameter limit: The most bytes that a file may have.
  public static func read(_ path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
    try FileSystem.readSafetensors(path, limit: limit, allowingPipes: true)
  }

  /// Writes the file; an old one at the path is overwritten.
  public func write(to path: String) throws(FileError) {
    try FileSystem.overwrite(path, with: encoded())
  }
}
