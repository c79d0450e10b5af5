// Reading files that may come from strangers, without waiting for ever and without growing for ever.
//
// What a path leads to is looked at before it is opened. The bytes of a safetensors file are asked after
// their length as soon as the header is there, so that no more is read than the file says it has.

import Safetensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
